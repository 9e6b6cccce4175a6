"""A valid call of every figure, for `tests.bad_input` to spoil."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from PIL import Image

from tests.bad_input import ANY, Row
from tests.bad_input_rows import DATA, HISTORY, IMAGES, PREDICTIONS
from vgg_lesson import History, VGGConfig, calibration, figures, memory, trace
from vgg_lesson.analysis.signal import LayerSignal
from vgg_lesson.classroom import scale_up as scaling_counts
from vgg_lesson.classroom.figures import Window
from vgg_lesson.classroom.figures import look_inside as inside
from vgg_lesson.classroom.figures import look_inside_heat as heat
from vgg_lesson.classroom.figures import reuse_the_backbone as reuse
from vgg_lesson.classroom.figures import scale_up as scaling
from vgg_lesson.classroom.figures.look_inside_heat import Heat
from vgg_lesson.configs import CONFIGS, Conv
from vgg_lesson.data.datasets import ImageSet
from vgg_lesson.records import stored_runs
from vgg_lesson.records.factors import FactorRun

GARMENT, LARGE = IMAGES[0], torch.rand(224, 224, generator=torch.Generator().manual_seed(0))
COUNTED = trace("VGG-11", in_channels=1, num_classes=10, image_size=32, width=0.25, hidden=64)
AT_28 = trace(VGGConfig("two", ((Conv(4),), (Conv(8),))), in_channels=1, num_classes=10, image_size=28, hidden=8)
EVERY_CLASS = ImageSet(IMAGES[torch.arange(20) % 12], torch.arange(20) % 10)
SIGNALS = [LayerSignal(f"fc{place}", 1.0, 0.5**place) for place in range(3)]
SCORES = torch.randn(2, 10, generator=torch.Generator().manual_seed(0))
CHANCE = torch.full((10,), 0.1)
SPREAD = torch.rand(20, 2, generator=torch.Generator().manual_seed(0))
NOTHING = History("nothing")  # a run without a single step
CLASSES = [str(label) for label in range(10)]
TEXT, SIGNED = ("unknown",), ("zero", "negative")
ANY_LENGTH = ("longer", "shorter")
PICTURE = ("longer", "size", "dtype")


def rows() -> Mapping[str, Row]:
    """``figures.MODULE.NAME`` → a valid call."""
    groups = (
        _architecture(), _costs(), _curves(), _data(), _depth(), _factors(), _learning(), _predictions(), _signal(),
        _takeaways(),
        _inside(),
        _later(),
    )  # fmt: skip
    return {f"figures.{name}": row for group in groups for name, row in group.items()}


def _architecture() -> dict[str, Row]:
    field = trace("VGG-11", image_size=32)
    near = torch.ones(32, 32)
    return {
        "architecture.draw_windows": Row(
            figures.draw_windows, lambda: {"windows": [Window("a", 5, 3), Window("b", 5, 3, 1)]},
            {"windows": ANY_LENGTH},
        ),
        "architecture.draw_sizes": Row(
            figures.draw_sizes, lambda: {"sizes": {"a": [32, 16, 8]}},
            also={"sizes": [{"a": [0]}, {"a": ["32"]}, {str(i): [4, 2] for i in range(8)}]},
        ),
        "architecture.draw_cost_rules": Row(
            figures.draw_cost_rules, lambda: {"costs": {"a": [5, 6], "b": [7, 8]}},
            also={"costs": [{"a": [1, 2], "b": [1]}, {"a": [0, 1]}]},
        ),
        "architecture.draw_table": Row(
            figures.draw_table, lambda: {"configs": [CONFIGS["VGG-11"], CONFIGS["VGG-13"]]}, {"configs": ANY_LENGTH}
        ),
        "network.draw_network": Row(
            figures.draw_network, lambda: {"config": "VGG-11", "image_size": 64}, also={"image_size": [31]}
        ),
        "cell.cell_window": Row(
            figures.cell_window,
            lambda: {"image": near, "counted": field, "layer": "pool2", "cell": (1, 1), "influence": near},
            {"image": ("dtype",), "influence": ("none", "dtype")},
            also={"layer": ["fc6"], "cell": [(8, 0), (0, -1), (1.5, 0)], "image": [torch.ones(33, 33)],
                  "influence": [torch.ones(31, 31)]},
        ),
        "cell.half_of": Row(
            figures.half_of, lambda: {"influence": near, "box": (0, 0, 32)}, {"influence": ("dtype",)}
        ),
        "receptive_field.windows_on_garment": Row(
            figures.windows_on_garment, lambda: {"image": LARGE, "windows": [("a", 100, 20), ("b", 50, 120)]},
            {"image": ("dtype",), "windows": ANY_LENGTH}, also={"windows": [[("a", 1, 0)], [("a", 1)], [(1, 1, 1)]]},
        ),
        "receptive_field.field_growth": Row(
            figures.field_growth, lambda: {"fields": {"a": [3, 6, 10]}, "image_size": 32},
            also={"fields": [{"a": [0]}, {str(i): [3] for i in range(8)}]},
        ),
        "receptive_field.windows_over_edge": Row(
            figures.windows_over_edge, lambda: {"image": LARGE, "windows": [("a", -5, 20)]}, {
                "image": ("dtype",), "windows": ("longer",)},
            also={"windows": [[("a", 1, 1)] * 8]},
        ),
        "receptive_field.influence": Row(
            figures.influence, lambda: {"gradient": LARGE, "first": 5, "field": 20, "box": (10, 10)},
            {"gradient": ("dtype",), "first": SIGNED}, also={"box": [(1, 0), (1, 2.5)]},
        ),
    }  # fmt: skip


def _costs() -> dict[str, Row]:
    bill = memory(COUNTED, 8)
    return {
        "costs.filter_bank": Row(figures.filter_bank, lambda: {"filters": 4, "kernel": 3}),
        "costs.parameter_squares": Row(figures.parameter_squares, lambda: {"counted": COUNTED}),
        "costs.three_costs": Row(figures.three_costs, lambda: {"counted": COUNTED}),
        "costs.cheaper_networks": Row(
            figures.cheaper_networks, lambda: {"networks": {"a": COUNTED, "b": AT_28}},
            also={"networks": [{"a": AT_28}]},
        ),
        "costs.memory_bars": Row(
            figures.memory_bars, lambda: {"bills": {"a": bill}, "limits": {"laptop": 8.0}}, also={"limits": [{"a": -1}]}
        ),
    }  # fmt: skip


def _curves() -> dict[str, Row]:
    walk = torch.tensor([[3.0, 1.0], [1.0, 0.5]])
    stored = stored_runs.stored_run("stall_seed0")
    logs = {letter: {column: list(values) for column, values in log.items()}
            for letter, log in stored_runs.four_logs().items()}  # fmt: skip
    return {
        "curves.valley_paths": Row(
            figures.valley_paths, lambda: {"paths": {"a": walk}, "curvature": (1.0, 10.0)},
            also={"paths": [{"a": torch.ones(3, 3)}], "curvature": [(0, 1), (1.0,)]},
        ),
        "curves.schedule_curve": Row(
            figures.schedule_curve, lambda: {"by_hand": [0.1, 0.2], "recorded": {1: 0.1}}, {"by_hand": ANY_LENGTH},
            also={"recorded": [{0: 0.1}, {"1": 0.1}]},
        ),
        "curves.augmented_views": Row(
            figures.augmented_views, lambda: {"original": GARMENT, "views": IMAGES[:3], "label": "Coat"},
            {"original": PICTURE, "views": PICTURE, "label": TEXT},
        ),
        "curves.running_log": Row(
            figures.running_log,
            lambda: {"log": {"a": HISTORY}, "images": 500, "repeats": {"a": [0.2]}, "window": 0.2},
            {"repeats": ("none",), "window": ("large",)},
            also={"repeats": [{"b": [0.2]}, {"a": [2.0]}], "log": [{"a": NOTHING}]},
        ),
        "curves.beside_the_post": Row(
            figures.beside_the_post,
            lambda: {
                "history": HISTORY, "test_accuracy": 0.9, "network": "ours",
                "again": {"a": stored_runs.stored_run("post_he")},
            },
            {"again": ("none",), "network": TEXT, "test_accuracy": ("zero",)},
            also={"test_accuracy": [91.2], "history": [NOTHING]},
        ),
        "curves.seeds_of_a_run": Row(
            figures.seeds_of_a_run, lambda: {"runs": {"a": stored_runs.stored_run("class_seed0")}, "window": 50}
        ),
        "desk.overlaid_runs": Row(
            figures.overlaid_runs, lambda: {"runs": {"a": HISTORY}, "steps": 9, "title": "t", "running": ""},
            {"runs": ("empty",), "steps": ("none",), "title": TEXT, "running": TEXT},
        ),
        "learning.plateau": Row(
            figures.plateau, lambda: {"runs": {"a": stored}}, also={"runs": [{str(i): stored for i in range(8)}]}
        ),
        "logs.four_logs": Row(
            figures.four_logs, lambda: {"logs": logs, "highest": 2.6, "guessing": 2.3},
            {"highest": ("large",), "guessing": ("large",)},
            also={"logs": [{"a": logs["a"]}, {**logs, "a": {}}, {**logs, "a": {"epoch": [1.0]}}]},
        ),
    }  # fmt: skip


def _data() -> dict[str, Row]:
    return {
        "data.garment_grid": Row(
            figures.garment_grid,
            lambda: {
                "images": IMAGES[:2], "captions": ["a", "b"], "right": [True, False], "truth": ["c", "d"], "columns": 2,
            },
            {"images": ("size", "dtype", "longer"), "captions": ("empty",), "truth": ("empty",)},
        ),
        "data.class_grid": Row(
            figures.class_grid, lambda: {"data": EVERY_CLASS, "per_class": 2}, also={"data": [DATA], "per_class": [3]}
        ),
        "data.class_means": Row(figures.class_means, lambda: {"data": DATA}, {"data": ("fewer",)},
                                also={"data": [DATA.subset(5)]}),
        "data.pixel_numbers": Row(
            figures.pixel_numbers, lambda: {"image": GARMENT, "rows": range(3, 9), "columns": range(4, 9)},
            also={"rows": [range(0), range(20, 30), range(0, 9, 2)], "columns": [range(-2, 4), (1, 2)]},
        ),
        "data.two_sizes": Row(
            figures.two_sizes, lambda: {"small": GARMENT, "large": LARGE, "window": 3},
            {"small": ("dtype",), "large": ("dtype",)},
        ),
        "data.compute_by_grid": Row(figures.compute_by_grid, lambda: {"counted": COUNTED, "home": 28}),
        "data.halvings": Row(figures.halvings, lambda: {"sides": [28, 32], "pools": 5}, {"sides": ANY_LENGTH}),
        "data.pixel_histogram": Row(
            figures.pixel_histogram, lambda: {"raw": IMAGES, "normalised": LARGE},
            {"raw": ("axes", *PICTURE), "normalised": ("axes", *PICTURE)}, also={"raw": [torch.tensor(3)]},
        ),
        "data.feeding": Row(
            figures.feeding, lambda: {"milliseconds": {"PIL": 50.0, "bytes": 1.0}, "guess": 10}, {"guess": ANY},
            also={"milliseconds": [{"a": 0.0}, {"a": -1}]},
        ),
        "start.guess_beside_answer": Row(
            figures.guess_beside_answer, lambda: {"measured": 0.9, "guess": 80, "chance": 0.1, "people": 0.835},
            {"guess": ANY, "measured": ("zero",), "chance": ("zero",), "people": ("zero",)}, also={"measured": [91]},
        ),
    }  # fmt: skip


def _depth() -> dict[str, Row]:
    entry = {"year": 2012, "entry": "AlexNet", "error": 16.4, "place": 1}
    return {
        "depth.contest": Row(
            figures.contest, lambda: {"entries": [entry, {**entry, "year": 2014}]}, {"entries": ANY_LENGTH},
            also={"entries": [[{"year": 2012}]]},
        ),
        "depth.first_windows": Row(
            figures.first_windows, lambda: {"image": LARGE, "corner": (102, 102), "size": 24},
            {"image": PICTURE}, also={"corner": [(210, 0), (0, 1.5), (-1, 0)], "size": [200]},
        ),
        "depth.stack_bill": Row(
            figures.stack_bill, lambda: {"bill": {"weights": (49, 27)}}, also={"bill": [{"a": (0, 1)}, {"a": (1,)}]}
        ),
        "depth.error_maps": Row(
            figures.error_maps, lambda: {"maps": {"a": torch.rand(8, 8)}}, also={"maps": [{"a": torch.rand(2, 8, 8)}]}
        ),
    }  # fmt: skip


def _factors() -> dict[str, Row]:
    runs = {"a": [FactorRun("a", 0, ((1, 2.0), (2, 1.0)), 0.5, 1.0)]}
    scores = {"a": [0.5, 0.6], "b": [0.7, 0.8]}
    return {
        "factors.seed_dots": Row(
            figures.seed_dots, lambda: {"scores": scores, "yours": {"a": [0.5, 0.4]}, "title": "t"},
            {"yours": ("none",), "title": TEXT}, also={"scores": [{"a": []}, {"a": [90.0]}], "yours": [{"a": [2.0]}]},
        ),
        "factors.luck_intervals": Row(
            figures.luck_intervals, lambda: {"values": torch.rand(4, 5), "truth": 0.5},
            {"values": ("longer", "size", "dtype"), "truth": (*SIGNED, "large")}, also={"values": [torch.rand(4, 1)]},
        ),
        "factors.factor_gains": Row(
            figures.factor_gains,
            lambda: {"scores": scores, "reference": "a", "guesses": {"b": 1.0}, "reach": 3.0},
            {"guesses": ("none", "values"), "reach": ("large",)}, also={"scores": [{"a": [0.5, 0.6]}]},
        ),
        "factors.price_of_depth": Row(
            figures.price_of_depth, lambda: {"runs": {"a": [(5.0, [0.5, 0.6])]}, "marks": ("once", "twice")},
            {"marks": ANY_LENGTH}, also={"runs": [{"a": [(5.0, [0.5])]}, {"a": [(0.0, [0.5, 0.6])]}]},
        ),
        "factor_curves.depth_losses": Row(
            figures.depth_losses, lambda: {"panels": {"p": runs}, "top": 2.5}, {"top": ("large",)},
        ),
        "factor_curves.depth_signals": Row(
            figures.depth_signals, lambda: {"panels": {"p": {"a": SIGNALS}}},
            also={"panels": [{"p": {"a": [LayerSignal("l", 1.0, 0.0)]}}]},
        ),
    }  # fmt: skip


def _inside() -> dict[str, Row]:
    filters, maps = torch.rand(8, 3, 3), torch.rand(8, 9, 9)
    near = Heat("a", LARGE, torch.rand(4, 4))
    three = {"rows": {"a": IMAGES[:2]}, "boxes": {"a": [(0, 0, 5), (1, 1, 3)]}, "title": ""}
    return {
        "heat.heat_maps": Row(
            heat.heat_maps, lambda: {"panels": [near, near], "columns": 2, "title": "", "told": ""},
            {"panels": ANY_LENGTH, "title": TEXT, "told": TEXT},
        ),
        "heat.covering_test": Row(
            heat.covering_test, lambda: {"kept": {"a": (0.5, 0.9)}, "pictures": 100},
            also={"kept": [{"a": (0.5,)}, {"a": (50, 90)}]},
        ),
        "inside.two_filter_sets": Row(
            inside.two_filter_sets, lambda: {"left": filters, "right": filters, "names": ("a", "b")},
            {"left": ("dtype",), "right": ("dtype",)},
            also={"left": [filters[:6]]},
        ),
        "inside.filter_responses": Row(
            inside.filter_responses, lambda: {"filters": filters, "maps": maps},
            {"filters": ("dtype",), "maps": ("size", "dtype")},
        ),
        "inside.activation_flow": Row(
            inside.activation_flow, lambda: {"picture": LARGE, "blocks": [maps, maps]},
            {"picture": ("dtype",), "blocks": ANY_LENGTH}, also={"blocks": [[maps[:3]]]},
        ),
        "inside.picture_rows": Row(
            inside.picture_rows, lambda: dict(three), {"boxes": ("none", "empty"), "title": TEXT},
            also={"boxes": [{"b": [(0, 0, 5)]}, {"a": [(0, 0, 5)]}]},
        ),
        "inside.garment_map": Row(
            inside.garment_map,
            lambda: {"points": SPREAD, "images": EVERY_CLASS.images, "labels": EVERY_CLASS.labels, "share": 0.5},
            {"share": ("zero",)}, also={"labels": [EVERY_CLASS.labels * 0, EVERY_CLASS.labels + 1], "share": [50]},
        ),
    }  # fmt: skip


def _later() -> dict[str, Row]:
    """The figures of notebooks 10 and 11."""
    measured = [scaling_counts.Measured(64, 10**6, 0.2, 0.1, 0.15), scaling_counts.Measured(128, 10**7, 0.4, 0.2, 0.3)]
    model = scaling_counts.StepModel(1.0, 1e8, 1e9)
    return {
        "reuse.accuracy_by_cut": Row(
            reuse.accuracy_by_cut, lambda: {"shares": [[0.5, 0.6], [0.8, 0.9]]}, {"shares": ANY_LENGTH},
            also={"shares": [[[50]], [[]], [[0.5]] * 7]},
        ),
        "reuse.few_label_curves": Row(
            reuse.few_label_curves, lambda: {"results": {"probe": {1: [0.5, 0.6], 5: [0.8, 0.9]}}},
            also={"results": [{"probe": {}}, {"probe": {0: [0.5]}}, {"probe": {1: [50]}}]},
        ),
        "reuse.neighbour_rows": Row(
            reuse.neighbour_rows, lambda: {"image": GARMENT, "label": 3, "gallery": DATA, "rows": {"pixels": [1, 2]}},
            {"label": ("zero",), "gallery": ("fewer",)},
            also={"label": [10], "rows": [{"a": []}, {"a": [12]}], "gallery": [DATA.subset(2)]},
        ),
        "scaling.batch_shares": Row(
            scaling.batch_shares, lambda: {"images": IMAGES[:4], "counts": [3, 1]}, {"images": ("size", "dtype")},
            also={"counts": [[1, 1, 1, 1, 0], [5, -1]]},
        ),
        "scaling.work_and_bytes": Row(scaling.work_and_bytes, lambda: {"counted": COUNTED}),
        "scaling.waits_fitted": Row(
            scaling.waits_fitted, lambda: {"rows": measured, "bandwidth": 1e9, "latency": 0.0},
            {"rows": ANY_LENGTH, "bandwidth": ("large",), "latency": ("zero", "negative", "large")},
        ),
        "scaling.speedups": Row(
            scaling.speedups, lambda: {"models": {"a": model}, "known": {"post": (2, 1.9)}, "most": 8},
            {"known": ("none", "empty")}, also={"known": [{"a": (0, 1.0)}, {"a": (2,)}]},
        ),
        "scaling.step_time": Row(
            scaling.step_time, lambda: {"phases": {"forward": 5.0}, "operations": {"conv": 4.0}},
            also={"phases": [{"a": -1}, {str(i): 1.0 for i in range(5)}], "operations": [{"a": 0}]},
        ),
        "scaling.killed_and_resumed": Row(
            scaling.killed_and_resumed, lambda: {"whole": HISTORY, "resumed": HISTORY, "epoch_steps": 2},
            also={"whole": [NOTHING], "resumed": [NOTHING]},
        ),
    }  # fmt: skip


def _learning() -> dict[str, Row]:
    return {
        "learning.loss_curves": Row(
            figures.loss_curves,
            lambda: {"curves": {"a": [2.3, 2.2]}, "window": 1, "title": "", "finding": "", "guessing": "?"},
            {"title": TEXT, "finding": TEXT, "guessing": TEXT},
            also={"curves": [{"a": []}, {"a": NOTHING}, {"a": ["2"]}]},
        ),
        "learning.impostor_overlay": Row(
            figures.impostor_overlay, lambda: {"network": [2.3, 2.3], "impostor": [2.3, 2.3], "window": 1},
            {"network": ANY_LENGTH, "impostor": ANY_LENGTH},
        ),
        "learning.suspects_board": Row(
            figures.suspects_board, lambda: {"board": {"the rate": ("open", "")}},
            also={"board": [{"a": ("asleep", "")}, {"a": ("open",)}, {str(i): ("open", "") for i in range(6)}]},
        ),
        "learning.published_log": Row(
            figures.published_log, lambda: {"accuracies": [0.1, 0.1, 0.5], "losses": [2.3, 2.3]},
            {"accuracies": ANY_LENGTH, "losses": (*ANY_LENGTH, "empty")},
            also={"accuracies": [[10.0, 20.0], [0.1, 0.1]]},
        ),
    }  # fmt: skip


def _predictions() -> dict[str, Row]:
    picture = Image.new("RGB", (40, 30))
    counts = torch.arange(100).reshape(10, 10)
    two = {"probabilities": torch.full((12, 2), 0.5), "labels": DATA.labels % 2}
    few = type(PREDICTIONS)(**two)
    fewer = type(PREDICTIONS)(PREDICTIONS.probabilities[:5], PREDICTIONS.labels[:5])
    return {
        "browser.one_prediction": Row(
            figures.one_prediction, lambda: {"image": GARMENT, "predictions": PREDICTIONS, "index": 3},
            {"index": ("none", "zero")}, also={"index": [12, -1], "predictions": [few]},
        ),
        "browser.own_picture": Row(
            figures.own_picture, lambda: {"picture": picture, "garment": GARMENT, "probabilities": CHANCE},
            also={"probabilities": [CHANCE * 20, CHANCE - 1]},
        ),
        "predictions.prediction_grid": Row(
            figures.prediction_grid, lambda: {"data": DATA, "predictions": PREDICTIONS, "title": "t"}, {"title": TEXT},
            also={"predictions": [few, fewer]},
        ),
        "predictions.class_accuracy": Row(
            figures.class_accuracy, lambda: {"accuracy": CHANCE, "counts": torch.arange(1, 11)}, {
                "counts": ("dtype",)},
            also={"accuracy": [CHANCE * 20], "counts": [torch.arange(10)]},
        ),
        "predictions.confusion_map": Row(
            figures.confusion_map, lambda: {"matrix": counts}, also={"matrix": [-counts, counts * 0]}
        ),
        "predictions.confused_pairs": Row(
            figures.confused_pairs, lambda: {"data": DATA, "predictions": PREDICTIONS, "label": 6, "others": [0, 2]},
            {"label": ("zero",), "others": ANY_LENGTH}, also={"label": [10], "others": [[10], [-1]]},
        ),
        "predictions.probability_strips": Row(
            figures.probability_strips,
            lambda: {"predictions": PREDICTIONS, "label": 6, "groups": {"shirts": [6], "shoes": [5, 7]}},
            {"label": ("zero",)}, also={"groups": [{"a": [10]}, {"a": []}], "predictions": [few], "label": [10]},
        ),
        "predictions.reliability": Row(
            figures.reliability, lambda: {"curves": {"a": calibration(PREDICTIONS)}},
            also={"curves": [{str(i): calibration(PREDICTIONS) for i in range(4)}]},
        ),
        "predictions.opinions": Row(
            figures.opinions,
            lambda: {"images": IMAGES[:2], "names": ["a", "b"], "probabilities": PREDICTIONS.probabilities[:2]},
            {"images": ("longer", "size", "dtype")}, also={"probabilities": [PREDICTIONS.probabilities[:2] * 20]},
        ),
    }  # fmt: skip


def _signal() -> dict[str, Row]:
    lost = [LayerSignal("a", 1.0, 1.0), LayerSignal("b", 1.0, 0.0)]
    return {
        "signal.training_step": Row(
            figures.training_step, lambda: {"counted": COUNTED, "image": GARMENT, "label": "Coat"},
            {"image": PICTURE, "label": TEXT},
        ),
        "signal.scores_of": Row(
            figures.scores_of,
            lambda: {"images": IMAGES[:2], "names": ["a", "b"], "scores": SCORES, "classes": CLASSES},
            {"images": ("longer", "size", "dtype"), "scores": ("dtype",)},
        ),
        "signal.signal_decay": Row(
            figures.signal_decay, lambda: {"signals": SIGNALS, "theories": {"a": [1.0, 0.5, 0.2]}},
            {"theories": ("none", "empty")}, also={"signals": [lost], "theories": [{"a": [1.0]}, {"a": [1, 1, 0]}]},
        ),
        "signal.signal_by_init": Row(
            figures.signal_by_init, lambda: {"signals": {"he": SIGNALS}},
            also={"signals": [{"a": lost}, {"a": SIGNALS, "b": SIGNALS[:2]}, {str(i): SIGNALS for i in range(8)}]},
        ),
        "pair.tell_apart": Row(
            figures.tell_apart,
            lambda: {
                "images": IMAGES[:2], "names": ["a", "b"], "signals": SIGNALS, "scores": SCORES, "classes": CLASSES,
            },
            {"images": ("size", "dtype"), "signals": ANY_LENGTH, "scores": ("dtype",)},
        ),
    }  # fmt: skip


def _takeaways() -> dict[str, Row]:
    own = figures.TableRow("ours", (0.9, 0.91), "1", "none; tested once", True)
    return {
        "takeaways.one_layout": Row(figures.one_layout, lambda: {"results": {"a": [0.1, 0.2], "b": [0.9]}}),
        "takeaways.beside_the_table": Row(figures.beside_the_table, lambda: {"own": [own, own]}, {"own": ANY_LENGTH}),
        "takeaways.inception_module": Row(
            figures.inception_module, lambda: {"inputs": 192, "cell": (64, (96, 128), (16, 32), 32), "side": 28}
        ),
        "takeaways.module_costs": Row(
            figures.module_costs, lambda: {"costs": {"a": {"3×3": 5}, "b": {"1×1": 2, "5×5": 1}}, "title": "Costs"},
            {"title": TEXT}, also={"costs": [{"a": {"3×3": 0}}, {"a": {}}]},
        ),
        "takeaways.seed_pairs": Row(
            figures.seed_pairs,
            lambda: {"stored": {"a": [0.8, 0.9], "b": [0.7, 0.9]}, "live": {"a": [0.5], "b": [0.6]}, "finding": "x"},
            {"live": ("none", "empty"), "finding": TEXT},
            also={"stored": [{"a": [0.5], "b": [0.5]}, {"a": [0.5, 0.5], "b": [0.5]}, {"a": [0.5, 0.6]}]},
        ),
    }  # fmt: skip
