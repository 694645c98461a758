"""Picture files of every common format, with depth, color profile, transparency, pages and metadata.

`opening` chooses a reader by the content of a file, and `writing` a writer by the format of the result. The
other modules serve them.
"""

from colorization.core.pictures.file_metadata import Metadata
from colorization.core.pictures.opening import MAX_PIXELS, Picture, PictureFile, open_picture
from colorization.core.pictures.writing import write_picture

__all__ = ["MAX_PIXELS", "Metadata", "Picture", "PictureFile", "open_picture", "write_picture"]
