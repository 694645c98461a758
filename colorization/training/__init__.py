"""Training: a config becomes a run folder. `train` does it whole; `trainer` has its parts."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"trainer": ["build", "fit", "train"]}
)
