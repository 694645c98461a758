"""The formats of exports. This module is quick to import."""

FORMATS = {"savedmodel": "", "onnx": ".onnx", "litert": ".tflite", "keras": ".keras"}
"""Format -> suffix of its files; a SavedModel is a folder."""
