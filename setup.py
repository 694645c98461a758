"""Packaging: `pip install .`, or `python -m build` for a wheel."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "colorization/__init__.py").read_text())[1]

KERAS = ["keras>=3.15", "matplotlib>=3.9", "scikit-image>=0.24"]
EXPORT = ["ai-edge-litert>=2.1", "onnx>=1.17", "tf2onnx>=1.17"]

setup(
    name="keras-colorization",
    version=VERSION,
    description="Automatic image colorization in Keras: photographs, films, training and evaluation",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: End Users/Desktop",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Multimedia :: Graphics",
        "Topic :: Multimedia :: Video",
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Typing :: Typed",
    ],
    keywords=["colorization", "keras", "photographs", "film", "CIFAR-10"],
    packages=find_packages(include=["colorization", "colorization.*", "vgg_eval"]),
    package_data={"colorization": ["py.typed", "presets/*/*"], "vgg_eval": ["py.typed"]},
    python_requires=">=3.11,<3.14",
    install_requires=[  # coloring pictures and films needs neither Keras nor TensorFlow
        "av>=18",
        "filelock>=3.20",
        "h5py>=3.11",
        "imagecodecs>=2025.3.30",
        "lazy-loader>=0.4",
        "numpy>=2.0",
        "onnxruntime>=1.20",
        "opencv-python-headless>=4.10",  # opencv-python needs libxcb, libGL and GLib, which servers lack
        "pillow-heif>=1.0",
        "pillow>=12,<13",
        "scipy>=1.15",
        "tifffile>=2025.3.30",
        "tqdm>=4.66",
    ],
    extras_require={
        "train": [*KERAS, "tensorflow>=2.21"],
        "gpu": [*KERAS, "tensorflow[and-cuda]>=2.21"],
        "jax": [*KERAS, "jax>=0.10"],
        "export": EXPORT,
        "parquet": ["pyarrow>=20"],
        "tensorboard": ["tensorboard>=2.20"],
        "docs": [
            "furo>=2025.7",
            "latex2mathml>=3.77",
            "myst-nb>=1.3",
            "sphinx>=8",
            "sphinx-copybutton>=0.5",
            "ziamath>=0.13",
        ],
        "dev": [
            *EXPORT,
            "build>=1.2",
            "hypothesis>=6.100",
            "ipykernel>=7",
            "jax>=0.10",
            "mypy>=1.18",
            "nbclient>=0.10",
            "pyarrow>=20",
            "pytest>=8",
            "pytest-xdist>=3.8",
            "ruff>=0.17",
            "tensorboard>=2.20",
        ],
    },
    entry_points={
        "console_scripts": ["colorize = colorization.cli.entry:main"],
        "colorization.plugins": ["vgg_eval = vgg_eval.plugin"],
    },
)
