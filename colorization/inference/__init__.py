"""Inference: pictures and films colored by a trained network, in Keras or in an exported format."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["confidence", "hints", "samples"],  # two of them import SciPy, which takes a while
    submod_attrs={
        "colorizer": ["Colorizer", "load_model"],
        "loading": ["ChosenModel", "load"],
        "onnx_colorizer": ["OnnxColorizer"],
        "picture_colorizer": ["PictureColorizer"],
        "runtimes": ["Exported", "Runtime"],
    },
)
