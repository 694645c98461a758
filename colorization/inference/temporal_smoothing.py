"""Films without flicker: colors follow what is shown from frame to frame."""

import cv2
import numpy as np

from colorization.core.color_numpy import lab_to_rgb, rgb_to_lab

KEPT = 0.9
"""Share of a color that comes from the frame before, where it shows the same; a memory of ten frames."""

_ALIKE = 5.0  # difference of lightness, 0..100, at which what is shown is taken to be something else
_CUT = 15.0  # mean difference of lightness that tells of another scene
_LEAST = 32  # pixels of the shorter side, below which OpenCV's optical flow may crash
_SHOWN = 0.5  # error of lightness, 0..100, up to which sRGB is taken to show a color


class Steady:
    """Mixes the colors of each frame with those of the frame before, carried along by optical flow.

    Where lightness says that something else is shown - after a cut, beside what moves - a frame's own colors
    stand. (The weight falls with the squared difference, as in Bonneel et al., Blind Video Temporal
    Consistency, 2015.)

    Args:
        state: of another Steady, to go on from.

    Attributes:
        state: (H, W, 3) float32 Lab of the last frame; None before the first.
    """

    def __init__(self, state=None):
        self.state = state
        self._flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def __call__(self, rgb):
        """The next frame's picture, (H, W, 3) uint8 RGB, with steady colors; lightness stays."""
        lab = rgb_to_lab(rgb)
        if self.state is not None:
            before = self._carried(lab[..., 0])
            difference = np.abs(lab[..., 0] - before[..., 0])
            if difference.mean() < _CUT:
                weight = KEPT * np.exp(-np.square(difference / _ALIKE))[..., None]
                mixed = lab.copy()
                mixed[..., 1:] = weight * before[..., 1:] + (1 - weight) * lab[..., 1:]
                # A color that sRGB lacks at this lightness, where clipping would change it, gives way
                shown = np.abs(rgb_to_lab(lab_to_rgb(mixed))[..., :1] - lab[..., :1]) < _SHOWN
                lab = np.where(shown, mixed, lab)
        self.state = lab
        return lab_to_rgb(lab)

    def _carried(self, lightness):
        """The frame before, with everything where it is in this one; small ones are taken to stand still."""
        if min(lightness.shape) < _LEAST:
            return self.state
        now, before = ((2.55 * plane).astype(np.uint8) for plane in (lightness, self.state[..., 0]))
        flow = self._flow.calc(now, before, None)
        rows, columns = np.indices(lightness.shape, np.float32)
        return cv2.remap(
            self.state,
            columns + flow[..., 0],
            rows + flow[..., 1],
            cv2.INTER_LINEAR,
            None,
            cv2.BORDER_REPLICATE,
        )
