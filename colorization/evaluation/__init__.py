"""Evaluation: metrics of every decoding, the choice of a decoding, and figures."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "evaluator": ["evaluate", "table"],
        "measure": ["measure"],
        "tuning": ["Tuning", "tune"],
    },
)
