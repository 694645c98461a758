"""Colors that follow what moves from one frame to another, by optical flow."""

from typing import NamedTuple

import cv2
import numpy as np

_ALIKE = 5.0  # difference of lightness, 0..100, from which on two places are taken to show different things
_CUT = 0.35  # residual of the flow over the contrast, from which on two frames are taken to be two scenes
_SURELY_NO_CUT = 2.0  # mean difference of lightness
_LEAST = 32  # pixels of the shorter side, below which OpenCV's optical flow may crash


class Carried(NamedTuple):
    """Colors of one frame, moved to another frame.

    Attributes:
        ab: (H, W, 2) float32.
        alike: (H, W) float32 in 0..1: how surely both frames show the same thing at a place.
    """

    ab: np.ndarray
    alike: np.ndarray


class OpticalFlow:
    """Dense optical flow between frames of one film: DIS (Kroeger et al., 2016), by OpenCV."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def carry(self, ab: np.ndarray, source: np.ndarray, target: np.ndarray) -> Carried:
        """Move the colors of a frame along with what moves.

        The trust in a place falls with the squared difference of lightness (Bonneel et al., Blind Video
        Temporal Consistency, 2015).

        Args:
            ab: (H, W, 2) float32, colors of the frame `source`.
            source, target: (H, W) float32 lightness, 0..100, of the two frames.
        """
        moved = self._moved(np.dstack([ab, source]), source, target)
        difference = moved[..., 2] - target
        return Carried(moved[..., :2], np.exp(-np.square(difference / _ALIKE)))

    def is_cut(self, before: np.ndarray, after: np.ndarray) -> bool:
        """Whether two neighboring frames belong to two scenes.

        Args:
            before, after: (H, W) float32 lightness, 0..100.
        """
        if np.abs(after - before).mean() < _SURELY_NO_CUT:
            return False
        residual = np.abs(self._moved(before, before, after) - after).mean()
        contrast = (before.std() + after.std()) / 2
        return bool(residual > max(_SURELY_NO_CUT, _CUT * contrast))

    def _moved(self, planes, source, target):
        """Planes of `source`, with everything where it is in `target`; small frames stand still."""
        if min(target.shape) < _LEAST:
            return planes
        now, before = ((2.55 * plane).astype(np.uint8) for plane in (target, source))
        flow = self._dis.calc(now, before, None)
        rows, columns = np.indices(target.shape, np.float32)
        return cv2.remap(
            planes, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE
        )
