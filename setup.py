"""Packaging: `pip install .`, or `python -m build` for a wheel."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "colorization/__init__.py").read_text())[1]

setup(
    name="colorization",
    version=VERSION,
    description="Automatic image colorization in Keras: regression and classification over 313 ab bins",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    packages=find_packages(include=["colorization", "colorization.*", "vgg_eval"]),
    package_data={"colorization": ["presets/*/*"]},
    python_requires=">=3.11",
    install_requires=[
        "h5py>=3.11",
        "keras>=3.15",
        "lazy-loader>=0.4",
        "matplotlib>=3.9",
        "numpy>=2.0",
        "onnxruntime>=1.20",
        "opencv-python-headless>=4.10",
        "scikit-image>=0.24",
        "scipy>=1.15",
        "tensorflow>=2.21",
        "tqdm>=4.66",
    ],
    extras_require={
        "export": ["ai-edge-litert>=2.1", "onnx>=1.17", "tf2onnx>=1.16"],
        "film": ["av>=14"],
        "gpu": ["tensorflow[and-cuda]>=2.21"],
        "jax": ["jax>=0.10"],
        "tensorboard": ["tensorboard>=2.20"],
        "dev": [
            "ai-edge-litert>=2.1",
            "av>=14",
            "build>=1.2",
            "furo>=2025.7",
            "filelock>=3.20",
            "hypothesis>=6.100",
            "ipykernel>=7",
            "jax>=0.10",
            "latex2mathml>=3.77",
            "myst-nb>=1.3",
            "nbclient>=0.10",
            "onnx>=1.17",
            "pytest>=8",
            "pytest-xdist>=3.8",
            "ruff>=0.17",
            "sphinx>=8",
            "sphinx-copybutton>=0.5",
            "tensorboard>=2.20",
            "tf2onnx>=1.16",
            "ziamath>=0.13",
        ],
    },
    entry_points={"console_scripts": ["colorize = colorization.cli.main:main"]},
)
