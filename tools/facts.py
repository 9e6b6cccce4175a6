"""The facts behind the numbers in the prose: name → value, computed or quoted, never typed into a sentence.

Six kinds of names:

- ``FACTS`` below, for whatever a line of Python can say;
- ``NETWORK.total`` and ``NETWORK.layer.column`` for the networks in ``NETWORKS``: ``post.params``,
  ``post.fc6.macs_share``, ``vgg16.conv_layers``; see ``TOTALS`` and ``COLUMNS``;
- ``published.KEY`` for figures that others published, kept with their source in
  ``vgg_lesson/assets/published.json``;
- ``proofs.NAME.FIGURE`` for what the proofs measured; see `tools.proofs`;
- ``times.NUMBER.CORES.FIELD`` for what was measured about running a notebook; see `tools.measured`;
- ``runs.NAME.COLUMN.WHICH`` for the logs in ``vgg_lesson/assets/runs/NAME.csv``, WHICH being a row counted
  from 0, ``last``, ``min``, ``max`` or ``count``.

A list takes an index, also from the end: ``published.post_test_accuracy.9`` or ``….-1``.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable, Mapping
from functools import cache, partial
from operator import gt
from typing import Any

from tools import factors_facts, guide_facts, inside_facts, reuse_facts, scaling_facts, takeaways_facts
from tools.measured import time_fact
from tools.paths import ASSETS, RECORDS
from tools.proof_guide import proof_fact
from vgg_lesson.arithmetic import FLOAT32_BYTES, LayerRow, LayerTrace, memory, trace
from vgg_lesson.classroom.checks.predictions import all_right
from vgg_lesson.classroom.checks.train_it_well import ACCURACY, IMAGES, SMOOTHING, smallest_loss, standard_error
from vgg_lesson.configs import CLASS_NETWORK
from vgg_lesson.data.datasets import MEAN, STD
from vgg_lesson.data.idx import FULL_COUNTS, SAMPLE_COUNTS
from vgg_lesson.records.published import published
from vgg_lesson.records.stored_runs import log_names, read_log
from vgg_lesson.training.checkpoints import trained_card

Number = int | float

NETWORKS: Mapping[str, Callable[[], LayerTrace]] = {
    "vgg11": lambda: trace("VGG-11"),
    "vgg11_lrn": lambda: trace("VGG-11-LRN"),
    "vgg13": lambda: trace("VGG-13"),
    "vgg16_1x1": lambda: trace("VGG-16-1x1"),
    "vgg16": lambda: trace("VGG-16"),
    "vgg19": lambda: trace("VGG-19"),
    # The post's text, its published log, the network of the class, and variations on the post's.
    "post": lambda: trace("VGG-11", in_channels=1, num_classes=10),
    "post_log": lambda: trace("VGG-11", in_channels=1, num_classes=10, width=0.25),
    "class": lambda: trace(**CLASS_NETWORK),
    "post_vgg16": lambda: trace("VGG-16", in_channels=1, num_classes=10),
    "post_gap": lambda: trace("VGG-11", in_channels=1, num_classes=10, head="gap"),
    "post_at_112": lambda: trace("VGG-11", in_channels=1, num_classes=10, image_size=112),
    "post_at_32": lambda: trace("VGG-11", in_channels=1, num_classes=10, image_size=32),
}
TOTALS: Mapping[str, Callable[[LayerTrace], Number]] = {
    "params": lambda t: t.total_params,
    "conv_params": lambda t: t.conv_params,
    "fc_params": lambda t: t.fc_params,
    "macs": lambda t: t.total_macs,
    "fc_macs": lambda t: sum(row.macs for row in t.rows if row.kind == "linear"),
    "activations": lambda t: t.total_activations,
    "conv_share": lambda t: t.conv_params / t.total_params,
    "fc_share": lambda t: t.fc_params / t.total_params,
    "fc_macs_share": lambda t: sum(row.macs for row in t.rows if row.kind == "linear") / t.total_macs,
    "conv_layers": lambda t: t.config.conv_layers,
    "weight_layers": lambda t: t.config.weight_layers,
    "weight_bytes": lambda t: memory(t, 1).weights,
}
COLUMNS: Mapping[str, Callable[[LayerTrace, LayerRow], Number]] = {
    "params": lambda t, row: row.params,
    "macs": lambda t, row: row.macs,
    "activations": lambda t, row: row.activations,
    "channels": lambda t, row: row.output_shape[0],
    "side": lambda t, row: row.output_shape[-1],
    "receptive_field": lambda t, row: row.receptive_field or 0,
    "jump": lambda t, row: row.jump or 0,
    "params_share": lambda t, row: row.params / t.total_params,
    "macs_share": lambda t, row: row.macs / t.total_macs,
    "activations_share": lambda t, row: row.activations / t.total_activations,
}


def _block_params(name: str, number: int) -> int:
    return sum(row.params for row in network(name).rows if row.name.startswith(f"conv{number}_"))


@cache
def network(name: str) -> LayerTrace:
    """The counted network called ``name`` in ``NETWORKS``."""
    return NETWORKS[name]()


@cache
def log(name: str) -> Mapping[str, list[float]]:
    """A stored log as columns of numbers; cells that hold text are left out of their column."""
    _, rows = read_log(name)
    columns = {column: [row[column] for row in rows] for column in (rows[0] if rows else ())}
    return {column: [float(cell) for cell in cells if _is_number(cell)] for column, cells in columns.items()}


def ablation_points(change: str) -> float:
    """What a change of the class plan brought on held-out pictures, in percentage points."""
    path = RECORDS / "benchmarks" / "ablation.json"
    return float(json.loads(path.read_text(encoding="utf-8"))["figures"][change]["points"])


def pairs_won(change: str) -> int:
    """In how many of the further pairs of runs, one seed each, the changed plan was the better one."""
    runs = json.loads((RECORDS / "benchmarks" / "gains.json").read_text(encoding="utf-8"))["figures"]
    return sum(map(gt, runs[change]["accuracies"], runs["the class plan"]["accuracies"]))


def sprint_share() -> float:
    """Seconds of the sprint over those of the class plan with the same seed; the median."""
    path = RECORDS / "benchmarks" / "sprint.json"
    return float(json.loads(path.read_text(encoding="utf-8"))["figures"]["share"])


def post_rounding() -> float:
    """How far bf16 moves the stored losses of the post's network in its first steps, those that there are in fp32."""
    pairs = zip(log("post_pytorch")["loss"], log("post_pytorch_fp32")["loss"], strict=False)
    return max(abs(short - long) for short, long in pairs)


# One section per notebook, in their order. Add yours with `FACTS |= {...}`.
FACTS: dict[str, Callable[[], Number]] = {
    "paper.hidden": lambda: 4096,
    "paper.classes": lambda: 1000,
    "data.train": lambda: FULL_COUNTS["train"],
    "data.test": lambda: FULL_COUNTS["test"],
    "data.sample_train": lambda: SAMPLE_COUNTS["train"],
    "data.sample_test": lambda: SAMPLE_COUNTS["test"],
    "chance": lambda: 0.1,
    "ln10": lambda: math.log(10),
    "ln1000": lambda: math.log(1000),
}

# README

# 01 why depth: weights of a layer with C channels in and out, in units of C²
FACTS |= {
    "kernel7_extra": lambda: 49 / 27 - 1,
    "stack_saving7": lambda: 1 - 27 / 49,
    # The first layer reads 3 channels and writes 64.
    "depth.first_large": lambda: 49 * 3 * 64,
    "depth.first_stack_over_large": lambda: (9 * 3 * 64 + 2 * 9 * 64 * 64) / (49 * 3 * 64),
    # Two cells at every side of a 14×14 grid.
    "depth.frame_share_14": lambda: 1 - (14 - 4) ** 2 / 14**2,
    # Three maps of VGG's third block, batch 128, float32.
    "depth.stack_activation_bytes": lambda: 3 * network("vgg16").row("conv3_1").activations * 128 * 4,
    "depth.seen_share": lambda: (network("vgg11").row("pool5").receptive_field or 0) ** 2 / 224**2,
}

# 02 architecture
FACTS |= {
    "flattened": lambda: 512 * 7 * 7,
    "architecture.fc6_without_pool5": lambda: 512 * 14 * 14 * 4096,
}

# 03 parameter arithmetic
FACTS |= {
    **{f"count.block{number}": partial(_block_params, "post", number) for number in range(1, 6)},
    "count.block1_activations_share": lambda: (
        sum(network("post").row(name).activations for name in ("conv1_1", "pool1")) / network("post").total_activations
    ),
    "count.older_conv1": lambda: network("vgg11").row("conv1_1").params,
    "count.older_post": lambda: network("post_vgg16").total_params + 1792 - 640,
    "count.rgb_extra": lambda: network("vgg11").row("conv1_1").params - network("post").row("conv1_1").params,
    "count.classes_extra": lambda: network("vgg11").row("fc8").params - network("post").row("fc8").params,
    "count.deepest_over_shallowest": lambda: network("vgg19").total_params / network("vgg11").total_params - 1,
    "count.quarter_times_fewer": lambda: network("post").total_params / network("post_log").total_params,
    "count.quarter_times_fewer_macs": lambda: network("post").total_macs / network("post_log").total_macs,
    "count.gap_times_fewer": lambda: network("post").total_params / network("post_gap").total_params,
    "count.gap_macs_saved": lambda: 1 - network("post_gap").total_macs / network("post").total_macs,
    "bill.picture": lambda: memory(network("post"), 1).activations,
    "bill.fixed_sgd": lambda: 2 * memory(network("post"), 1).weights,
    "bill.fixed_momentum": lambda: 3 * memory(network("post"), 1).weights,
    "bill.class_total": lambda: memory(network("class"), 128).total,
    "bill.vgg16_batch128": lambda: memory(network("vgg16"), 128).total,
    "bill.vgg16_batch256": lambda: memory(network("vgg16"), 256).total,
    "bill.vgg16_batch64": lambda: memory(network("vgg16"), 64).total,
}

# 04 data
FACTS |= {
    "data.mean": lambda: MEAN,
    "data.std": lambda: STD,
    "data.stored_bytes": lambda: FULL_COUNTS["train"] * 28**2,
    "upsampling.pixels": lambda: 224**2 // 28**2,
    "upsampling.large_pixels": lambda: 224**2,
    "upsampling.bytes_per_value": lambda: FLOAT32_BYTES,
    "upsampling.bytes": lambda: FLOAT32_BYTES * 224**2 // 28**2,
    "upsampling.early_macs_share": lambda: (
        sum(row.macs for row in network("post").rows if row.name[:5] in ("conv1", "conv2", "conv3"))
        / network("post").total_macs
    ),
}


def _spread_growth(seed: int) -> float:
    spreads = log(f"stall_seed{seed}")["spread"]
    return spreads[-1] / spreads[0]


def _ends(*runs: str) -> list[float]:
    """The last losses of stored runs, of three seeds each."""
    return [log(f"{run}_seed{seed}")["loss"][-1] for run in runs for seed in range(3)]


# 05 why it stalls: ten ReLU layers, each keeping 1/6 of the variance under PyTorch's default initialisation
FACTS |= {
    "stall.rms_ten_layers": lambda: 6**-5,
    "stall.linear_params": lambda: (28 * 28 + 1) * 10,
    "stall.fc8_params": lambda: (1024 + 1) * 10,
    "stall.gap_bound": lambda: 1e-4,
    "stall.magnify": lambda: 10_000,
    "stall.bf16_gap": lambda: 2**-6 * 2**-7,  # from 1/64 to 1/32, in steps of 7 fraction bits
    "stall.published_steps": lambda: 10 * math.ceil(FULL_COUNTS["train"] / 128),
    "stall.published_steps_lost": lambda: 3 * math.ceil(FULL_COUNTS["train"] / 128),
    "stall.patience": lambda: 3000,
    "stall.post_rounding": post_rounding,
    **{f"stall.spread_growth.{seed}": partial(_spread_growth, seed) for seed in range(3)},
    "stall.suspects_lowest": lambda: min(_ends("suspect_lr", "suspect_momentum")),
    "stall.suspects_highest": lambda: max(_ends("suspect_lr", "suspect_momentum")),
    "stall.biases_lowest": lambda: min(_ends("suspect_biases")),
    "stall.biases_highest": lambda: max(_ends("suspect_biases")),
}


# 06 train it well
FACTS |= {
    "recipes.guess_images": lambda: 1000,
    "recipes.validation": lambda: FULL_COUNTS["train"] // 12,
    "recipes.training": lambda: FULL_COUNTS["train"] - FULL_COUNTS["train"] // 12,
    "recipes.accuracy_error": lambda: standard_error(ACCURACY, IMAGES),
    "recipes.factor": lambda: 1000,
    "recipes.pictures_seen": lambda: 120 * 128,
    "recipes.smooth_target": lambda: 1 - SMOOTHING + SMOOTHING / 10,
    "recipes.smoothing_points": lambda: -ablation_points("without label smoothing"),
    "recipes.decay_points": lambda: ablation_points("with weight decay"),
    "recipes.decay_won": lambda: pairs_won("with weight decay"),
    "recipes.default_init_won": lambda: pairs_won("PyTorch's initialisation"),
    "recipes.sprint_share": sprint_share,
    "recipes.default_init_points": lambda: ablation_points("PyTorch's initialisation"),
    "recipes.loss_floor": lambda: smallest_loss(SMOOTHING, 10),
    "recipes.times_fewer": lambda: network("post_log").total_params / network("class").total_params,
}


# 07 predictions
def smoothed_confidence() -> float:
    """Mean confidence of a network as often right as the shipped one, had it learned its smoothed targets exactly."""
    right, target = trained_card()["test_accuracy"], 1 - SMOOTHING + SMOOTHING / 10
    return right * target + (1 - right) * SMOOTHING / 10


FACTS |= {
    "predictions.eight_at_90": lambda: all_right(0.9, 8),
    "predictions.people_images": lambda: 1000,  # see the source of published("fashion_mnist_accuracy")
    "predictions.smoothing": lambda: SMOOTHING,
    "predictions.smoothed_confidence": smoothed_confidence,
}


# The instructor's guide, the test before and after, the exam
FACTS |= guide_facts.FACTS

# 08 look inside
FACTS |= inside_facts.FACTS

# 10 reuse the backbone
FACTS |= reuse_facts.FACTS

# 09 does depth help
FACTS |= factors_facts.FACTS

# 11 scale up
FACTS |= scaling_facts.FACTS

# 12 takeaways
FACTS |= takeaways_facts.FACTS


def fact(name: str) -> Number:
    """The value behind a name.

    Raises:
        ValueError: an unknown name, with the nearest known ones; or a name that stands for a list.
    """
    value = _look_up(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"fact {name!r} is {value!r}; a number is expected: add an index such as {name}.0")
    return value


def known_names() -> list[str]:
    """Every name that needs no index: for advice and for a look round."""
    traced = [f"{net}.{total}" for net in NETWORKS for total in TOTALS]
    layers = [f"{n}.{row.name}.{column}" for n in NETWORKS for row in network(n).rows for column in COLUMNS]
    figures = json.loads((ASSETS / "published.json").read_text(encoding="utf-8"))
    runs = [f"runs.{name}.{column}.last" for name in log_names() for column, cells in log(name).items() if cells]
    return [*FACTS, *(f"published.{key}" for key in figures), *traced, *runs, *layers]


def _look_up(name: str) -> Any:
    if name in FACTS:
        return FACTS[name]()
    first, *rest = name.split(".")
    try:
        if first == "published":
            return _indexed(published(rest[0]), rest[1:])
        if first == "times":
            return time_fact(*rest)
        if first == "proofs":
            return proof_fact(*rest)
        if first == "runs":
            return _from_log(".".join(rest[:-2]), *rest[-2:])
        if len(rest) == 1:
            return TOTALS[rest[0]](network(first))
        return COLUMNS[rest[1]](network(first), network(first).row(rest[0]))
    except (KeyError, IndexError, ValueError, TypeError):
        near = difflib.get_close_matches(name, known_names(), n=3)
        advice = f"did you mean {' or '.join(near)}?" if near else "see tools/facts.py for the names there are"
        raise ValueError(f"there is no fact called {name!r}; {advice}") from None


def _from_log(run: str, column: str, which: str) -> Number:
    cells = log(run)[column]
    summaries: dict[str, Callable[[list[float]], Number]] = {"min": min, "max": max, "count": len}
    if which in summaries:
        return summaries[which](cells)
    return cells[-1 if which == "last" else int(which)]


def _indexed(value: Any, indices: list[str]) -> Any:
    for index in indices:
        value = value[int(index)] if isinstance(value, list) else value[index]
    return value


def _is_number(cell: str | None) -> bool:
    try:
        return cell is not None and math.isfinite(float(cell))
    except ValueError:
        return False
