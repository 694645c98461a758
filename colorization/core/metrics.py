"""How near a colorization is to the truth, and how colorful it is."""

import numpy as np
from keras import ops

AUC_LIMIT = 150  # ab units: the largest threshold (Zhang et al., section 3.1)


def ab_rmse(squared_errors):
    """Root of the mean squared distance in the ab plane, in ab units, of an array of squared distances."""
    return float(np.sqrt(np.mean(squared_errors, dtype="float64")))


def auc(squared_errors, pixel_weights=None):
    """Area under the curve of the share of pixels whose ab error is at most t, for t in 0..150, in percent.

    Integrated exactly: a pixel of error e is counted over the share 1 - e / 150 of the thresholds. Zhang et
    al., section 3.1; with pixel_weights the rebalanced AuC, whose weights are inverse bin probabilities.

    Args:
        squared_errors: array of squared ab distances.
        pixel_weights: None or an array of the same shape.
    """
    share = 1 - np.minimum(np.sqrt(squared_errors, dtype="float64"), AUC_LIMIT) / AUC_LIMIT
    return float(100 * np.average(share, weights=pixel_weights))


def squared_rgb_errors(truth, prediction):
    """(N,) float64: each image's mean squared error over pixels and channels, of uint8 RGB."""
    return np.square(truth.astype("float64") - prediction).mean(axis=(1, 2, 3))


def psnr(squared_rgb_errors):
    """Peak signal-to-noise ratio in dB of a set of images; None where they are met exactly.

    From the set's mean squared error: the mean of the images' ratios would be infinite as soon as one image
    is truly gray.
    """
    error = np.mean(squared_rgb_errors)
    return float(10 * np.log10(255**2 / error)) if error else None


def ssim(truth, prediction):
    """(N,) float32: structural similarity (Wang et al. 2004) of (N, H, W, 3) uint8 images from 11x11 on."""
    truth, prediction = (ops.cast(images, "float32") for images in (truth, prediction))
    return ops.convert_to_numpy(ops.image.ssim(truth, prediction, max_val=255))


def colorfulness(rgb):
    """Hasler and Suesstrunk's colorfulness of each image.

    Args:
        rgb: (N, H, W, 3) uint8.

    Returns:
        (N,) float64; 0 is gray, above 100 very colorful.
    """
    red, green, blue = np.moveaxis(rgb.astype("float64"), -1, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue])  # signed: their means matter
    spread = np.sqrt((opponents.std(axis=(2, 3)) ** 2).sum(axis=0))
    return spread + 0.3 * np.sqrt((opponents.mean(axis=(2, 3)) ** 2).sum(axis=0))


class Accumulator:
    """The errors of one method, gathered batch by batch; the pictures themselves are not kept.

    Args:
        structural: whether PSNR and SSIM, which take most of the time, are measured too.
    """

    def __init__(self, structural=True):
        self.structural = structural
        self.squared, self.weights, self.color, self.rgb_errors, self.ssim = [], [], [], [], []

    def add(self, ab, predicted_ab, pixel_weights, truth_rgb, rgb):
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
            self.ssim.append(ssim(truth_rgb, rgb))

    def result(self):
        """{metric: value}: ab_rmse, auc, rebalanced_auc, colorfulness, and psnr and ssim if structural."""
        squared, weights = map(np.concatenate, (self.squared, self.weights))
        found = {
            "ab_rmse": ab_rmse(squared),
            "auc": auc(squared),
            "rebalanced_auc": auc(squared, weights),
            "colorfulness": float(np.mean(np.concatenate(self.color))),
        }
        if self.structural:
            found["psnr"] = psnr(np.concatenate(self.rgb_errors))
            found["ssim"] = float(np.mean(np.concatenate(self.ssim)))
        return found
