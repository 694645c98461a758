"""The walkthroughs: each runs from top to bottom on a fresh kernel, and is stored as it came out."""

import ast
import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LONGEST = 8  # lines of a definition
LARGEST = 400_000  # bytes of a file
# Trainings as a test runs them: what they show then is not looked at. `make notebooks-store` runs them whole
SMALLER = {r"train_size=(?:1000|800)\b": "train_size=160", r"epochs=[468]\b": "epochs=2"}


def names(path):
    return path.name


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def execute():
    """notebooks/execute.py's function; it is a script, not part of the package."""
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.execute


def test_there_are_six():
    assert [path.name[0] for path in NOTEBOOKS] == list("123456")


@pytest.mark.filterwarnings("ignore")  # of Jupyter's own packages
@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_it_runs_in_any_folder(path, execute, tmp_path):
    """Oracle: no cell fails, though the kernel's folder is a temporary one; as many outputs as are stored."""
    stored = nbformat.read(path, as_version=4)
    smaller = path.read_text(encoding="utf-8")
    for pattern, replacement in SMALLER.items():
        smaller = re.sub(pattern, replacement, smaller)
    (tmp_path / path.name).write_text(smaller, encoding="utf-8")
    found = execute(tmp_path / path.name)
    for new, old in zip(code_cells(found), code_cells(stored), strict=True):
        assert {kind(output) for output in new.outputs} == {kind(output) for output in old.outputs}


def kind(output):
    """stream, image or text."""
    if output.output_type == "stream":
        return output.name
    return "image" if any(key.startswith("image/") for key in output.data) else "text"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=names)
def test_what_is_stored(path):
    """Oracle: the rules above; every code cell was run, in order, and none wrote to standard error."""
    text = path.read_text(encoding="utf-8")
    assert len(text) < LARGEST
    assert not any(word in text for word in ("/home/", "/root/", "/tmp/"))
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert {kind(output) for output in outputs} == {"stdout", "image", "text"} - (
        set() if any(kind(output) == "text" for output in outputs) else {"text"}
    )
    for cell in cells:
        tree = ast.parse("\n".join(line for line in cell.source.splitlines() if line[:1] not in ("%", "!")))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                assert node.end_lineno - node.lineno < LONGEST, node.name
