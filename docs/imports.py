"""Draw which package imports which.

    python docs/imports.py                      # print the table of imports
    python docs/imports.py -o docs/imports.png  # draw the picture

The packages stand in the order of the architecture, from `vgg_eval` at the top left to `core` at the bottom
right. A line leads from a package to the right. At each number it turns down, to a package that it imports.
The number counts the imported names. An import against the order is red.
"""

import argparse
import ast
import collections
from pathlib import Path

from matplotlib.figure import Figure

ROOT = Path(__file__).resolve().parents[1]
ORDER = (
    "vgg_eval",
    "cli",
    "export",
    "evaluation",
    "training",
    "inference",
    "presets",
    "runs",
    "models",
    "datasets",
    "core",
)
"""vgg_eval, and the packages of colorization: each imports only from those behind it."""


def count_imports():
    """{(importing package, imported package): number of imported names}, both of them in ORDER."""
    found = collections.Counter()
    for folder in ("colorization", "vgg_eval"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            importing = _package(path.relative_to(ROOT).with_suffix("").parts)
            for name in _imported(ast.parse(path.read_text(encoding="utf-8"))):
                imported = _package(name.split("."))
                if importing in ORDER and imported in ORDER and importing != imported:
                    found[importing, imported] += 1
    return found


def upward(counts):
    """The pairs of packages whose imports go against the order."""
    return [pair for pair in counts if ORDER.index(pair[0]) > ORDER.index(pair[1])]


def draw(counts):
    """A matplotlib Figure: packages on a diagonal; a line leads right from one, then down to another."""
    figure = Figure(figsize=(9.6, 7), layout="constrained")
    axes = figure.subplots()
    for i, name in enumerate(ORDER):
        color = f"C{i % 10}"
        axes.text(i, -i, name, ha="center", va="center", fontsize=11, bbox=_box("white", color), zorder=4)
        for imported in (other for other in ORDER if counts.get((name, other))):
            _arrow(axes, i, ORDER.index(imported), counts[name, imported], color)
    axes.set(xlim=(-0.6, len(ORDER) - 0.4), ylim=(0.5 - len(ORDER), 0.5))
    axes.axis("off")
    return figure


def table(counts):
    """The counts as Markdown: importing packages in rows, imported ones in columns."""
    rows = [["", *ORDER], ["---", *["---:"] * len(ORDER)]]
    rows += [[row, *(str(counts.get((row, column), "")) for column in ORDER)] for row in ORDER]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _arrow(axes, start, end, count, color):
    """The way from a package to another, its number at the corner; red if it goes against the order."""
    color = "red" if start > end else color
    axes.plot([start, end], [-start, -start], color=color, linewidth=1.2, zorder=1)
    axes.annotate(
        "",
        xy=(end, -end + (0.24 if start < end else -0.24)),
        xytext=(end, -start),
        arrowprops={"arrowstyle": "-|>", "color": "0.65", "linewidth": 1.0, "shrinkA": 0, "shrinkB": 0},
        zorder=0,
    )
    axes.text(
        end,
        -start,
        count,
        color="white",
        fontsize=9,
        ha="center",
        va="center",
        bbox=_box(color, color),
        zorder=3,
    )


def _box(face, edge):
    return {"boxstyle": "round,pad=0.3", "facecolor": face, "edgecolor": edge, "linewidth": 1.6}


def _imported(tree):
    """Full names of the modules that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (_module(node.module, alias.name) for alias in node.names)


def _module(package, name):
    """`package.name` if that is a module or package of this project, else `package`: it has the name."""
    if package.split(".")[0] not in ("colorization", "vgg_eval"):
        return package
    full = f"{package}.{name}"
    path = ROOT.joinpath(*full.split("."))
    return full if path.is_dir() or path.with_suffix(".py").is_file() else package


def _package(parts):
    """Name of the package of a module; "" for colorization's own modules and for other projects."""
    if parts[0] == "vgg_eval":
        return "vgg_eval"
    return parts[1] if parts[0] == "colorization" and len(parts) > 1 else ""


def main(argv=None):
    """Print the table or draw the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where the picture goes")
    arguments = parser.parse_args(argv)
    counts = count_imports()
    print(table(counts))
    print("\nImports against the order:", upward(counts) or "none")
    if arguments.output:
        draw(counts).savefig(arguments.output, dpi=80)


if __name__ == "__main__":
    main()
