"""How Sphinx makes a site of this folder; `make docs` puts it into build/docs."""

import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), str(ROOT)]

import imports  # noqa: E402
import ziamath  # noqa: E402

from colorization import __version__  # noqa: E402
from colorization.core.quiet_start import start_keras  # noqa: E402

start_keras()  # as autodoc's imports would, but quietly

from vgg_eval import architectures  # noqa: E402
from vgg_eval.plugin import ARCHITECTURES  # noqa: E402

project = "colorization"
author = "the colorization authors"
copyright = author
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "generated",
]
default_role = "code"  # as the docstrings use it
highlight_language = "text"

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # tests run the notebooks; their stored outputs are shown
nb_ipywidgets_js = {}  # nothing is fetched from elsewhere
html_math_renderer = "mathml"

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

nitpicky = True  # a link that leads nowhere is a warning
nitpick_ignore_regex = [
    (
        "py:(class|exc)",
        r"(argparse|collections|filelock|fractions|keras|matplotlib|numpy|os|pathlib|PIL|types|warnings)\..*",
    ),
    ("py:class", r"(tuple|dict)\[.*|.*\.film_pipeline\.Item"),  # parts of types, and a type variable
]

html_theme = "furo"
html_title = f"colorization {version}"
html_static_path = ["_static", str(Path(ziamath.__file__).parent / "fonts/STIXTwoMath-Regular.ttf")]
html_css_files = ["site.css"]
html_copy_source = False


def _copy_notebooks(app, config):
    """notebooks/, with the pictures beside it, into the source folder, where Sphinx wants all documents."""
    target = HERE / "notebooks"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        shutil.copy(path, target)


def _draw_imports(app, config):
    """The picture of architecture.md."""
    imports.draw(imports.count_imports()).savefig(HERE / "imports.png", dpi=80)


def _draw_architectures(app, config):
    """The pictures of method.md and judge.md: Figures 3 to 6 of the paper."""
    for number in ARCHITECTURES:
        architectures.write(number, "paper", HERE / "figures" / f"figure{number}.png")


# What pages include or show, of outside of this folder -> the page
PAGES = {
    "README.md": "index.md",
    "RESULTS.md": "results.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "benchmarks/README.md": "benchmarks.md",
    "data/README.md": "reference/data.md",
    "notebooks": "walkthroughs.md",
    **{f"notebooks/{path.name}": f"notebooks/{path.name}" for path in ROOT.glob("notebooks/*.ipynb")},
}


def _turn_links(app, included, page, content):
    """Links of an included file lead on from the page: to another one, or to a copy of a file to download."""
    start = Path(app.confdir, included).parent

    def turned(link):
        text, path, anchor = link.groups(default="")
        target = (start / path).resolve()
        shown = PAGES.get(target.relative_to(ROOT).as_posix())
        target = HERE / shown if shown else target
        if not target.is_relative_to(HERE):
            return f"{{download}}`{text} </../{target.relative_to(ROOT).as_posix()}>`"
        return f"[{text}](/{target.relative_to(HERE).as_posix()}{anchor})"

    content[0] = re.sub(r"(?<!!)\[([^\]]+)\]\(((?!\w+:)[^)#]+)(#[^)]*)?\)", turned, content[0])


def setup(app):
    """Called by Sphinx."""
    app.connect("config-inited", _copy_notebooks)
    app.connect("config-inited", _draw_imports)
    app.connect("config-inited", _draw_architectures)
    app.connect("include-read", _turn_links)
