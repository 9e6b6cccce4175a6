"""Views to play with: each a thin control over a plain function of `vgg_lesson.figures`, shown by a notebook cell.

Importing this needs no ipywidgets; without it a view is one sentence of text.
"""

from vgg_lesson.widgets.factors import seeds_view
from vgg_lesson.widgets.field import receptive_field
from vgg_lesson.widgets.heat import heat_map
from vgg_lesson.widgets.module import inception_module
from vgg_lesson.widgets.neighbours import neighbours
from vgg_lesson.widgets.network import network_builder
from vgg_lesson.widgets.pair import signal
from vgg_lesson.widgets.picture import own_picture
from vgg_lesson.widgets.predictions import predictions_browser
from vgg_lesson.widgets.scaling import scaling
from vgg_lesson.widgets.training import training_desk

__all__ = [
    "heat_map", "inception_module", "neighbours", "network_builder", "own_picture", "predictions_browser",
    "receptive_field", "scaling", "seeds_view", "signal", "training_desk",
]  # fmt: skip
