"""Recipes people would otherwise pick, rewritten from their published descriptions, against the class plan.

Every recipe runs on the same machine and data as its author describes it, loading included, and is looked at on the
test set after every ``look_every`` steps and at its end; the clock stands still meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from tools.benchmarks.report import Report
from vgg_lesson import PLANS, Experiment, ImageSet, Recipe, build_vgg, data_loaders, evaluate, load_fashion_mnist
from vgg_lesson.records.experiments import run_experiment
from vgg_lesson.records.published import published
from vgg_lesson.support.machine import set_threads
from vgg_lesson.training.loop import Run

LEVELS = (0.85, 0.88, 0.9015)
CAP_SECONDS = 300.0
MOST_EPOCHS = 1000  # the cap comes first
TOLERANCE = 0.01  # an accuracy this near to the published one counts as reproduced


@dataclass(frozen=True)
class Rival:
    """A recipe as its author describes it, with the ``claimed`` accuracies after its author's epochs."""

    experiment: Experiment
    image_size: int
    look_every: int
    claimed: list[float]
    source: str

    @property
    def name(self) -> str:
        """What the table calls it."""
        return self.experiment.change


def d2l_vgg() -> nn.Module:
    """VGG-11 with a quarter of the channels, Xavier's uniform initialisation, 4,096 hidden units, dropout."""
    return build_vgg("VGG-11", in_channels=1, num_classes=10, width=0.25, init="xavier")


def tiny_vgg() -> nn.Module:
    """Two blocks of two 3×3 convolutions with 10 filters and a 2×2 pool, then one linear layer, for 28×28 pictures."""

    def block(channels: int) -> list[nn.Module]:
        convolutions = [nn.Conv2d(channels, 10, 3, padding=1), nn.ReLU(), nn.Conv2d(10, 10, 3, padding=1), nn.ReLU()]
        return [*convolutions, nn.MaxPool2d(2)]

    return nn.Sequential(*block(1), *block(10), nn.Flatten(), nn.Linear(10 * 7 * 7, 10))


RIVALS = (
    Rival(
        Experiment(d2l_vgg, Recipe(epochs=10, batch_size=128, lr=0.01), change="Dive into Deep Learning, VGG"),
        224, 110, published("d2l_vgg11_test_accuracy"), "https://d2l.ai/chapter_convolutional-modern/vgg.html",
    ),
    Rival(
        Experiment(tiny_vgg, Recipe(epochs=3, batch_size=32, lr=0.1), change="Zero to Mastery, TinyVGG"),
        28, 1875, [published("ztm_tinyvgg_test_accuracy")],
        "https://www.learnpytorch.io/03_pytorch_computer_vision/",
    ),
)  # fmt: skip


@dataclass
class Course:
    """What a recipe reached: seconds to every level, its final accuracy, and where its author's epochs ended."""

    reached: dict[float, float]
    seconds: float = 0.0
    accuracy: float = 0.0
    epochs: float = 0.0
    after_author: float | None = None

    def look(self, accuracy: float) -> None:
        """Take note of an accuracy at the present second."""
        self.accuracy = accuracy
        for level in LEVELS:
            if accuracy >= level:
                self.reached.setdefault(level, self.seconds)


def race(rival: Rival) -> Course:
    """Train until the last level or the cap, whichever comes first, but at least the author's epochs if they fit."""
    recipe, course = rival.experiment.recipe, Course({})
    train, test = data_loaders(recipe.batch_size, rival.image_size)
    per_epoch = len(train)
    authors = recipe.epochs * per_epoch

    def look(run: Run) -> bool:
        step, course.seconds = len(run.history.step_losses), run.seconds
        course.epochs = step / per_epoch
        if step % rival.look_every == 0 or course.seconds >= CAP_SECONDS or step == authors:
            course.look(evaluate(run.model, test)[1])
            print(f"{rival.name}: {course.seconds:.0f} s, epoch {course.epochs:.2f}, {course.accuracy:.2%}", flush=True)
        if step == authors:
            course.after_author = course.accuracy
        return course.seconds < CAP_SECONDS and (len(course.reached) < len(LEVELS) or step < authors)

    run_experiment(rival.experiment, train, epochs=MOST_EPOCHS, callbacks=[look], device="cpu", show=False)
    return course


def class_plan(test: ImageSet) -> Course:
    """The class plan: it is looked at once, at its end, because its schedule is made for exactly its steps."""
    model, history = run_experiment(PLANS["class"], load_fashion_mnist("train"), device="cpu", show="bar")
    course = Course({}, seconds=history.seconds, epochs=float(len(history.epochs)))
    course.look(evaluate(model, test)[1])
    return course


def run() -> Report:
    """Race the class plan and every recipe, one after another."""
    set_threads()
    test = load_fashion_mnist("test")
    report = Report(
        "races", f"Training seconds to a test accuracy; at most {CAP_SECONDS:,.0f} s each, seed 0",
        ("recipe", *(f"{level:.2%}" for level in LEVELS), "seconds", "epochs", "accuracy", "its author's figure"),
    )  # fmt: skip
    courses = {"the class plan": class_plan(test)}
    report.rows.append(_row("the class plan", courses["the class plan"], "none"))
    for rival in RIVALS:
        course = courses[rival.name] = race(rival)
        claimed, epochs = rival.claimed, rival.experiment.recipe.epochs
        listed = " to ".join(f"{value:.1%}" for value in claimed)
        if course.after_author is None:
            minutes = course.seconds / course.epochs * epochs / 60
            verdict = f"{listed} after {epochs} epochs, here {minutes:.0f} minutes: not reproduced"
        else:
            close = min(claimed) - TOLERANCE <= course.after_author <= max(claimed) + TOLERANCE
            verdict = f"{listed}; here {course.after_author:.1%}: {'reproduced' if close else 'not reproduced'}"
        report.rows.append(_row(rival.name, course, verdict))
        report.notes.append(f"{rival.name}: {rival.source}")
    report.figures = {
        name: {"seconds_to": {f"{k:.4f}": v for k, v in c.reached.items()}, "seconds": c.seconds, "epochs": c.epochs,
               "accuracy": c.accuracy, "after_author": c.after_author}
        for name, c in courses.items()
    }  # fmt: skip
    report.notes.append("The class plan is shown with the levels it had reached at its end, not on its way.")
    return report


def _row(name: str, course: Course, claim: str) -> tuple[str, ...]:
    reached = (f"{course.reached[level]:,.0f} s" if level in course.reached else "not reached" for level in LEVELS)
    return (name, *reached, f"{course.seconds:,.0f}", f"{course.epochs:.2f}", f"{course.accuracy:.2%}", claim)
