"""What the tests of the documentation share: its pages and their blocks."""

from pathlib import Path

import pytest
from support import documents

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def pages():
    """{page: its Blocks}, the tutorial first after README."""
    tutorial = ROOT / "docs/tutorial.md"
    found = [
        ROOT / "README.md",
        tutorial,
        *sorted(path for path in (ROOT / "docs").rglob("*.md") if path != tutorial),
        *(ROOT / name / "README.md" for name in ("data", "notebooks", "benchmarks")),
        ROOT / "CONTRIBUTING.md",
        ROOT / "RESULTS.md",
    ]
    return {page: documents.blocks(page) for page in found}
