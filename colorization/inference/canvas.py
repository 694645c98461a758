"""Canvas: a picture to color. It turns a prediction of ab at a smaller size into the colored picture."""

import numpy as np

from colorization.inference import composition, guided_upsampling
from colorization.inference.rendering import WHOLE, Rendering, inner_part, with_neutral_borders


class Canvas:
    """A picture inside its borders.

    Args:
        picture: (H, W) gray or (H, W, 3) RGB, uint8 or uint16.
        rendering: how a prediction becomes a picture.
        alpha: (H, W) opacity, uint8 or uint16. Hidden pixels do not influence the colors.

    Attributes:
        whole: the picture with its borders.
        inner: slices of the rows and columns inside the borders.
        pixels: this part of the picture.
        alpha: this part of its opacity; None if the picture has none.
    """

    def __init__(self, picture: np.ndarray, rendering: Rendering, alpha: np.ndarray | None = None):
        self.whole, self.rendering = picture, rendering
        self.inner = inner_part(picture, alpha) if rendering.borders else WHOLE
        self.pixels = picture[self.inner]
        self.alpha = None if alpha is None else alpha[self.inner]

    def lightness(self, shape: tuple[int, int]) -> np.ndarray:
        """The lightness inside the borders, at another size.

        Args:
            shape: (height, width).

        Returns:
            (height, width) float32, 0..100.
        """
        return composition.shrink(self.pixels, shape, self.alpha)

    def coefficients(self, guide: np.ndarray, ab: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Offset and slope of ab as a function of lightness, for `compose`.

        Args:
            guide: (h, w) float32, lightness at the size of ab.
            ab: (h, w, 2) float32.

        Returns:
            (h, w, 2) float32 each. The slope is None where ab is only enlarged.
        """
        height, width = self.pixels.shape[:2]
        is_enlarged = ab.shape[0] < height or ab.shape[1] < width
        if self.rendering.upsampling == "bilinear" or not is_enlarged:
            return ab, None
        slope, offset = guided_upsampling.coefficients(guide, ab)
        return offset, slope

    def compose(self, offset: np.ndarray, slope: np.ndarray | None = None) -> np.ndarray:
        """The whole picture in color, with neutral borders.

        Args:
            offset, slope: of ab, (h, w, 2) float32, as of composition.compose.

        Returns:
            (H, W, 3) of the picture's dtype.
        """
        colored = composition.compose(self.pixels, offset, slope)
        return with_neutral_borders(self.whole, self.inner, colored)

    def render(self, guide: np.ndarray, ab: np.ndarray) -> np.ndarray:
        """The whole picture in color.

        Args:
            guide: (h, w) float32, lightness at the size of ab.
            ab: (h, w, 2) float32, the prediction. The saturation is applied to it.

        Returns:
            (H, W, 3) of the picture's dtype.
        """
        return self.compose(*self.coefficients(guide, ab * np.float32(self.rendering.saturation)))
