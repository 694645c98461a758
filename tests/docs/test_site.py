"""The built site, build/docs: `make docs` builds it before, and fails on a warning."""

import dataclasses
import re
from pathlib import Path

import pytest

from colorization.core.config import CONFIGS
from vgg_eval.config import JudgeConfig

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "build/docs"
# Modules whose names stand on the pages of others, or that are no part of the reference
UNTOLD = re.compile(r"\.(cli|presets|datasets)\.|(\.typing|\.errors|__main__)$")


@pytest.fixture(scope="module")
def site():
    """{page's path: HTML}."""
    found = {path.relative_to(SITE).as_posix(): path.read_text() for path in SITE.rglob("*.html")}
    assert found, "the site is not built: call `make docs`"
    return found


def modules():
    """Names of all modules that have something to tell: packages apart."""
    for package in ("colorization", "vgg_eval"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            if path.name != "__init__.py" and not UNTOLD.search(name):
                yield name


def test_every_page_and_notebook_is_in_it(site):
    """Oracle: the files."""
    for page in (ROOT / "docs").rglob("*.md"):
        assert page.relative_to(ROOT / "docs").with_suffix(".html").as_posix() in site
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert "<img" in site[f"notebooks/{notebook.stem}.html"]


@pytest.mark.parametrize("name", list(modules()))
def test_every_module_is_told_of(site, name):
    """Oracle: the modules that there are."""
    assert any(f'id="module-{name}"' in page for page in site.values()), (
        "it is on no page of docs/reference/python"
    )


def test_settings_commands_and_docstrings_are_in_it(site):
    """Oracle: the fields of the settings; words of docstrings and of --help."""
    for config in {*CONFIGS.values(), JudgeConfig}:
        for field in dataclasses.fields(config):
            assert f">{field.name}<" in site["reference/settings.html"]
    assert "for one file, a name such as colored.jpg" in site["reference/commands.html"]
    assert "python experiments/figure7.py" in site["reference/commands.html"]
    assert site["method.html"].count("<math") > 20
    assert "Unreleased" in site["changelog.html"]


def test_the_site_fetches_nothing(site):
    """Oracle: no page names a script, a style sheet or a picture of another site."""
    for name, page in site.items():
        assert not re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(?:https?:)?//[^>]*>', page), name
