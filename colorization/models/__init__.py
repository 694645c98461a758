"""Keras functional models of the report's Figure 4. Each takes lightness and gives what its task decodes."""

from .nine_blocks import STRIDE, classification, regression

__all__ = ["STRIDE", "classification", "regression"]
