"""Facts of notebook 10: the sizes of what is kept, and of what is trained again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vgg_lesson.arithmetic import trace
from vgg_lesson.classroom.checks.reuse_the_backbone import FLOAT_BYTES, PHOTO, class_trace, probe_parameters

Number = int | float
FINE_TUNED = 4  # the block that fine-tuning sets free


def tuned_params() -> int:
    """Parameters of the convolutions of the block that is fine-tuned; its batch norm stays frozen."""
    return sum(row.params for row in class_trace().rows if row.name.startswith(f"conv{FINE_TUNED}_"))


FACTS: Mapping[str, Callable[[], Number]] = {
    "reuse.photo_width": lambda: PHOTO[1],
    "reuse.level": lambda: 0.95,
    "reuse.tuned_params": tuned_params,
    "reuse.probe_params": probe_parameters,
    "reuse.backbone_bytes": lambda: FLOAT_BYTES * trace("VGG-16").conv_params,
}
