"""The two losses of the paper, one value per image.

The penalty lambda * sum of squared weights is part of the models (kernel regularizers). Keras adds it to the
loss.
"""

from collections.abc import Callable

from keras import ops

from colorization.core import bins, color
from colorization.core.typing import Tensor


def squared_error(ab: Tensor, prediction: Tensor) -> Tensor:
    """Half the squared distance between scaled ab values, summed over the image (paper, section 4.1.1).

    Args:
        ab: (B, H, W, 2) float, true ab.
        prediction: (B, H, W, 2) float in 0..1, output of the regression.

    Returns:
        (B,) float32.

    Example:
        >>> import numpy as np
        >>> ab = np.zeros((1, 2, 2, 2))
        >>> value = squared_error(ab, np.full((1, 2, 2, 2), 128 / 255))
        >>> np.asarray(value).round(6).tolist()
        [0.0]
    """
    difference = color.scale_ab(ops.cast(ab, "float32")) - ops.cast(prediction, "float32")
    return 0.5 * ops.sum(ops.square(difference), axis=(1, 2, 3))


def soft_cross_entropy(
    ab: Tensor, logits: Tensor, neighbors: int = 5, sigma: float = 5.0, bin_weights: Tensor | None = None
) -> Tensor:
    """Cross-entropy against the soft-encoded color, summed over the image (paper, section 4.1.2).

    Args:
        ab: (B, H, W, 2) float, true ab.
        logits: (B, H, W, 313) float.
        neighbors, sigma: see bins.soft_encode; neighbors=1 gives hard bins.
        bin_weights: None or (313,) float. Each pixel has the weight of its nearest bin (class rebalancing,
            Zhang et al., Eq. 3).

    Returns:
        (B,) float32, in nats.

    Example:
        >>> import numpy as np
        >>> value = soft_cross_entropy(np.zeros((1, 1, 1, 2)), np.zeros((1, 1, 1, 313)))
        >>> round(float(value[0]), 3), round(float(np.log(313)), 3)
        (5.746, 5.746)
    """
    indices, weights = bins.soft_encode(ab, neighbors, sigma)
    values = sparse_cross_entropy(indices, weights, logits)
    if bin_weights is not None:
        values = values * ops.take(ops.convert_to_tensor(bin_weights), indices[..., 0])
    return ops.sum(values, axis=(1, 2))


def mean_over_pixels(loss: Callable) -> Callable:
    """A loss of this module, divided by the number of pixels: the reduction of the code of the paper.

    Args:
        loss: function of ab, (B, H, W, 2), and of a model's output that returns (B,).

    Returns:
        The function of the same arguments that returns (B,) float32.
    """

    def mean(ab: Tensor, output: Tensor) -> Tensor:
        height, width = ops.shape(ab)[1:3]
        return loss(ab, output) / ops.cast(height * width, "float32")

    return mean


def pixel_accuracy(ab: Tensor, logits: Tensor) -> Tensor:
    """Whether the most probable bin of each pixel is the nearest to its true color.

    Args:
        ab: (B, H, W, 2) float, true ab.
        logits: (B, H, W, 313) float.

    Returns:
        (B, H, W) float32: 1 or 0.
    """
    chosen = ops.argmax(logits, axis=-1)
    return ops.cast(ops.equal(chosen, ops.cast(bins.nearest(ab), chosen.dtype)), "float32")


def sparse_cross_entropy(indices: Tensor, weights: Tensor, logits: Tensor) -> Tensor:
    """Cross-entropy from logits with targets that are nonzero at few bins; no dense target is built.

    Args:
        indices: (..., K) int32, distinct bins.
        weights: (..., K) float32, summing to 1.
        logits: (..., 313) float.

    Returns:
        (...) float32, in nats.
    """
    kept, count = indices.shape[-1], logits.shape[-1]
    rows = ops.reshape(ops.cast(logits, "float32"), (-1, count))
    values = _cross_entropy_of_rows(ops.reshape(indices, (-1, kept)), ops.reshape(weights, (-1, kept)), rows)
    return ops.reshape(values, ops.shape(logits)[:-1])


def _cross_entropy_of_rows(indices, weights, logits):
    """The same for (N, K), (N, K), (N, Q) -> (N,), with the explicit gradient softmax(logits) - target.

    Automatic differentiation fills a second (N, Q) array for the gather and adds both. That is three times
    slower.
    """

    @ops.custom_gradient
    def cross_entropy(logits):
        highest = ops.max(logits, axis=-1, keepdims=True)
        exponential = ops.exp(logits - highest)
        total = ops.sum(exponential, axis=-1, keepdims=True)
        chosen = ops.take_along_axis(logits, indices, axis=-1)

        def gradient(*args, upstream=None):  # only torch passes it by name
            upstream = args[0] if upstream is None else upstream
            upstream = upstream[:, None]
            scaled = exponential * (upstream / total)
            at_targets = ops.take_along_axis(scaled, indices, axis=-1) - upstream * weights
            row = ops.broadcast_to(
                ops.arange(ops.shape(indices)[0], dtype="int32")[:, None], ops.shape(indices)
            )
            where = ops.reshape(ops.stack([row, indices], axis=-1), (-1, 2))
            return ops.scatter_update(scaled, where, ops.reshape(at_targets, (-1,)))

        log_total = ops.squeeze(highest + ops.log(total), axis=-1)
        return log_total - ops.sum(weights * chosen, axis=-1), gradient

    return cross_entropy(logits)
