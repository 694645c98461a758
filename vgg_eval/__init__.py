"""The judge: a VGG16 with a new 10-way head, whose accuracy on colorized images measures the colorizers.

It imports colorization, never the reverse. The modules, from the top down: export, judge_export; chain, plan;
figure7, figure7_table, figures, temperatures, significance; judge, training; columns, model; config.
"""
