"""Color picture files: from one file to another."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from colorization.core import image_formats
from colorization.core.pictures import MAX_PIXELS, Picture, open_picture
from colorization.core.pictures.file_metadata import Metadata
from colorization.core.pictures.writing import write_picture


def colorize_file(
    colorize: Any,
    source: Path | bytes,
    target: Path | BinaryIO,
    *,
    format: str | None = None,
    name: str | None = None,
    max_pixels: int = MAX_PIXELS,
    tell: Callable[[int, int, str], None] | None = None,
    further: Callable[[Picture, np.ndarray], Iterable[tuple[Path, Picture]]] | None = None,
) -> list[str]:
    """Color a picture file, page by page, and keep its metadata.

    Args:
        colorize: function of pixels, (H, W) or (H, W, 3) uint8 or uint16, and `alpha`, (H, W) or None; it
            returns (H, W, 3) of the same dtype.
        source: path of a picture, or all of its bytes.
        target: path of the new picture, or a binary stream.
        format: JPEG, PNG, TIFF, WEBP or AVIF; None takes that of the target's suffix.
        name: of the source, in messages; None takes its path.
        max_pixels: greatest number of pixels of a page.
        tell: function of the number of finished steps, of all steps, and of the name of the next step.
        further: function of the first page and its result that returns (path, picture) of further
            pictures. They have the format of the result, unless their suffix is that of another format.

    Returns:
        Sentences for the user about damage, and about data that the target cannot hold.

    Raises:
        InputError: the source cannot be read, or the target cannot be written. Nothing half-written remains.
    """
    if format is None:
        format = image_formats.output_format(Path(str(target)).suffix)
    file = open_picture(source, name, max_pixels=max_pixels)

    tell = tell or (lambda done, total, step: None)
    steps = 3 * file.page_count

    def colored():
        tell(0, steps, "reading")
        for number, page in enumerate(file.pages()):
            tell(3 * number + 1, steps, "coloring")
            rgb = colorize(page.pixels, alpha=page.alpha)
            tell(3 * number + 2, steps, "writing")
            if further and number == 0:
                write_further(page, rgb)
            alpha = page.alpha
            del page  # large: the result is as large again
            yield Picture(rgb, alpha)

    def write_further(page, rgb):
        for path, picture in further(page, rgb):
            own_format = image_formats.output_format(path.suffix)
            write_picture(path, own_format, [picture], file.metadata if own_format == format else Metadata())

    told = write_picture(target, format, colored(), file.metadata)
    return [*file.warnings, *told]
