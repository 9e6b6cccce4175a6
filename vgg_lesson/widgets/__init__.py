"""Views to play with: each a thin control over a plain function of `vgg_lesson.figures`, shown by a notebook cell.

Importing this needs no ipywidgets; without it a view is one sentence of text.
"""

from vgg_lesson.widgets.field import receptive_field
from vgg_lesson.widgets.network import network_builder
from vgg_lesson.widgets.pair import signal

__all__ = ["network_builder", "receptive_field", "signal"]
