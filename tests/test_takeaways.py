"""Notebook 12: keys by other means, a network that is no VGG and says so, its log, its figures."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import googlenet

from tests.figure_rules import complaints
from tools.benchmarks import ecosystem
from tools.facts import fact
from tools.inception import COLUMNS, NETWORKS, SEEDS, taught
from vgg_lesson import ImageSet, build_vgg, check, fit, trace, widgets
from vgg_lesson.analysis.intervals import interval
from vgg_lesson.classroom import figures as fig
from vgg_lesson.classroom import takeaways as inception
from vgg_lesson.classroom.checks import takeaways
from vgg_lesson.classroom.checks import takeaways_quiz as quiz
from vgg_lesson.classroom.checks.train_it_well import standard_error
from vgg_lesson.classroom.figures.takeaways import TableRow, table_rows
from vgg_lesson.classroom.widgets.shared import Panel
from vgg_lesson.classroom.widgets.takeaways import show_module
from vgg_lesson.configs import CLASS_NETWORK, CONFIGS
from vgg_lesson.records.published import published
from vgg_lesson.records.stored_runs import ToolRun, log_names, read_log, stored_tools
from vgg_lesson.support.style import LessonFigure

PAPERS = {192: inception.MODULE_3A, 256: (128, (128, 192), (32, 96), 64)}  # 3a and 3b
RANDOM = torch.randint(0, 256, (40, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
FEW = ImageSet(RANDOM, torch.arange(40) % 10, "random")


@cache
def lesson() -> dict[str, Any]:
    """What the notebook teaches, executed once."""
    return taught()


def built_module(inputs: int, cell: Any) -> Any:
    """A module of the notebook, without memory."""
    module = lesson()["Inception"]
    with torch.device("meta"):
        return module(inputs, *cell)


def multiplications(model: nn.Module, *shape: int) -> int:
    """Multiply-accumulates of a forward pass, by PyTorch's own counter."""
    with FlopCounterMode(display=False) as counter:
        model.eval()(torch.zeros(*shape, device=next(model.parameters()).device))
    return counter.get_total_flops() // 2


@pytest.mark.parametrize("inputs", PAPERS)
def test_the_module_is_counted_as_torch_and_the_paper_count_it(inputs: int) -> None:
    cell = PAPERS[inputs]
    module = built_module(inputs, cell)
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    assert sum(p.numel() for layer in layers for p in layer.parameters()) == inception.module_params(inputs, cell)
    shape = module(torch.empty(2, inputs, 28, 28, device="meta")).shape
    assert shape == (2, module.channels, 28, 28) and module.channels == {192: 256, 256: 480}[inputs]
    weights = sum(layer.weight.numel() for layer in layers)
    assert multiplications(module, 1, inputs, 28, 28) == weights * 28**2
    if inputs == 192:
        paper = published("googlenet_module_3a")
        assert int(weights / 1024) == paper["thousand_parameters"] and fact("take.module_weights") == weights
        assert round(weights * 28**2 / 1e6) == paper["million_operations"]


def test_the_block_beside_it_is_two_convolutions() -> None:
    convs = nn.Conv2d(192, 256, 3, device="meta"), nn.Conv2d(256, 256, 3, device="meta")
    assert takeaways.block_params() == sum(p.numel() for conv in convs for p in conv.parameters())
    ratio = takeaways.block_params() / inception.module_params(192)
    assert abs(ratio - 6) < 0.5 and check.module_guess("a").status == "right", "about a sixth"
    assert ratio == pytest.approx(fact("take.times_fewer"))


def test_torchvisions_module_has_the_window_that_the_exercise_says() -> None:
    with torch.device("meta"):
        library = googlenet(init_weights=False, aux_logits=False).inception3a
    kernels = [layer.kernel_size for layer in library.branch3.modules() if isinstance(layer, nn.Conv2d)]
    assert kernels == [(1, 1), (3, 3)]
    weights = sum(p.numel() for p in library.parameters() if p.ndim == 4)
    assert fact("take.module_weights") - weights == fact("take.library_gap")


def test_both_networks_do_equal_work_and_are_nearly_equally_large() -> None:
    rival, modular = lesson()["rival"](), lesson()["small_inception"]()
    one, other = (multiplications(model, 1, 1, 32, 32) for model in (rival, modular))
    assert one == trace(**{**CLASS_NETWORK, "config": rival.config, "head": "gap"}).total_macs
    assert abs(other / one - 1) < 0.001
    sizes = [sum(p.numel() for p in model.parameters()) for model in (rival, modular)]
    assert abs(sizes[1] / sizes[0] - 1) < 0.05
    assert modular(torch.zeros(2, 1, 32, 32)).shape == (2, 10)
    stem = [tuple(p.shape) for p in rival.features[:2].parameters()]
    assert stem == [tuple(p.shape) for p in modular.parameters()][: len(stem)]


def test_initialisation_reaches_the_modules_and_follows_the_seed() -> None:
    def drawn(seed: int) -> list[torch.Tensor]:
        torch.manual_seed(seed)
        return list(lesson()["small_inception"]().parameters())

    same, other = drawn(0), drawn(1)
    assert all(torch.equal(a, b) for a, b in zip(drawn(0), same, strict=True))
    drawn_tensors = [(a, b) for a, b in zip(same, other, strict=True) if a.ndim > 1]
    assert len(drawn_tensors) == 2 + 4 * 6 + 1 and not any(torch.equal(a, b) for a, b in drawn_tensors)
    for weight, _ in drawn_tensors:
        if weight.numel() > 2000:
            assert weight.std().item() == pytest.approx((2 / weight[0].numel()) ** 0.5, rel=0.1)


def test_the_engine_trains_it_and_its_gradients_reach_every_path() -> None:
    torch.manual_seed(0)
    model = lesson()["small_inception"]()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    history = fit(model, FEW, FEW, steps=3, batch_size=20, lr=0.01, show=False)
    assert len(history.step_losses) == 3 and history.last.validation_accuracy is not None
    # A bias in front of batch norm has no effect, so its gradient is rounding only.
    still = [name for name, p in model.named_parameters() if p.ndim > 1 and torch.equal(p, before[name])]
    assert not still


def test_a_checkpoint_tells_it_from_a_vgg_and_from_another_network(tmp_path: Path) -> None:
    short: Any = {"epochs": 1, "batch_size": 20, "show": False, "checkpoint": tmp_path / "run.pt"}
    build = lesson()["small_inception"]
    fit(build(), FEW, **short)
    assert fit(build(), FEW, **short).epochs, "the same network goes on"
    for model in (lesson()["rival"](), nn.Sequential(build())):
        with pytest.raises(ValueError, match="belongs to a run with other"):
            fit(model, FEW, **short)


def test_the_stored_runs_are_complete_pairs() -> None:
    about, rows = read_log("inception")
    assert "python -m tools inception" in about and "no run has seen the test set" in about
    assert tuple(rows[0]) == COLUMNS
    assert [(row["network"], int(row["seed"])) for row in rows] == [(n, s) for s in SEEDS for n in NETWORKS]
    assert {row["steps"] for row in rows} == {"150"} and all(0.8 < float(row["accuracy"]) < 0.95 for row in rows)
    assert fact("take.gap_low") < fact("take.gap_high") and check.equal_work_guess("b").status == "right"


@pytest.mark.parametrize("gaps", [(1.0, 3.0), (1.0, 1.1), (1.0, 1.2), (-0.3, 0.4), (-2.0, -2.0)])
def test_two_seeds_settle_something_only_with_a_mean_of_more_than_six_gaps(gaps: tuple[float, float]) -> None:
    distance = abs(gaps[0] - gaps[1])
    assert (not interval(gaps).holds_zero) == (abs(sum(gaps) / 2) > 12.706 / 2 * distance)


def test_quiz_keys_by_other_means() -> None:
    convs = [nn.Conv2d(1, 1, 3, padding=1) for _ in range(4)]
    picture = torch.zeros(1, 1, 21, 21, requires_grad=True)
    for conv in convs:
        nn.init.ones_(conv.weight)
    nn.Sequential(*convs)(picture)[0, 0, 10, 10].backward()
    assert picture.grad is not None and int((picture.grad[0, 0, 10] != 0).sum()) == quiz.quiz_stack(4)
    vgg = build_vgg("VGG-16", image_size=quiz.QUIZ_SIDE, device="meta")
    assert next(layer for layer in vgg.classifier if isinstance(layer, nn.Linear)).in_features == quiz.quiz_flat()
    narrow, wide = (nn.Conv2d(c, c, 3, padding=1, device="meta") for c in (64, 128))
    ratio = multiplications(wide, 1, 128, 8, 8) / multiplications(narrow, 1, 64, 8, 8)
    assert ratio == 4 and quiz.quiz_wider() == "c"
    first = nn.Conv2d(1, 64, 3, padding=1, device="meta")
    assert multiplications(first, 1, 1, 224, 224) / multiplications(first, 1, 1, 28, 28) == quiz.quiz_enlarged()
    layer = nn.Conv2d(128, 128, 3)
    default = layer.weight.std().item()
    assert nn.init.kaiming_normal_(layer.weight).std().item() / default == pytest.approx(quiz.quiz_he(), rel=0.01)
    assert standard_error(quiz.QUIZ_ACCURACY, quiz.quiz_judge()) == pytest.approx(quiz.QUIZ_ERROR)
    assert (quiz.quiz_batch(), quiz.quiz_temperature()) == ("c", "a")


def test_the_class_ranks_where_the_guess_says() -> None:
    accuracy, rows = published("fashion_mnist_accuracy"), range(5)
    ours = [float(read_log(f"class_seed{seed}")[1][-1]["accuracy"]) for seed in rows]
    others = [row.accuracies[0] for row in table_rows() if not row.name.startswith("people")]
    assert accuracy["human"] < min(ours) and max(ours) < min(others), "no other entry that we compared it with"
    assert all("looked at once" in read_log(f"class_seed{seed}")[0] for seed in rows)
    assert {"stall_seed2", "fix_he_seed2"} <= set(log_names())


def test_the_stored_tools_are_those_of_the_benchmark() -> None:
    runs = stored_tools()
    assert [run.name for run in runs] == [tool.name for tool in ecosystem.TOOLS]
    assert runs[-1].name == ecosystem.OURS.name
    for run, tool in zip(runs, ecosystem.TOOLS, strict=True):
        assert (run.lines, run.network_lines) == ecosystem.lines(tool.path)
        seconds = [taken for taken, _ in run.looks]
        assert seconds == sorted(seconds) and all(0 < accuracy < 1 for _, accuracy in run.looks)


def test_stacks_of_the_columns() -> None:
    longest = {name: max(map(len, config.blocks)) for name, config in CONFIGS.items()}
    assert [longest[name] for name in ("VGG-11", "VGG-13", "VGG-16", "VGG-19")] == [2, 2, 3, 4]


def drawn_figures() -> dict[str, LessonFigure]:
    """One of each, with inputs at their ends."""
    runs = {"one": [0.85, 0.86, 0.84], "other": [0.86, 0.85, 0.85]}
    own = [TableRow("ours", (0.9, 0.91), "1", "none; tested once", True)]
    costs = {"a": {"3×3": 10}, "b": {"1×1": 3, "1×1 before 5×5": 2, "5×5": 4, "pool, 1×1": 1}}
    return {
        "layout": fig.one_layout({"a,\nb": [0.1, 0.1], "c": [0.95]}),
        "table": fig.beside_the_table(own),
        "module": fig.inception_module(192, inception.MODULE_3A, 28),
        "costs": fig.module_costs(costs, "Costs"),
        "pairs": fig.seed_pairs(runs, {"one": [0.1], "other": [0.12]}),
        "stored": fig.seed_pairs(runs),
        "tools": fig.tools_compared(stored_tools()),
        "two tools": fig.tools_compared([ToolRun("slow", ((1, 0.5), (900, 0.91)), 100, 9, 10), stored_tools()[-1]]),
    }


def test_figures_can_be_read_and_say_what_they_show() -> None:
    figures = drawn_figures()
    for name, figure in figures.items():
        assert not list(complaints(figure)), name
        assert figure.png().startswith(b"\x89PNG")
    assert "10.00%" in figures["layout"].alt and "95.00%" in figures["layout"].alt
    alt = figures["table"].alt
    order = [alt.index(row.name) for row in sorted(table_rows(), key=lambda row: -row.accuracies[0])]
    assert order == sorted(order) and "ours 90.00% to 91.00%" in alt
    assert "Joined: 256" in figures["module"].alt
    assert "a 10; b 10" in figures["costs"].alt
    assert "slow: 900 seconds, 91.00%, 100 lines, 10.0 GB" in figures["two tools"].alt
    assert figures["pairs"].alt == figures["stored"].alt, "what is live changes from run to run"


@pytest.fixture(scope="module", name="panel")
def panel_fixture() -> Panel:
    return widgets.inception_module().panel


@pytest.mark.parametrize("ends", [("min",) * 6, ("max",) * 6, ("min", "max") * 3, ("max", "min") * 3], ids="-".join)
def test_the_view_holds_at_its_ends(panel: Panel, ends: tuple[str, ...]) -> None:
    values = {name: getattr(control, end) for (name, control), end in zip(panel.controls.items(), ends, strict=True)}
    for name, value in values.items():
        panel.controls[name].value = value
    panel.refresh()
    assert panel.values == values and panel.error == "" and len(panel.pictures) == 2
    assert all(not list(complaints(part)) for part in show_module(**values) if isinstance(part, LessonFigure))


def test_the_view_begins_with_the_papers_module_and_follows_every_control(panel: Panel) -> None:
    start = {name: control.value for name, control in widgets.inception_module().panel.controls.items()}
    costs, _ = (part for part in show_module(**start) if isinstance(part, LessonFigure))
    assert f"{inception.module_params(192):,}" in costs.alt and f"{takeaways.block_params():,}" in costs.alt
    for name, value in start.items():
        panel.controls[name].value = value
    for name, control in panel.controls.items():
        before = panel.pictures
        control.value += control.step
        panel.refresh()
        assert panel.pictures != before, name


def test_table_rows_carry_what_the_table_states() -> None:
    rows = {row.name: row for row in table_rows()}
    assert len(rows) == len(published("fashion_mnist_entries")) == 8
    assert rows["VGG16"].parameters == "26M" and rows["ResNet18"].parameters == "not stated"
    assert [row.images for row in rows.values()].count(1000) == 1
    assert not any(row.ours for row in rows.values())
    assert all(0.8 < a < 1 for a in itertools.chain(*(row.accuracies for row in rows.values())))
