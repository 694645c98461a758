"""Colors of films without flicker: predicted on keyframes, and carried to the frames between them."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from colorization.core import color_numpy
from colorization.inference import composition
from colorization.inference.films.film_frames import Picture
from colorization.inference.films.optical_flow import OpticalFlow, alike, is_cut

KEPT = 0.9
"""Share of the preceding frame in a color, where both frames show the same: a memory of ten frames."""

_FLOW_SIZE = 144  # pixels of the shorter side at which optical flow is computed
_TRUST = 1e-3  # least weight, for colors that were carried to a different object

Predict = Callable[[np.ndarray], np.ndarray]
"""Function of (N, H, W) float32 lightness, 0..100, that returns (N, h, w, 2) float32 ab of any size."""


class Colors(NamedTuple):
    """The colors of a picture.

    Attributes:
        picture: the Picture.
        ab: (h, w, 2) float32.
        state: for another KeyframeColors, which continues after this picture.
    """

    picture: Picture
    ab: np.ndarray
    state: dict[str, np.ndarray]


class _Frame(NamedTuple):
    picture: Picture
    lightness: np.ndarray  # (h, w) float32
    carried: np.ndarray  # (h, w, 3) float32: ab and lightness of the last keyframe, moved to this frame

    @property
    def state(self):
        return {"lightness": self.lightness, "carried": self.carried}


class KeyframeColors:
    """Colors for the pictures of a film.

    Every `interval`-th picture is a keyframe, and so are the first and the last picture of a scene. The color
    of a keyframe is predicted. Where it shows the same as the keyframe before, both colors are mixed. The
    pictures between two keyframes take the colors of both. These follow what moves from picture to picture,
    and the nearer keyframe counts more. No color crosses a cut.

    Args:
        predict: the colorizer.
        interval: pictures from one keyframe to the next; 1 predicts the color of each picture.
        smooth: False leaves each predicted color as it is.
        state: of the last Colors of an earlier KeyframeColors, to continue after it. The next picture is then
            a keyframe.
    """

    def __init__(
        self,
        predict: Predict,
        *,
        interval: int,
        smooth: bool = True,
        state: dict[str, np.ndarray] | None = None,
    ):
        self._predict, self._interval = predict, interval
        self._kept = KEPT**interval if smooth else 0.0
        self._state = state or {}
        self._flow = OpticalFlow()

    def of(self, pictures: Iterable[Picture]) -> Iterator[Colors]:
        """The colors of pictures, in order. At most `interval` pictures wait in memory.

        Args:
            pictures: the pictures of a film, in order of time.

        Yields:
            Colors.
        """
        group: list[_Frame] = []  # a keyframe, and the pictures after it
        for number, picture in enumerate(pictures):
            height, width = picture.rgb.shape[:2]
            lightness = composition.shrink(picture.rgb, composition.working_shape(height, width, _FLOW_SIZE))
            carried = self._carried(lightness)
            if carried is None or number % self._interval == 0:
                key = np.dstack([self._key_color(picture, lightness, carried), lightness])
                yield from self._group_colors(group, None if carried is None else key)
                group, carried = [], key
            group.append(_Frame(picture, lightness, carried))
            self._state = group[-1].state
        yield from self._group_colors(group, None)

    def _carried(self, lightness):
        """Color and lightness of the last keyframe, moved to a new frame; None after a cut."""
        before = self._state.get("lightness")
        if before is None or before.shape != lightness.shape:
            return None
        moved = self._flow.move(np.dstack([self._state["carried"], before]), before, lightness)
        return None if is_cut(before, moved[..., 3], lightness) else moved[..., :3]

    def _key_color(self, picture, lightness, carried):
        """(h, w, 2) ab of a keyframe."""
        predicted = self._predict(color_numpy.lightness(picture.rgb)[None])[0]
        ab = composition.resize(predicted, lightness.shape)
        if carried is None or not self._kept:
            return ab
        weight = self._kept * alike(carried[..., 2], lightness)[..., None]
        return weight * carried[..., :2] + (1 - weight) * ab

    def _group_colors(self, group, following):
        """Colors of a keyframe and of the pictures up to the next one.

        Args:
            group: the pictures as a list of _Frame.
            following: (h, w, 3) color and lightness of the next keyframe; None at the end of a scene.
        """
        distance = len(group)
        if following is None and distance > 1:  # the last picture is a keyframe itself
            last, distance = group[-1], distance - 1
            following = np.dstack([self._key_color(*last), last.lightness])
        from_behind = self._moved_back(group[:distance], following)
        for number, frame in enumerate(group):
            ab = frame.carried[..., :2]
            if number == distance:
                ab = following[..., :2]
            elif number:
                ab = _mixed(frame, from_behind[number], number / distance)
            yield Colors(frame.picture, ab, frame.state)

    def _moved_back(self, group, following):
        """{number in the group: color and lightness of the next keyframe, moved to this frame}."""
        moved, source, found = following, None if following is None else following[..., 2], {}
        for number in range(len(group) - 1, 0, -1):
            moved = self._flow.move(moved, source, group[number].lightness)
            source, found[number] = group[number].lightness, moved
        return found


def _mixed(frame, behind, share):
    """(h, w, 2) ab of a frame that lies at a share, 0..1, of the way from one keyframe to the next."""
    weights = (
        (1 - share) * (alike(frame.carried[..., 2], frame.lightness) + _TRUST),
        share * (alike(behind[..., 2], frame.lightness) + _TRUST),
    )
    mixed = weights[0][..., None] * frame.carried[..., :2] + weights[1][..., None] * behind[..., :2]
    return mixed / (weights[0] + weights[1])[..., None]
