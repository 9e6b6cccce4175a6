"""Facts of notebook 08, a look inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vgg_lesson.arithmetic import trace
from vgg_lesson.configs import CLASS_NETWORK

Number = int | float

FACTS: Mapping[str, Callable[[], Number]] = {
    "inside.filters": lambda: trace(**CLASS_NETWORK).row("conv1_1").output_shape[0],
    "inside.hidden": lambda: CLASS_NETWORK.hidden,
    "inside.pictures": lambda: 2000,
    "inside.covered": lambda: 1000,
}
