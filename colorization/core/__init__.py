"""Color, bins, losses, metrics, settings and files: the base of all other packages."""
