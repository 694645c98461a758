"""The documentation's fenced blocks: read, parsed by the real parsers, and run.

python -m support.documents PAGE     # runs the commands of a page in the current folder, as printed
"""

import argparse
import contextlib
import importlib
import io
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from unittest import mock

_FENCE = re.compile(r"^(```+|:::+)(.*?)\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block.

    Attributes:
        where: "page:line" of its fence.
        kind: the language or {directive} behind the fence.
        caption: of a code-block directive, or "".
        text: what is in it, without options.
    """

    where: str
    kind: str
    caption: str
    text: str

    @property
    def runs(self):
        """Whether it is run as it stands."""
        return self.kind in ("sh", "python") and not self.caption


def blocks(path):
    """The Blocks of a Markdown file, in order."""
    text = path.read_text(encoding="utf-8")
    return [
        _block(f"{path.name}:{text.count(chr(10), 0, m.start()) + 1}", *m.groups()[1:])
        for m in _FENCE.finditer(text)
    ]


def _block(where, kind, text):
    directive = kind.startswith("{")
    options = re.match(r"(?::\w[\w-]*:.*\n)*", text)[0] if directive else ""
    caption = re.search(r"^:caption: (.*)$", options, re.MULTILINE)
    kind = kind.removeprefix("{code-block} ").strip()
    return Block(where, kind, caption[1] if caption else "", text[len(options) :])


def commands(block):
    """The commands of a block, without comments, if it is a shell's; a backslash continues a line."""
    if block.kind != "sh":
        return []
    lines = block.text.replace("\\\n", " ").splitlines()
    bare = (re.sub(r"(^|\s)#.*$", "", line) for line in lines)
    return [" ".join(line.split()) for line in bare if line.strip()]


class Parsed(Exception):
    """Raised in the place of what follows a successful parse_args; its argument is the namespace."""


def parse(command):
    """Parse a command by its own parser and do nothing else.

    Settings in --set are applied to the experiment's variant. Raises AssertionError for an option, a value, a
    setting or a script that does not exist, and for an option with a deprecated name.
    """
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed):
        try:
            found = _parsed(command)
        except SystemExit:
            raise AssertionError(f"{command}: {printed.getvalue()}") from None
    assert "deprecated" not in printed.getvalue(), f"{command}: {printed.getvalue()}"
    return found


def _parsed(command):
    """The argparse.Namespace of a command; None where there is no parser of ours."""
    words = shlex.split(command)
    while "=" in words[0]:  # an environment variable
        words = words[1:]
    program, *words = words
    if program == "colorize":
        return stopped(importlib.import_module("colorization.cli.main").main, words)
    if program == "python" and words[:1] == ["-m"] and words[1].startswith("vgg_eval"):
        return stopped(importlib.import_module(words[1]).main, words[2:])
    if program == "python" and words[0].endswith(".py"):
        return _script_parsed(words)
    assert subprocess.run(["bash", "-nc", command], check=False).returncode == 0, command
    return None


def stopped(main, *arguments):
    """The namespace that parse_args gives in a function, which it ends there."""
    parse_args = argparse.ArgumentParser.parse_args

    def stopping(parser, *given, **named):
        raise Parsed(parse_args(parser, *given, **named))

    with mock.patch.object(argparse.ArgumentParser, "parse_args", stopping):
        try:
            main(*arguments)
        except Parsed as parsed:
            return parsed.args[0]
    raise AssertionError(f"{main.__module__}.{main.__name__} does not parse its arguments")


def _script_parsed(words):
    from colorization.core.config import override

    with _arguments(words):
        script = runpy.run_path(words[0], run_name="documents")
        found = stopped(script["main"])
    if "VARIANTS" in script and getattr(found, "set", None):
        variant = found.variant or "small"
        override(script["VARIANTS"][variant], found.set)  # InputError for an unknown one
    return found


@contextlib.contextmanager
def _arguments(words):
    """sys.argv and sys.path of `python SCRIPT ...`; they and the environment come back."""
    kept = sys.argv, sys.path, dict(os.environ)
    sys.argv, sys.path = words, [str(Path(words[0]).parent), *sys.path]
    try:
        yield
    finally:
        sys.argv, sys.path, environment = kept
        os.environ.clear()
        os.environ.update(environment)


def run(command):
    """Run a command; raises AssertionError if it fails.

    colorize and Python's scripts run in this process, which has imported TensorFlow already; whatever else,
    and what sets environment variables, in bash.
    """
    code = in_process(command)
    if code is None:
        code = subprocess.run(["bash", "-euc", command], check=False).returncode
    assert not code, f"exit code {code}: {command}"


def in_process(command):
    """The exit code of a command run in this process; None if it is none of those that can be."""
    program, *words = shlex.split(command)
    if program == "colorize":
        return _exit_code(importlib.import_module("colorization.cli.main").main, words)
    if program == "python" and words[0] == "-m" and words[1].startswith("vgg_eval"):
        return _exit_code(importlib.import_module(words[1]).main, words[2:])
    if program == "python" and words[0].endswith(".py"):
        with _arguments(words):
            return _exit_code(lambda: runpy.run_path(words[0], run_name="__main__") and 0)
    return None


def _exit_code(function, *arguments):
    try:
        return function(*arguments) or 0
    except SystemExit as end:
        return end.code or 0


def execute(block, namespace):
    """Run a Python block; its names are kept in `namespace` for the next one of the page."""
    exec(compile(block.text, block.where, "exec"), namespace)


def apply(block, folder):
    """Do to a file below `folder` what the caption of a code block says: a new one, an addition, a change."""
    words, _, name = block.caption.rstrip("`").rpartition("`")
    path = folder / name
    if words == "new file ":
        assert not path.exists(), f"{block.where}: {name} is there already"
        path.write_text(block.text)
    elif words == "append to ":
        path.write_text(f"{path.read_text()}\n\n{block.text}")
    else:
        assert block.kind == "diff", block.where
        old, new = (
            "".join(line[1:] or "\n" for line in block.text.splitlines(True) if line[0] in f" \n{sign}")
            for sign in "-+"
        )
        text = path.read_text()
        assert text.count(old) == 1, f"{block.where}: {name} has not, or not once:\n{old}"
        path.write_text(text.replace(old, new))


if __name__ == "__main__":
    for page_block in blocks(Path(sys.argv[1])):
        for page_command in commands(page_block):
            run(page_command)
