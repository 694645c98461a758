"""Keras functional models of the paper's Figures 4 to 6, and VGG16's blocks, which two of them share."""

from colorization.models.nine_blocks import STRIDE, classification, regression
from colorization.models.transfer import transfer

__all__ = ["STRIDE", "classification", "regression", "transfer"]
