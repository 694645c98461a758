"""Types in annotations."""

import os
from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A tensor of Keras's backend, or a NumPy array where one is accepted."""

StrPath: TypeAlias = str | os.PathLike[str]
"""A path as text or Path."""
