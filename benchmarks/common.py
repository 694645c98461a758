"""Common functions of the benchmarks: interleaved timing and Markdown tables."""

import time

import numpy as np


def interleaved(calls, repetitions):
    """Seconds of each call, the calls taking turns so that all of them meet the same load of the machine.

    Args:
        calls: {name: function without arguments}; each is called once beforehand, untimed.
        repetitions: how often each is timed.

    Returns:
        Two of {name: (repetitions,) float64}: seconds on the clock, and CPU seconds of this process, which
        a busy machine disturbs less.
    """
    for call in calls.values():
        call()
    wall, cpu = ({name: np.zeros(repetitions) for name in calls} for _ in range(2))
    for i in range(repetitions):
        for name, call in calls.items():
            start = time.perf_counter(), time.process_time()
            call()
            wall[name][i] = time.perf_counter() - start[0]
            cpu[name][i] = time.process_time() - start[1]
    return wall, cpu


def ratio(numerator, denominator):
    """The median of the ratios of each turn, and their range, as text."""
    ratios = np.asarray(numerator) / np.asarray(denominator)
    return f"{np.median(ratios):.3g} ({ratios.min():.3g} to {ratios.max():.3g})"


def print_table(title, header, rows):
    """A Markdown table; numbers come out with three significant digits."""
    print(f"\n{title}\n")
    for row in (header, ["---"] * len(header), *rows):
        cells = (f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row)
        print(f"| {' | '.join(cells)} |", flush=True)


def print_machine():
    """The machine that the figures belong to."""
    from colorization.runs import environment  # imports Keras, which not every benchmark does

    found = environment.environment()
    packages = ", ".join(f"{name} {found['packages'][name]}" for name in ("keras", found["backend"]))
    print(f"\n{found['processor']}, {found['cores']} cores, {', '.join(found['devices'])}; {packages}")
