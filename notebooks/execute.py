"""Run the notebooks, each on a new kernel, and store their outputs.

    python notebooks/execute.py [NOTEBOOK ...]

Outputs that differ between runs are not stored: times, versions, progress bars. Pictures are compressed.
"""

import base64
import io
import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

from colorization.core.atomic_io import write_text

HERE = Path(__file__).resolve().parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_CHART = 4096  # colors that a chart may have; a picture has more


def notebooks():
    """Paths of all notebooks, in their order."""
    return sorted(HERE.glob("*.ipynb"))


def execute(path):
    """The notebook in a file, run from its first cell to its last.

    Args:
        path: Path of the .ipynb file, which stays as it is.

    Returns:
        The executed nbformat.NotebookNode.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:  # the kernel's current folder: no notebook depends on it
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
        )
        client.execute(env={**os.environ, "TQDM_DISABLE": "1"})
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            _compact(output.get("data", {}))
    return notebook


def _compact(data):
    """Make a PNG in an output's data smaller: of 256 colors if it is a chart, else a JPEG."""
    if "image/png" not in data:
        return
    picture = Image.open(io.BytesIO(base64.b64decode(data.pop("image/png")))).convert("RGB")
    stored = io.BytesIO()
    if picture.getcolors(_CHART):
        kind = "image/png"
        picture.quantize(256, dither=Image.Dither.NONE).save(stored, "PNG", optimize=True)
    else:
        kind = "image/jpeg"
        picture.save(stored, "JPEG", quality=80, optimize=True)
    data[kind] = base64.b64encode(stored.getvalue()).decode()


def main():
    """Execute in place the notebooks named on the command line, or all."""
    for path in [Path(name) for name in sys.argv[1:]] or notebooks():
        begun = time.monotonic()
        write_text(path, nbformat.writes(execute(path), indent=1) + "\n")
        print(f"{path.name}: {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
