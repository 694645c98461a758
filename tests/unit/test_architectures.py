"""Figures 3 to 6: the words and shapes in them, against the paper's own table."""

import cv2
import numpy as np
import pytest
from support.figure4 import FIGURE_4, SIDES

from colorization import models
from colorization.cli import main as colorize
from colorization.evaluation import architectures
from colorization.models import vgg16
from vgg_eval import model as judge_model


def printed(words):
    """Words of Figure 4 in our spelling: a stride of 1 is not told."""
    return words.lower().replace("-s1", "").replace("bn", "BN").split()


@pytest.mark.parametrize(
    ("build", "outputs", "ending"),
    [(models.regression, 2, "sigmoid"), (models.classification, 313, "softmax")],
)
def test_the_blocks_are_those_of_figure_4(build, outputs, ending):
    """Oracle: Figure 4 as it is printed; the sides of the blocks' outputs at 32 pixels."""
    start, *found = architectures.blocks(build(), 32)
    assert start.shape == (32, 32, 1)
    assert [block.name for block in found] == [f"block {i}" for i in range(1, 10)]
    assert [block.words for block in found] == [*map(printed, FIGURE_4), [f"conv1-{outputs}", ending]]
    assert [block.shape[:2] for block in found] == [(side, side) for side in [*SIDES, 32]]
    kinds = [block.kind for block in found]
    assert kinds[4:6] == ["dilated convolutions"] * 2
    assert kinds[6:] == ["convolutions", "transposed convolutions", "output"]


def test_the_blocks_of_vgg16():
    """Oracle: Figure 6: channels and convolutions, half of the side after each block, the fully connected layers."""
    start, *found = architectures.blocks(judge_model.vgg16(image_size=64, head_width=20), 64)
    assert start.shape == (64, 64, 3)
    expected = [[f"conv3-{channels}"] * count + ["maxpool2"] for channels, count in vgg16.BLOCKS]
    assert [block.words for block in found] == [*expected, ["FC-20", "FC-20", "FC-10", "softmax"]]
    assert [block.shape for block in found[:5]] == [
        (64 >> b, 64 >> b, channels) for b, (channels, _) in enumerate(vgg16.BLOCKS, 1)
    ]
    assert found[5].shape == (10,)


def test_a_diagram_tells_each_block():
    """Oracle: the texts in the picture: shapes, runs of equal layers, and the number of weights."""
    network = models.classification(width=0.25)
    (axes,) = architectures.diagram(network, 32, "A network", "ab").axes
    texts = [text.get_text() for text in axes.texts]
    for expected in ("block 9", "32×32×313", "4×4×128", "conv3-64 ×2\nconv3-s2-64\nBN", "ab"):
        assert expected in texts
    assert axes.get_title() == f"A network: {network.count_params() / 1e6:.1f} million weights"
    assert len(axes.patches) >= 3 * 10


@pytest.mark.parametrize("number", [3, 4, 5, 6])
def test_a_command_draws_each_figure(number, tmp_path, capsys):
    """Oracle: the file, which is a picture with more than one color; the variant is in its own words."""
    words = [f"figure{number}", "--variant", "smoke", "-o", str(tmp_path)]
    assert colorize.main(words) == 0
    path = tmp_path / f"figure{number}.png"
    assert capsys.readouterr().out.strip() == str(path)
    picture = cv2.imread(str(path))
    assert picture.shape[1] > 600
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20
