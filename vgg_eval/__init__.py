"""The judge: a VGG16 with a new 10-way head, whose accuracy on colorized images measures the colorizers.

It imports colorization, never the reverse. The modules, from the top down, each of which imports only from
below: export, chain; report; figures, temperatures, comparison; judging; training; methods, classifier;
config.
"""
