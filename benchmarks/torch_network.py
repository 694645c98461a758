"""A training step of the project's network in PyTorch, channels last, for comparison. It needs torch alone.

The layers come from the Keras model. Both networks are the same, except that PyTorch pads both sides alike.
"""

import torch
from keras import layers
from torch import nn

from colorization.core.bin_centers import COUNT


def training_step(model, batch_size, side, bfloat16):
    """A function that trains once on a random batch, forward, backward and Adam, and waits for the device.

    Args:
        model: a Keras model that is a chain of the layers of models.nine_blocks.
        batch_size, side: of the input, (batch_size, side, side, 1).
        bfloat16: whether to use autocast.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = nn.Sequential(*[part for layer in model.layers for part in translated(layer)]).to(
        device, memory_format=torch.channels_last
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    x = torch.rand(batch_size, 1, side, side, device=device).to(memory_format=torch.channels_last)
    outputs = model.output_shape[-1]
    classes = torch.randint(0, COUNT, (batch_size, side, side), device=device)
    ab = torch.rand(batch_size, outputs, side, side, device=device)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            output = network(x).float()
        if outputs == COUNT:
            loss = nn.functional.cross_entropy(output, classes)
        else:
            loss = nn.functional.mse_loss(output, ab)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def translated(layer):
    """The modules of PyTorch for a layer of Keras."""
    if isinstance(layer, layers.Conv2DTranspose):  # kernel 4, stride 2
        channels = layer.kernel.shape[-1], layer.filters
        return [nn.ConvTranspose2d(*channels, layer.kernel_size, layer.strides, padding=1), nn.ReLU()]
    if isinstance(layer, layers.Conv2D):
        kernel, dilation = layer.kernel_size[0], layer.dilation_rate[0]
        channels = layer.kernel.shape[-2], layer.filters
        padding = dilation * (kernel // 2)
        return [nn.Conv2d(*channels, kernel, layer.strides[0], padding, dilation), nn.ReLU()]
    if isinstance(layer, layers.Dense):
        return [nn.Conv2d(*layer.kernel.shape, 1)]
    if isinstance(layer, layers.BatchNormalization):
        return [nn.BatchNorm2d(layer.gamma.shape[0], eps=layer.epsilon, momentum=1 - layer.momentum)]
    if isinstance(layer, layers.Activation) and layer.activation.__name__ == "sigmoid":
        return [nn.Sigmoid()]
    return []
