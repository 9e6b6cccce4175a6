"""The guide agrees with the notebooks, the checks, the commands and the test before and after; keys are computed."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import nn

from tests import notebook_rules as rules
from tools import times
from tools.__main__ import COMMANDS
from tools.facts import fact
from tools.guide_facts import GPU_BYTES
from tools.measured import measured
from tools.paths import NOTEBOOKS, notebooks
from tools.run_sheets import run_sheet
from vgg_lesson import build_vgg, check, memory, trace
from vgg_lesson.analysis.predictions import Predictions, calibration
from vgg_lesson.classroom.working_copy import copy_notebooks

TEST = NOTEBOOKS / "before_and_after_test.md"
PATHS = {path.stem[:2]: path for path in notebooks()}
ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)


@cache
def guide() -> str:
    """The guide's text."""
    return times.GUIDE.read_text(encoding="utf-8")


def section(start: str, text: str | None = None) -> str:
    """The part of the guide under the ## heading that begins with ``start``."""
    found = re.search(rf"^## {re.escape(start)}.*?(?=^## |\Z)", text or guide(), re.MULTILINE | re.DOTALL)
    assert found, f"the guide has no section {start}"
    return found[0]


def table(text: str, first: str) -> list[list[str]]:
    """The rows under the table head whose first cell is ``first``."""
    block = re.search(rf"^\| {re.escape(first)} \|.*(?:\n\|.*)*", text, re.MULTILINE)
    assert block, f"no table that begins with {first}"
    return [[cell.strip() for cell in match[1].split("|")] for match in ROW.finditer(block[0])][2:]


def headings(path: Path) -> list[str]:
    """The ## headings of a notebook, in order."""
    cells = (cell.source for cell in rules.read(path).cells if cell.cell_type == "markdown")
    return re.findall(r"^## (.*)$", "\n".join(cells), re.MULTILINE)


@pytest.mark.parametrize("number", PATHS)
def test_the_plan_adds_up_to_the_minutes_in_class(number: str) -> None:
    rows = table(section(number), "section")
    assert sum(int(minutes) for _, minutes, _ in rows) == times.planned(PATHS[number])[0]


@pytest.mark.parametrize("number", PATHS)
def test_the_plan_names_sections_of_the_notebook_in_their_order(number: str) -> None:
    there, planned = headings(PATHS[number]), [row[0] for row in table(section(number), "section")]
    assert planned == [name for name in there if name in planned] and len(planned) >= 5


@pytest.mark.parametrize("number", PATHS)
def test_each_notebook_has_what_an_instructor_needs(number: str) -> None:
    text = section(number)
    for part in (
        "**Aim.**",
        f"<!-- times:{number} -->",
        "**Short of time:**",
        "**Stop**",
        "**On the board**",
        "```text",
    ):
        assert part in text, part
    assert len(table(text, "ask before the run")) >= (2 if number == "00" else 4)


def test_timetables_add_up() -> None:
    ways, minutes = section("Three ways through"), {n: times.planned(p)[0] for n, p in PATHS.items()}
    clock = 0
    for starts, takes, what in table(ways, "starts at | takes | what"):
        assert int(starts) == clock, what
        assert int(takes) <= minutes.get(what[:2], int(takes)), what
        clock += int(takes)
    assert clock <= 240
    for _, what, teaching, rest, _ in table(ways, "session"):
        parts = what.split(", ")
        assert int(teaching) == sum(10 if part == "test" else minutes[part] for part in parts), what
        assert int(teaching) + int(rest.split(":")[0]) == 90
    taught = [part for row in table(ways, "session") for part in row[1].split(", ") if part != "test"]
    assert taught == list(PATHS)


@pytest.mark.parametrize(("path", "ends"), [("fifty", 50), ("half_day", 220)])
def test_run_sheets_name_every_section_minute_by_minute(path: str, ends: int) -> None:
    steps = run_sheet(path)
    for number in dict.fromkeys(step.notebook for step in steps):
        named = [step.section for step in steps if step.notebook == number and step.section != "*start*"]
        assert named == [name for name in headings(PATHS[number]) if name != "What you can say now"], number
    clock = next(step.starts for step in steps) or 0
    for step in steps:
        if step.minutes is not None and step.starts is not None:
            assert step.starts == clock or step.starts - clock in (10, 15), step  # a break
            clock = step.starts + step.minutes
    assert clock == ends


def test_run_sheets_take_core_exercises_and_all_of_what_they_do_not_skip() -> None:
    steps = run_sheet("half_day")
    for number in dict.fromkeys(step.notebook for step in steps):
        source = "\n".join(cell.source for cell in rules.read(PATHS[number]).cells)
        core = set(re.findall(r"^### Exercise (\d+\.\d+) \(core\)", source, re.MULTILINE))
        named = {name for step in steps if step.notebook == number for name in re.findall(r"\d+\.\d+", step.what)}
        assert named == core, number


def test_a_path_is_read_in_twenty_minutes() -> None:
    """At 125 words a minute, the sections of its notebooks included; tables of numbers are looked at, not read."""
    half_day = re.search(r"^### Half a day.*?(?=^### )", guide(), re.MULTILINE | re.DOTALL)
    assert half_day
    parts = [section("Before the class"), half_day[0], *(section(number) for number in ("02", "03", "05", "07"))]
    text = re.sub(r"<!--.*?-->|^```.*?^```|[|*`]|-{2,}", " ", "\n".join(parts), flags=re.MULTILINE | re.DOTALL)
    assert len(text.split()) <= 2500, len(text.split())


def test_checks_and_commands_that_it_names_are_there() -> None:
    named = re.findall(r"`check\.(\w+)", guide())
    assert len(named) >= 8 and set(named) <= set(check.EXERCISES)
    assert set(re.findall(r"python -m tools (\w+)", guide())) <= set(COMMANDS)


def test_checks_stand_under_their_notebook() -> None:
    for number, path in PATHS.items():
        source = "\n".join(cell.source for cell in rules.read(path).cells)
        for name in re.findall(r"`check\.(\w+)", section(number)):
            assert f"check.{name}(" in source, f"{name} is not in {path.name}"


def test_it_says_what_was_measured() -> None:
    assert times.rendered(guide(), measured()) == guide(), "run python -m tools times --table"


def test_students_get_the_questions_and_not_the_guide(tmp_path: Path) -> None:
    copy_notebooks(tmp_path / "copy")
    names = {path.name for path in (tmp_path / "copy").iterdir()}
    assert TEST.name in names and times.GUIDE.name not in names


@cache
def questions() -> list[dict[str, str]]:
    """The options of each question by letter."""
    parts = re.split(r"^\*\*(\d+)\.\*\*", TEST.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [int(number) for number in parts[1::2]] == list(range(1, len(parts) // 2 + 1))
    return [dict(re.findall(r"^- \*\*(\w)\*\* (.+)$", part, re.MULTILINE)) for part in parts[2::2]]


@cache
def keys() -> list[tuple[str, str]]:
    """The right letter of each question, and what stands behind it in the guide."""
    rows = table(section("The test before and after"), "question")
    found = [re.match(r"\*\*(\w)\*\* ?(.*)", row[1]) for row in rows]
    return [(match[1], match[2]) for match in found if match]


def test_ten_questions_with_four_options_and_a_key_each() -> None:
    assert len(questions()) == len(keys()) == fact("test.questions")
    for options, (letter, words) in zip(questions(), keys(), strict=True):
        assert list(options) == ["a", "b", "c", "d"] and letter in options
        assert ":" in words or words in options[letter]
        assert len(set(options.values())) == 4
    assert {letter for letter, _ in keys()} == {"a", "b", "c", "d"}
    assert "*Answer" not in TEST.read_text(encoding="utf-8")


def test_each_tempting_letter_is_a_wrong_one() -> None:
    for row, (right, _) in zip(table(section("The test before and after"), "question"), keys(), strict=True):
        wrong = re.findall(r"(?:^|\. |or )([a-d])(?=:| or )", row[3])
        assert wrong and right not in wrong, row


def test_keys_of_questions_with_a_number_are_computed() -> None:
    picture = torch.empty(1, 64, 224, 224, device="meta")
    conv = nn.Conv2d(64, 128, 3, padding=1, device="meta")
    side = conv(picture).shape[-1]
    assert questions()[0][keys()[0][0]] == f"{side}×{side}"
    params = sum(tensor.numel() for tensor in conv.parameters())
    assert questions()[1][keys()[1][0]].startswith(f"{params:,}<")
    # Block 1 of VGG-11 is one convolution and a pool; then comes the other convolution.
    assert questions()[3][keys()[3][0]].startswith(f"{trace('VGG-11').row('conv2_1').receptive_field}<")
    vgg = trace("VGG-11")
    macs = sum(row.macs for row in vgg.rows if row.kind == "conv")
    assert (
        vgg.fc_params > vgg.conv_params
        and macs > vgg.total_macs / 2
        and "fully connected layers, mult" in (questions()[4][keys()[4][0]])
    )
    bill = memory(trace("VGG-11"), 128, optimizer="sgd")
    assert bill.activations == max(bill.weights, bill.gradients, bill.optimizer, bill.activations)
    assert "outputs" in questions()[5][keys()[5][0]]


def test_exam_answers() -> None:
    network = build_vgg("VGG-16", in_channels=1, num_classes=20, image_size=64, device="meta")
    assert fact("exam.params") == sum(tensor.numel() for tensor in network.parameters())
    layers = [layer for layer in network.classifier if isinstance(layer, nn.Linear)]
    assert fact("exam.flattened") == layers[0].in_features
    assert fact("exam.fc6") == layers[0].weight.numel() + layers[0].bias.numel()
    rows = trace("VGG-13").rows
    busiest = [row.name for row in rows if row.macs == max(row.macs for row in rows)]
    assert busiest == [f"conv{block}_2" for block in (1, 2, 3, 4)]
    log = trace("VGG-11", in_channels=1, num_classes=10, width=0.25)
    size = int(fact("exam.batch"))
    assert memory(log, size).total <= GPU_BYTES < memory(log, size + 1).total
    relus = trace("VGG-16").config.weight_layers - 1
    assert fact("exam.spread15") == pytest.approx((1 / 6) ** (relus / 2))
    weight = nn.init.kaiming_normal_(torch.empty(512, 256, 3, 3), nonlinearity="relu")
    assert weight.std().item() == pytest.approx(fact("exam.he256"), rel=0.01)


def test_calibration_of_the_exam_agrees_with_the_package() -> None:
    from tools.guide_facts import BINS

    confidences, right = [], []
    for confidence, count, correct in BINS:
        confidences += [confidence - 1e-4] * count  # a hair inside the bin below its upper edge
        right += [True] * correct + [False] * (count - correct)
    first = torch.tensor(confidences)
    probabilities = torch.stack([first, 1 - first], dim=1)
    labels = (~torch.tensor(right)).long()
    found = calibration(Predictions(probabilities, labels), bins=10).error
    assert found == pytest.approx(fact("exam.calibration"), abs=2e-4)


def test_board_sketches_are_what_the_package_counts() -> None:
    rows = {row.name: row for row in trace("VGG-11").rows}
    shapes = ["×".join(map(str, rows[name].output_shape)) for name in ("input", *(f"pool{n}" for n in range(1, 6)))]
    assert " → ".join(shapes) in section("02")
    for name, words in (("conv1_1", "conv 3"), ("pool1", "pool 2"), ("conv2_1", "conv 3"), ("pool2", "pool 2")):
        field = rf"{words} .*= +{rows[name].receptive_field} +{rows[name].jump}$"
        assert re.search(field, section("01"), re.MULTILINE), name
    for start in (28, 32):
        sides = [start]
        while len(sides) < 6:
            sides.append(sides[-1] // 2)
        assert " → ".join(map(str, sides)) in section("04")
