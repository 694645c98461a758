"""Rows of small images as one figure."""

import cv2
import numpy as np

from colorization.core import image_grid


def test_tiles_are_where_they_belong():
    rows = [np.full((3, 2, 2, 3), 10 * row, np.uint8) for row in range(2)]
    rows[1][2] = 99
    picture = image_grid.tile(rows, scale=2, gap=1)
    assert picture.shape == (2 * 5, 3 * 5, 3)
    assert (picture[5:9, 10:14] == 99).all()
    assert (picture[:4, :4] == 0).all()
    assert (picture[4] == 255).all()
    assert (picture[:, 14] == 255).all()


def test_rows_have_their_labels_beside_them(tmp_path):
    """Oracle: the picture of tile, drawn once; a label at the middle of each row; the file is as drawn."""
    rows = [np.full((n, 8, 8, 3), 40 * n, np.uint8) for n in (3, 2)]
    figure = image_grid.labeled(rows, ["three", "two"])
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.images[0].get_array(), image_grid.tile(rows))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["three", "two"]
    height = image_grid.tile(rows).shape[0]
    np.testing.assert_allclose(axes.get_yticks(), [height / 4, 3 * height / 4])
    path = tmp_path / "deep" / "grid.png"
    assert image_grid.save_figure(figure, path) == path
    drawn = cv2.imread(str(path)).reshape(-1, 3)
    for value in (120, 80):  # the pictures' own colors are in it
        assert (drawn == value).all(axis=1).mean() > 0.05
