"""Every figure of the series: data in, a matplotlib figure with a text alternative out."""

from vgg_lesson.figures.architecture import Window, draw_cost_rules, draw_network, draw_sizes, draw_table, draw_windows
from vgg_lesson.figures.costs import cheaper_networks, filter_bank, memory_bars, parameter_squares, three_costs
