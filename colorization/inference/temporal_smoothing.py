"""Colors of films without flicker: predicted on keyframes, and carried to the frames between them."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from colorization.core import color_numpy
from colorization.inference import composition
from colorization.inference.film_frames import Picture
from colorization.inference.optical_flow import OpticalFlow

KEPT = 0.9
"""Share of a color that comes from the frame before where both show the same: a memory of ten frames."""

_FLOW_SIZE = 144  # pixels of the shorter side at which optical flow is computed
_TRUST = 1e-3  # in colors that were carried to a place that shows something else

Predict = Callable[[np.ndarray], np.ndarray]
"""Function of (N, H, W) float32 lightness, 0..100, that returns (N, h, w, 2) float32 ab of any size."""


class Colors(NamedTuple):
    """The colors of a picture.

    Attributes:
        picture: the Picture.
        ab: (h, w, 2) float32.
        state: for another KeyframeColors, which is to go on behind this picture.
    """

    picture: Picture
    ab: np.ndarray
    state: dict[str, np.ndarray]


class _Frame(NamedTuple):
    picture: Picture
    lightness: np.ndarray  # (h, w) float32


class KeyframeColors:
    """Colors for the pictures of a film.

    Every `interval`-th picture is a keyframe, and so is the first picture after a cut. The color of a
    keyframe is predicted. Where it shows the same as the keyframe before, both colors are mixed. The pictures
    between two keyframes take the colors of both. These follow what moves, and the nearer one counts more.
    No color goes over a cut.

    Args:
        predict: the colorizer.
        interval: pictures from one keyframe to the next; 1 predicts the color of each picture.
        smooth: False leaves each predicted color as it is.
        state: of the Colors behind which this one goes on. The next picture is then a keyframe.
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
        self._state = dict(state or {})
        self._flow = OpticalFlow()

    def of(self, pictures: Iterable[Picture]) -> Iterator[Colors]:
        """The colors of pictures, in order. At most `interval` pictures wait in memory."""
        group: list[_Frame] = []  # a keyframe, and the pictures behind it
        for number, picture in enumerate(pictures):
            frame = _Frame(picture, self._lightness(picture))
            before = group[-1].lightness if group else self._state.get("lightness")
            cut = (
                before is None
                or before.shape != frame.lightness.shape
                or self._flow.is_cut(before, frame.lightness)
            )
            if cut or number % self._interval == 0:
                key = dict(self._state) if group else {}
                color = self._key_color(frame, cut)
                yield from self._group_colors(group, key, None if cut else (frame.lightness, color))
                self._state |= {"key_lightness": frame.lightness, "key_ab": color}
                group = []
            group.append(frame)
        yield from self._group_colors(group, dict(self._state), None)

    def _lightness(self, picture):
        height, width = picture.rgb.shape[:2]
        return composition.shrink(picture.rgb, composition.working_shape(height, width, _FLOW_SIZE))

    def _key_color(self, frame, cut):
        """(h, w, 2) ab of a keyframe."""
        lightness = color_numpy.lightness(frame.picture.rgb)
        ab = composition.resize(self._predict(lightness[None])[0], frame.lightness.shape)
        if cut or not self._kept:
            return ab
        carried = self._flow.carry(self._state["key_ab"], self._state["key_lightness"], frame.lightness)
        weight = self._kept * carried.alike[..., None]
        return weight * carried.ab + (1 - weight) * ab

    def _group_colors(self, group, key, following):
        """Colors of a keyframe and of the pictures up to the next one.

        Args:
            group: the pictures as a list of _Frame.
            key: state with the keyframe's lightness and color.
            following: lightness and color of the next keyframe; None at a cut and at the end.
        """
        for number, frame in enumerate(group):
            state = {**key, "lightness": frame.lightness}
            yield Colors(frame.picture, self._between(frame, key, following, number / len(group)), state)

    def _between(self, frame, key, following, share):
        """(h, w, 2) ab of a picture that lies at a share, 0..1, of the way to the next keyframe."""
        if not share:
            return key["key_ab"]
        before = self._flow.carry(key["key_ab"], key["key_lightness"], frame.lightness)
        if following is None:
            return before.ab
        after = self._flow.carry(following[1], following[0], frame.lightness)
        weights = (1 - share) * (before.alike + _TRUST), share * (after.alike + _TRUST)
        mixed = weights[0][..., None] * before.ab + weights[1][..., None] * after.ab
        return mixed / (weights[0] + weights[1])[..., None]
