"""Trained runs that come with the package: a folder each. `colorization.runs.resolve` finds them by name."""
