"""Views to play with: each a thin control over a plain function of `classroom.figures`, shown by a notebook cell.

Importing this needs no ipywidgets; without it a view is one sentence of text.
"""

from vgg_lesson.classroom.widgets.does_depth_help import seeds_view
from vgg_lesson.classroom.widgets.look_inside import heat_map
from vgg_lesson.classroom.widgets.parameter_arithmetic import network_builder
from vgg_lesson.classroom.widgets.predictions import predictions_browser
from vgg_lesson.classroom.widgets.predictions_picture import own_picture
from vgg_lesson.classroom.widgets.reuse_the_backbone import neighbours
from vgg_lesson.classroom.widgets.scale_up import scaling
from vgg_lesson.classroom.widgets.takeaways import inception_module
from vgg_lesson.classroom.widgets.train_it_well import training_desk
from vgg_lesson.classroom.widgets.why_depth import receptive_field
from vgg_lesson.classroom.widgets.why_it_stalls import signal

__all__ = [
    "heat_map", "inception_module", "neighbours", "network_builder", "own_picture", "predictions_browser",
    "receptive_field", "scaling", "seeds_view", "signal", "training_desk",
]  # fmt: skip
