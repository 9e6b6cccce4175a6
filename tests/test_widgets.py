"""Views 1 to 3 at every end of every control, in all pairs and at random; and without ipywidgets."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import Any

import nbformat
import pytest

from tests.panels import assert_sound
from tools.refresh import tidied
from vgg_lesson import widgets
from vgg_lesson.classroom.widgets.shared import PAUSE, LessonView, Panel, menu, number, slider, switch
from vgg_lesson.classroom.widgets.why_depth import gridded, nearest
from vgg_lesson.support.style import finish, new_figure

VIEWS = {name: getattr(widgets, name) for name in ("receptive_field", "network_builder", "signal")}
RANDOM_SETTINGS = 4
# What changes a picture. Memory is words; hidden units are drawn too thin to tell at some sizes.
IN_THE_PICTURE = {
    "receptive_field": {
        "config": "VGG-19", "layer": "conv3_1", "row": 0, "column": 6, "image_size": 112, "garment": "Bag",
    },
    "network_builder": {
        "config": "VGG-19", "width": 0.25, "image_size": 64, "in_channels": 16, "num_classes": 1000, "head": "gap",
        "hidden": 512,
    },
    "signal": {
        "init": "he", "config": "VGG-19", "batch_norm": True, "one": "Bag", "other": "empty image", "seed": 5,
    },
}  # fmt: skip
IN_WORDS = {"batch_norm": True, "batch_size": 1, "optimizer": "adam"}


@pytest.fixture(scope="module", params=list(VIEWS))
def view(request: pytest.FixtureRequest) -> LessonView:
    made: LessonView = VIEWS[request.param]()
    return made


@pytest.fixture
def panel(view: LessonView) -> Iterator[Panel]:
    """The view's panel, put back to its first setting afterwards."""
    start = view.panel.values
    yield view.panel
    put(view.panel, start)


def ends_and_middle(control: Any) -> list[Any]:
    """The lowest value, one in the middle, and the highest, of whatever kind of control."""
    if isinstance(control.value, bool):
        return [False, True, False]
    if hasattr(control, "options"):
        values = [option[1] if isinstance(option, tuple) else option for option in control.options]
        return [values[0], values[len(values) // 2], values[-1]]
    middle = control.min + (control.max - control.min) // 2 // control.step * control.step
    return [control.min, middle, control.max]


def put(panel: Panel, values: dict[str, Any]) -> None:
    """Set many controls at once, as a kernel would see it: one computation follows."""

    async def change() -> None:
        for name, value in values.items():
            panel.controls[name].value = value
        await asyncio.sleep(2 * PAUSE)

    asyncio.run(change())


def put_levels(panel: Panel, levels: tuple[int, ...]) -> None:
    """Set every control to its end or middle, in order: the range of one may depend on those before it."""

    async def change() -> None:
        for control, level in zip(panel.controls.values(), levels, strict=True):
            control.value = ends_and_middle(control)[level]
        await asyncio.sleep(2 * PAUSE)

    asyncio.run(change())


def all_pairs(controls: int) -> list[tuple[int, ...]]:
    """Settings of three levels each in which every two controls meet at every two of their levels."""
    missing = {(a, b, x, y) for a, b in combinations(range(controls), 2) for x, y in product(range(3), repeat=2)}
    dice = random.Random(0)
    settings = []
    while missing:
        tries = [tuple(dice.randrange(3) for _ in range(controls)) for _ in range(60)]
        best = max(tries, key=lambda levels: len(missing & met(levels)))
        if missing & met(best):
            settings.append(best)
            missing -= met(best)
    return settings


def met(levels: tuple[int, ...]) -> set[tuple[int, int, int, int]]:
    return {(a, b, levels[a], levels[b]) for a, b in combinations(range(len(levels)), 2)}


def test_all_ends_in_all_pairs(panel: Panel) -> None:
    for levels in all_pairs(len(panel.controls)):
        put_levels(panel, levels)
        assert_sound(panel)


@pytest.mark.parametrize(("name", "control"), [(n, c) for n, cs in IN_THE_PICTURE.items() for c in cs])
def test_the_picture_changes_in_place(name: str, control: str, made: dict[str, LessonView]) -> None:
    panel = made[name].panel
    start, before, box = panel.values, panel.pictures, panel.box.children[-1].children
    put(panel, {control: IN_THE_PICTURE[name][control]})
    assert_sound(panel)
    assert panel.pictures != before and panel.box.children[-1].children == box
    put(panel, start)
    assert panel.pictures == before, "the same setting, another picture"


@pytest.mark.parametrize("control", IN_WORDS)
def test_the_words_change(control: str, made: dict[str, LessonView]) -> None:
    panel = made["network_builder"].panel
    before = panel.texts
    put(panel, {control: IN_WORDS[control]})
    assert panel.texts != before and not panel.error
    put(panel, {control: False if control == "batch_norm" else {"batch_size": 128, "optimizer": "sgd"}[control]})


@pytest.fixture(scope="module")
def made() -> dict[str, LessonView]:
    return {name: make() for name, make in VIEWS.items()}


def test_every_control_is_labelled_and_waits_to_be_let_go(view: LessonView) -> None:
    for control in view.panel.controls.values():
        assert control.description.strip() and control.tooltip.strip()
        assert not getattr(control, "continuous_update", False)
    words = [control.description for control in view.panel.controls.values()]
    assert len(set(words)) == len(words)


def test_pictures_carry_their_text(view: LessonView) -> None:
    images = [w for w in descendants(view.panel.box) if type(w).__name__ == "Image"]
    words = " ".join(w.value for w in descendants(view.panel.box) if type(w).__name__ == "HTML")
    assert images and all(len(w.tooltip.split()) > 8 for w in images)
    assert "Figure" not in words and 'aria-live="polite"' in words


def descendants(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from descendants(child)


def test_the_text_is_one_stable_sentence(view: LessonView) -> None:
    bundle = view._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "application/vnd.jupyter.widget-view+json"}
    text = bundle["text/plain"]
    assert text == repr(view) and view.name in text and "ipywidgets" in text and text.count(".") == 1


def test_only_the_sentence_is_stored(view: LessonView) -> None:
    output = nbformat.v4.new_output("execute_result", data=view._repr_mimebundle_(), execution_count=1)
    cell = nbformat.v4.new_code_cell("widgets.signal()", outputs=[output], execution_count=1)
    tidied(notebook := nbformat.v4.new_notebook(cells=[cell]))
    assert notebook.cells[0].outputs[0].data == {"text/plain": repr(view)}


@pytest.mark.parametrize("make", VIEWS.values(), ids=VIEWS)
def test_without_ipywidgets_the_sentence_remains(make: Callable[[], LessonView], monkeypatch: Any) -> None:
    with_widgets = repr(make())
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    view = make()
    assert view._repr_mimebundle_() == {"text/plain": with_widgets}
    with pytest.raises(ImportError, match="pip install ipywidgets"):
        _ = view.panel


def test_importing_needs_no_ipywidgets() -> None:
    code = (
        "import sys; sys.modules['ipywidgets'] = sys.modules['traitlets'] = None\n"
        "from vgg_lesson import widgets; print(widgets.signal())\n"
        "sys.modules.pop('ipywidgets'); assert not [name for name in sys.modules if name.startswith('ipywidgets')]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == repr(widgets.signal())


def test_an_error_is_a_sentence_and_is_taken_back() -> None:
    def compute(value: int) -> Iterator[Any]:
        yield "<p>before</p>"
        if value == 2:
            raise ValueError("value=2 is <odd>")
        yield finish(new_figure(2, 1), "An empty figure for a test of what a view shows.")

    panel = Panel({"value": slider("value", 1, 3, 1)}, compute)
    panel.refresh()
    panel.controls["value"].value = 2
    assert panel.error == "This setting does not work: value=2 is <odd>"
    _, status, below = panel.box.children
    assert "&lt;odd&gt;" in status.value and 'role="alert"' in status.value and below.layout.visibility == "hidden"
    panel.controls["value"].value = 3
    assert panel.error == status.value == "" and below.layout.visibility == "visible"


def test_an_error_while_fitting_the_controls_is_a_sentence_too() -> None:
    def adjust(controls: Any) -> None:
        if controls["value"].value == 2:
            raise ValueError("no such value")

    computed: list[int] = []

    def compute(value: int) -> tuple[()]:
        computed.append(value)
        return ()

    panel = Panel({"value": number("value", 1, 3, 1)}, compute, adjust)
    panel.refresh()
    panel.controls["value"].value = 2
    assert "no such value" in panel.error and computed == [1]


def test_changes_that_come_together_are_computed_once() -> None:
    computed: list[dict[str, Any]] = []

    def compute(**values: Any) -> tuple[()]:
        computed.append(values)
        return ()

    controls = {"a": slider("a", 0, 9, 0), "b": menu("b", [1, 2], 1), "c": switch("c", False)}
    panel = Panel(controls, compute)
    put(panel, {"a": 1, "b": 2, "c": True})
    assert computed == [{"a": 1, "b": 2, "c": True}]
    put(panel, {"a": 5})
    assert len(computed) == 2


def test_parts_take_the_places_asked_for() -> None:
    panel = Panel({"a": slider("a", 0, 9, 0)}, lambda a: [f"{a}", "second", "third"], order=(0, 2, 1))
    panel.refresh()
    assert [place.value for place in panel.box.children[-1].children] == ["0", "third", "second"]


def test_another_network_keeps_the_layer_or_takes_its_neighbour() -> None:
    panel = widgets.receptive_field().panel
    put(panel, {"config": "VGG-19", "layer": "conv3_4", "row": 55, "column": 28})
    put(panel, {"config": "VGG-11"})
    assert panel.values["layer"] == "conv3_2" and (panel.values["row"], panel.values["column"]) == (55, 28)
    put(panel, {"layer": "pool5"})
    assert (panel.values["row"], panel.values["column"]) == (6, 3)
    put(panel, {"image_size": 32})
    assert panel.controls["row"].disabled and panel.values["row"] == 0 and not panel.error
    assert nearest("lrn1_1", gridded("VGG-11", 224)) == "pool5"
