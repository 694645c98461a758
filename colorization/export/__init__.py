"""Export: a trained run as SavedModel, ONNX, LiteRT or Keras file, and as a preset."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={"formats": ["FORMATS"], "preset": ["Card", "make_preset"], "writers": ["export_model"]},
)
