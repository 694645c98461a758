"""Parts of the pages that come from the program itself, and formulas without a script.

Directives, each with one item a line: `commands` (--help; `colorize` brings its subcommands), `settings` (the
classes of colorization.core.config), `variants` (of the experiments), `modules` (of a package).
"""

import dataclasses
import importlib
import inspect
import json
import os
import pkgutil
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[1]
_SHOWN = 90  # characters of a constant's value


class Generated(SphinxDirective):
    """A directive whose lines name what its Markdown is made of."""

    has_content = True

    def run(self):
        """The nodes of the text that each line of the content gives."""
        self.env.note_reread()  # the program may have changed where the page has not
        text = "\n\n".join(self.text_of(line.strip()) for line in self.content if line.strip())
        return self.parse_text_to_nodes(text, allow_section_headings=True)


class Commands(Generated):
    """A section with --help of each command."""

    def text_of(self, command):
        """The sections of a command and its subcommands, or of a folder's scripts that take arguments."""
        if command.endswith("*.py"):
            scripts = sorted(ROOT.glob(command.removeprefix("python ")))
            taking = [script for script in scripts if _is_shown(script.read_text(encoding="utf-8"))]
            return "\n\n".join(self.text_of(f"python {script.relative_to(ROOT)}") for script in taking)
        shown = _help(command)
        text = f"## `{command}`\n\n```text\n{shown}\n```"
        listed = re.search(r"^positional arguments:\n  COMMAND\n((?:    .*\n)+)", shown, re.MULTILINE)
        subcommands = re.findall(r"^    (\S+(?: \S+)*)(?:  |$)", listed[1], re.MULTILINE) if listed else []
        return "\n\n".join([text, *(self.text_of(f"{command} {name}") for name in subcommands)])


class Settings(Generated):
    """A section with the fields that a class of settings adds to those of its bases, or changes."""

    def text_of(self, name):
        """The section of a class, named with its module."""
        module, _, name = name.rpartition(".")
        found = getattr(importlib.import_module(module), name)
        own = [field for field in dataclasses.fields(found) if field.name in inspect.get_annotations(found)]
        bases = [base.__name__ for base in found.__bases__ if dataclasses.is_dataclass(base)]
        link = f"{{py:class}}`{name} <{module}.{name}>`"
        after = f"It has the fields of {' and '.join(f'`{base}`' for base in bases)}" if bases else ""
        after += (", and:" if own else ".") if bases else ""
        rows = [
            [f"`{field.name}`", _spelled(field.default), _range(field), field.metadata["help"]]
            for field in own
        ]
        table = _table(["field", "default", "values", "meaning"], rows) if own else ""
        return f"## `{name}`\n\n{link}: {_first_line(found)} {after}\n\n{table}"


class Variants(Generated):
    """A table of the values of an experiment's variants that differ from the defaults."""

    def text_of(self, script):
        """The section of a script, its path from the repository's root."""
        sys.path.insert(0, str((ROOT / script).parent))
        variants = runpy.run_path(str(ROOT / script))["VARIANTS"]
        names = [
            field.name
            for field in dataclasses.fields(next(iter(variants.values())))
            if any(getattr(config, field.name) != field.default for config in variants.values())
        ]
        rows = [
            [f"`{name}`", *(_spelled(getattr(config, name)) for config in variants.values())]
            for name in names
        ]
        return f"### `{script}`\n\n" + _table(["", *variants], rows)


class Modules(Generated):
    """The docstrings of a package and of its modules, each module in a section; for reST pages."""

    def text_of(self, package):
        """The package, without the names that it takes from its modules; then every module with its names."""
        folder = Path(importlib.import_module(package).__file__).parent
        found = pkgutil.walk_packages([str(folder)], f"{package}.")
        sections = [f".. automodule:: {package}\n   :ignore-module-all:"]
        for name, is_package in sorted((module.name, module.ispkg) for module in found):
            if not name.rpartition(".")[2].startswith("_"):
                title = f"``{name}``"
                names = "\n   :ignore-module-all:" if is_package else ""
                sections.append(f"{title}\n{'-' * len(title)}\n\n.. automodule:: {name}{names}")
        return "\n\n".join(sections)


def _is_shown(script):
    """Whether a script takes arguments, and is not kept under an old name only."""
    return "argv" in script and not script.startswith('"""The old name of')


def _help(command):
    words = shlex.split(command)
    start = [sys.executable] if words[0] == "python" else [sys.executable, "-m", "colorization.cli"]
    return subprocess.run(
        [*start, *words[1:], "--help"],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "88"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def _spelled(value):
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


def _range(field):
    rule = field.metadata
    if rule["choices"]:
        return ", ".join(f"`{choice}`" for choice in rule["choices"])
    words = [field.type.__name__]
    if rule["low"] is not None:
        words.append(
            f"{rule['low']:,}" + (f" to {rule['high']:,}" if rule["high"] is not None else " or more")
        )
    return " ".join(words)


def _first_line(thing):
    return thing.__doc__.strip().splitlines()[0]


def _table(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _math(translator, node):
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _displayed_math(translator, node):
    number = f'<span class="eqno">({node["number"]})</span>' if node["number"] else ""
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    translator.body.append(f"{number}{convert(node.astext(), display='block')}</div>")
    raise nodes.SkipNode


def _skip_field_numbers(app, what, name, thing, skip, options):
    """The fields of a NamedTuple are told in its docstring; Python adds "Alias for field number 0"."""
    return True if (getattr(thing, "__doc__", "") or "").startswith("Alias for field number") else None


def _without_long_values(app, domain, kind, content):
    """Tables and arrays are better read in the source than in a heading."""
    for value in list(content.parent.findall(addnodes.desc_annotation)):
        if (
            kind in ("data", "attribute")
            and value.astext().startswith(" = ")
            and len(value.astext()) > _SHOWN
        ):
            value.parent.remove(value)


_DATA = ("data", "attribute")
_plain = {}  # name of a constant: the lines of its docstring


def _keep_docstring(app, what, name, thing, options, lines):
    """Before Napoleon, which takes the words before a colon in a constant's docstring for its type."""
    if what in _DATA:
        _plain[name] = list(lines)


def _restore_docstring(app, what, name, thing, options, lines):
    """After Napoleon."""
    if what in _DATA:
        lines[:] = _plain.pop(name)


def setup(app):
    """Called by Sphinx."""
    app.add_directive("commands", Commands)
    app.add_directive("settings", Settings)
    app.add_directive("variants", Variants)
    app.add_directive("modules", Modules)
    app.add_html_math_renderer("mathml", (_math, None), (_displayed_math, None))
    app.connect("autodoc-skip-member", _skip_field_numbers)
    app.connect("autodoc-process-docstring", _keep_docstring, priority=400)
    app.connect("autodoc-process-docstring", _restore_docstring, priority=600)
    app.connect("object-description-transform", _without_long_values)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
