"""How much a run may cost: ``smoke``, ``class`` or ``full``. Nothing else reads ``VGG_LESSON_BUDGET``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vgg_lesson.support.arguments import Count, checked
from vgg_lesson.support.environment import word_from

VARIABLE = "VGG_LESSON_BUDGET"
SMOKE_STEPS = 4


@dataclass(frozen=True)
class Budget:
    """``train_images`` and ``test_images`` are upper limits for `ImageSet.subset`; None means all of them."""

    name: str
    train_images: int | None = None
    test_images: int | None = None

    @checked
    def steps(self, count: Count) -> int:
        """``count`` training steps, or a few of them under smoke."""
        return min(count, SMOKE_STEPS) if self.name == "smoke" else count

    @checked
    def epochs(self, count: Count) -> int:
        """``count`` passes over the training images, or one under smoke."""
        return min(count, 1) if self.name == "smoke" else count


BUDGETS: Mapping[str, Budget] = MappingProxyType(
    {
        "smoke": Budget("smoke", train_images=512, test_images=256),
        "class": Budget("class"),
        "full": Budget("full"),
    }
)


def get_budget(name: str | None = None) -> Budget:
    """The budget called ``name``; without one, what ``VGG_LESSON_BUDGET`` says; without that, ``class``.

    Raises:
        ValueError: a name that is none of the three; the message says where it came from.
    """
    origin = "name" if name is not None else VARIABLE
    chosen = name if name is not None else word_from(VARIABLE) or "class"
    if not isinstance(chosen, str) or chosen not in BUDGETS:
        raise ValueError(f"{origin}={chosen!r} is not a budget; choose one of {', '.join(BUDGETS)}")
    return BUDGETS[chosen]
