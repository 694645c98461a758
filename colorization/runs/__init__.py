"""Run folders: their files, a session of training in one, and the names that lead to them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"folder": ["RunFolder"], "resolve": ["run_folder"], "session": ["open_run"]}
)
