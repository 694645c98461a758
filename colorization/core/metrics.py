"""Distance of a colorization from the truth, and colorfulness."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from keras import ops

from colorization.core import color_difference, color_numpy
from colorization.core.typing import Tensor

AUC_LIMIT = 150  # ab units: the largest threshold (Zhang et al., section 3.1)


def ab_rmse(squared_errors: np.ndarray) -> float:
    """Root of the mean squared distance in the ab plane.

    Args:
        squared_errors: array of squared ab distances.

    Returns:
        The root mean squared error, in ab units.
    """
    return float(np.sqrt(np.mean(squared_errors, dtype="float64")))


def auc(squared_errors: np.ndarray, pixel_weights: np.ndarray | None = None) -> float:
    """Area under the curve of the share of pixels with an ab error of at most t, for t in 0..150.

    The integral is exact: a pixel with error e counts for the share 1 - e / 150 of the thresholds (Zhang et
    al., section 3.1). With inverse bin probabilities as weights it is the rebalanced AuC.

    Args:
        squared_errors: array of squared ab distances.
        pixel_weights: None or an array of the same shape.

    Returns:
        The area in percent, 0..100.

    Example:
        >>> import numpy as np
        >>> auc(np.array([0.0, 75.0**2]))  # the second pixel counts for half of the thresholds
        75.0
    """
    share = 1 - np.minimum(np.sqrt(squared_errors, dtype="float64"), AUC_LIMIT) / AUC_LIMIT
    return float(100 * np.average(share, weights=pixel_weights))


def squared_rgb_errors(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Mean squared error of each image over pixels and channels.

    Args:
        truth, prediction: (N, H, W, 3) uint8 RGB.

    Returns:
        (N,) float64.
    """
    return np.square(truth.astype("float64") - prediction).mean(axis=(1, 2, 3))


def psnr(squared_rgb_errors: np.ndarray) -> float | None:
    """Peak signal-to-noise ratio of a set of images.

    It is computed from the mean squared error of the set. The mean of the ratios would be infinite as soon as
    one image is gray.

    Args:
        squared_rgb_errors: (N,) result of `squared_rgb_errors`.

    Returns:
        The ratio in dB; None for a perfect prediction.
    """
    error = np.mean(squared_rgb_errors)
    return float(10 * np.log10(255**2 / error)) if error else None


def ssim(truth: Tensor, prediction: Tensor) -> np.ndarray:
    """Structural similarity of each image (Wang et al. 2004).

    Args:
        truth, prediction: (N, H, W, 3) uint8 RGB of at least 11 x 11 pixels.

    Returns:
        (N,) float32, at most 1.
    """
    truth, prediction = (ops.cast(images, "float32") for images in (truth, prediction))
    return ops.convert_to_numpy(ops.image.ssim(truth, prediction, max_val=255, data_format="channels_last"))


def ciede2000(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """CIEDE2000 of each image, the mean over its pixels.

    Args:
        truth, prediction: (N, H, W, 3) uint8 RGB.

    Returns:
        (N,) float32.
    """
    lab, predicted = color_numpy.rgb_to_lab(truth), color_numpy.rgb_to_lab(prediction)
    return color_difference.ciede2000(lab, predicted).mean(axis=(1, 2))


def colorfulness(rgb: np.ndarray) -> np.ndarray:
    """Colorfulness of each image (Hasler and Suesstrunk 2003).

    Args:
        rgb: (N, H, W, 3) uint8.

    Returns:
        (N,) float64; 0 is gray, values above 100 are very colorful.

    Example:
        >>> import numpy as np
        >>> colorfulness(np.full((1, 4, 4, 3), 128, "uint8")).tolist()
        [0.0]
    """
    red, green, blue = np.moveaxis(rgb.astype("float64"), -1, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue])  # signed: the means count
    spread = np.sqrt((opponents.std(axis=(2, 3)) ** 2).sum(axis=0))
    return spread + 0.3 * np.sqrt((opponents.mean(axis=(2, 3)) ** 2).sum(axis=0))


class Accumulator:
    """The errors of one method, gathered batch by batch; the pictures themselves are not kept.

    Args:
        structural: whether PSNR, SSIM and CIEDE2000, which take most of the time, are measured too.
        measures: more measures, {name: function of true and predicted (B, H, W, 3) uint8 RGB -> (B,)}.
    """

    def __init__(self, structural: bool = True, measures: Mapping[str, Callable] = {}):
        self.structural = structural
        self.measures = {**({"ssim": ssim, "ciede2000": ciede2000} if structural else {}), **measures}
        self.squared: list[np.ndarray] = []
        self.weights: list[np.ndarray] = []
        self.color: list[np.ndarray] = []
        self.rgb_errors: list[np.ndarray] = []
        self.measured: dict[str, list[np.ndarray]] = {name: [] for name in self.measures}

    def add(
        self,
        ab: np.ndarray,
        predicted_ab: np.ndarray,
        pixel_weights: np.ndarray,
        truth_rgb: np.ndarray,
        rgb: np.ndarray,
    ) -> None:
        """Add a batch.

        Args:
            ab, predicted_ab: (B, H, W, 2) float, truth and prediction.
            pixel_weights: (B, H, W) of the rebalanced AuC.
            truth_rgb, rgb: (B, H, W, 3) uint8, truth and prediction.
        """
        self.squared.append(np.sum(np.square(ab - predicted_ab), axis=-1))
        self.weights.append(pixel_weights)
        self.color.append(colorfulness(rgb))
        if self.structural:
            self.rgb_errors.append(squared_rgb_errors(truth_rgb, rgb))
        for name, function in self.measures.items():
            self.measured[name].append(function(truth_rgb, rgb))

    def result(self) -> dict[str, Any]:
        """{metric: value}: ab_rmse, auc, rebalanced_auc, colorfulness, the means of all measures; psnr if
        structural."""
        squared, weights = map(np.concatenate, (self.squared, self.weights))
        found: dict[str, Any] = {
            "ab_rmse": ab_rmse(squared),
            "auc": auc(squared),
            "rebalanced_auc": auc(squared, weights),
            "colorfulness": float(np.mean(np.concatenate(self.color))),
        }
        if self.structural:
            found["psnr"] = psnr(np.concatenate(self.rgb_errors))
        for name, values in self.measured.items():
            found[name] = float(np.mean(np.concatenate(values)))
        return found
