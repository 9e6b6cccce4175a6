"""The predictions browser and one's own picture, at every end of every control; and the figures behind them."""

from __future__ import annotations

import io
from datetime import datetime
from itertools import product
from typing import Any

import pytest
import torch
from PIL import Image

from tests.panels import assert_sound
from vgg_lesson import CLASSES, Predictions, widgets
from vgg_lesson.classroom.figures.predictions_browser import one_prediction, own_picture
from vgg_lesson.classroom.widgets.predictions import ANY, OUTCOMES, SHOWN, _shipped, matching
from vgg_lesson.classroom.widgets.shared import Panel


@pytest.fixture(scope="module")
def browser() -> Panel:
    return widgets.predictions_browser().panel


@pytest.fixture(scope="module")
def own() -> Panel:
    return widgets.own_picture().panel


@pytest.fixture(scope="module")
def shipped() -> Predictions:
    return _shipped()[1]


def put(panel: Panel, **values: Any) -> None:
    for name, value in values.items():
        panel.controls[name].value = value


def test_ends_and_middles(browser: Panel) -> None:
    seen = set()
    # A Latin square: every two values of two filters meet.
    for row, column in product(range(3), repeat=2):
        percent = ((0, 100), (100, 100), (40, 60))[(row + column) % 3]
        put(browser, label=(ANY, 5, 9)[row], outcome=OUTCOMES[column], percent=percent)
        place = browser.controls["place"]
        assert place.value == 1
        for value in {place.max, (1 + place.max) // 2}:
            place.value = value
            assert_sound(browser)
        seen.add(browser.pictures[0])
    assert len(seen) >= 6
    put(browser, label=ANY, outcome=OUTCOMES[0], percent=(0, 100))


@pytest.mark.parametrize(
    ("control", "value"), [("label", 6), ("outcome", "wrong"), ("percent", (0, 50)), ("place", 1500)]
)
def test_every_control_changes_the_picture(browser: Panel, control: str, value: Any) -> None:
    put(browser, label=ANY, outcome=OUTCOMES[0], percent=(0, 100), place=1)
    before = browser.pictures
    put(browser, **{control: value})
    assert browser.pictures != before


def test_the_number_that_match_and_none(browser: Panel, shipped: Predictions) -> None:
    put(browser, label=6, outcome="wrong", percent=(0, 100))
    count = int(((shipped.labels == 6) & ~shipped.correct).sum())
    place = browser.controls["place"]
    assert f"<b>{count}</b> of 2,000" in browser.texts[0] and place.max == count and not place.disabled
    put(browser, percent=(0, 1))
    assert "No picture matches" in browser.texts[0] and place.disabled and place.max == 1
    put(browser, percent=(0, 100))
    assert place.max == count and not place.disabled


def test_matching_is_what_the_words_say(shipped: Predictions) -> None:
    for label, outcome, (low, high) in product((ANY, 0, 6), OUTCOMES, ((0.0, 1.0), (0.5, 0.8))):
        found = matching(shipped, label=label, outcome=outcome, confidence=(low, high)).tolist()
        expected = [
            index
            for index in range(SHOWN)
            if (label == ANY or shipped.labels[index] == label)
            and (outcome == OUTCOMES[0] or bool(shipped.correct[index]) == (outcome == "right"))
            and low <= shipped.confidence[index] <= high
        ]
        assert sorted(found) == expected
        sure = [shipped.confidence[index].item() for index in found]
        assert sure == sorted(sure, reverse=True)
    for bad in ({"label": 10}, {"label": -2}, {"outcome": "both"}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            matching(shipped, **bad)


def test_the_card_tells_the_prediction(shipped: Predictions) -> None:
    index = int((~shipped.correct).nonzero()[0])
    image = torch.zeros(28, 28, dtype=torch.uint8)
    label, named = int(shipped.labels[index]), int(shipped.predicted[index])
    told = one_prediction(image, shipped, index).alt
    assert f"class {CLASSES[label]} is called {CLASSES[named]}" in told and "wrong" in told
    count = int(((shipped.labels == label) & (shipped.predicted == named)).sum())
    assert f"confusion matrix: {count}." in told
    for bad in (-1, SHOWN):
        with pytest.raises(ValueError, match="index"):
            one_prediction(image, shipped, bad)


def test_the_marked_cell_is_that_of_the_picture(shipped: Predictions) -> None:
    for index in (0, int((~shipped.correct).nonzero()[0])):
        figure = one_prediction(torch.zeros(28, 28, dtype=torch.uint8), shipped, index)
        (cell,) = (patch for patch in figure.axes[2].patches if patch.get_linewidth() > 3)
        corner = int(shipped.predicted[index]) - 0.5, int(shipped.labels[index]) - 0.5
        assert (cell.get_x(), cell.get_y()) == corner  # type: ignore[attr-defined]
        names = [text.get_text() for text in figure.axes[1].texts]
        best = shipped.probabilities[index].argsort(descending=True)[:5]
        assert [name.rpartition(" ")[0].removesuffix(" <") for name in names] == [
            CLASSES[k].removesuffix("/top") for k in best
        ]


def upload(panel: Panel, name: str, content: bytes) -> None:
    panel.controls["upload"].value = (
        {"name": name, "type": "image/png", "size": len(content), "content": memoryview(content),
         "last_modified": datetime(2026, 1, 1)},
    )  # fmt: skip


def png(color: Any, size: tuple[int, int] = (80, 60), spot: Any = None) -> bytes:
    image = Image.new("RGB", size, color)
    if spot is not None:
        image.paste(spot, (size[0] // 3, size[1] // 3, size[0] // 2, size[1] // 2))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_uploads_of_every_kind(own: Panel) -> None:
    upload(own, "first.png", png("white", spot="navy"))
    assert_sound(own)
    assert "first.png" in own.texts[0] and "none of these" in own.texts[0]
    before = own.pictures
    upload(own, "second.png", png("black", (900, 40), spot="white"))
    assert_sound(own)
    assert own.pictures != before
    upload(own, "plain.png", png("grey"))
    assert_sound(own)
    assert "nothing stands out" in own.texts[0]


@pytest.mark.parametrize("content", [b"", b"a list of shirts", b"\x89PNG\r\n\x1a\n", png("white")[:40]])
def test_a_renamed_file_is_refused_politely_and_the_next_picture_welcome(own: Panel, content: bytes) -> None:
    upload(own, "<i>shirt</i>.png", content)
    assert_sound(own)
    assert "Sorry, &lt;i&gt;shirt&lt;/i&gt;.png cannot be shown" in own.texts[0] and own.texts[0].count("<i>") == 1
    upload(own, "good.png", png("white", spot="navy"))
    assert "good.png" in own.texts[0] and "Sorry" not in own.texts[0]


def test_without_an_upload_an_example_stands_there(own: Panel) -> None:
    own.controls["upload"].value = ()
    assert_sound(own)
    assert "An example" in own.texts[0]


def test_controls_are_labelled_and_sentences_stable(browser: Panel, own: Panel) -> None:
    controls = [*browser.controls.values(), *own.controls.values()]
    assert all(control.description and control.tooltip for control in controls)
    for make in (widgets.predictions_browser, widgets.own_picture):
        assert repr(make()).count(".") == 1 and make().name in repr(make())


def test_own_picture_tells_what_was_made_and_answered() -> None:
    shares = torch.tensor([0.5, 0.2, 0.1, 0.08, 0.05, 0.03, 0.02, 0.01, 0.005, 0.005])
    figure = own_picture(Image.new("RGB", (40, 30)), torch.zeros(28, 28, dtype=torch.uint8), shares)
    assert "T-shirt/top 50%, Trouser 20%" in figure.alt
