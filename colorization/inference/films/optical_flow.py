"""Motion between the frames of a film: planes are moved from one frame to another by optical flow."""

import cv2
import numpy as np

_ALIKE = 5.0  # difference of lightness, 0..100, at which the trust falls to 1/e
_CUT = 0.35  # least residual of the flow at a cut, relative to the contrast
_SURELY_NO_CUT = 2.0  # mean difference of lightness
_LEAST = 32  # pixels of the shorter side, below which OpenCV's optical flow may crash


class OpticalFlow:
    """Dense optical flow between neighboring frames: DIS (Kroeger et al., 2016), by OpenCV."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def move(self, planes: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Move planes of one frame to the positions of the same objects in another frame.

        Args:
            planes: (H, W, C) float32, of the frame `source`.
            source, target: (H, W) float32 lightness, 0..100, of the two frames.

        Returns:
            (H, W, C) float32, of the frame `target`. Planes of small frames are unchanged.
        """
        if min(target.shape) < _LEAST:
            return planes
        now, before = ((2.55 * plane).clip(0, 255).astype(np.uint8) for plane in (target, source))
        flow = self._dis.calc(now, before, None)  # type: ignore[call-overload]
        rows, columns = np.indices(target.shape, np.float32)
        return cv2.remap(
            planes, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE
        )


def alike(moved: np.ndarray, lightness: np.ndarray) -> np.ndarray:
    """The trust that moved pixels show the same object as the pixels of a frame.

    The trust falls with the squared difference (Bonneel et al., Blind Video Temporal Consistency, 2015).

    Args:
        moved: (H, W) float32 lightness, 0..100, of another frame, moved to this one.
        lightness: (H, W) float32 of this frame.

    Returns:
        (H, W) float32 in 0..1.
    """
    return np.exp(-np.square((moved - lightness) / _ALIKE))


def is_cut(before: np.ndarray, moved: np.ndarray, after: np.ndarray) -> bool:
    """Whether two neighboring frames belong to two scenes.

    Args:
        before: (H, W) float32 lightness, 0..100, of the first frame.
        moved: (H, W) float32, `before` moved to the second frame.
        after: (H, W) float32 lightness of the second frame.

    Returns:
        True if there is a cut between them.
    """
    if np.abs(after - before).mean() < _SURELY_NO_CUT:
        return False
    contrast = (before.std() + after.std()) / 2
    return bool(np.abs(after - moved).mean() > max(_SURELY_NO_CUT, _CUT * contrast))
