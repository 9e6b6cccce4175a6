"""Exercises and predictions of notebook 10, reuse the backbone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from vgg_lesson.arithmetic import LayerTrace, trace
from vgg_lesson.classroom.checks.reuse_the_backbone_fair import FAIR_COMPARISON, PROBE_ACCURACY
from vgg_lesson.classroom.checks.shared import UNANSWERED, choice, code, number, numbers, without_return
from vgg_lesson.configs import CLASS_NETWORK
from vgg_lesson.models import VGG, class_vgg

PHOTO, CLASSES_TO_LEARN, PHOTOS = (600, 1000), 3, 1000
FLOAT_BYTES = 4


def class_trace() -> LayerTrace:
    """The class network, counted."""
    return trace(**CLASS_NETWORK)


def map_of_a_photo() -> tuple[int, int, int]:
    """The shape of conv5_3 of VGG-16 for the photo: every pool halves and rounds down."""
    channels = trace("VGG-16").row("conv5_3").output_shape[0]
    return channels, PHOTO[0] // 16, PHOTO[1] // 16


def probe_parameters(layer: str = "pool4", classes: int = CLASSES_TO_LEARN) -> int:
    """Weights and biases of a linear layer on the flattened map of ``layer``."""
    return (class_trace().row(layer).activations + 1) * classes


def feature_bytes(layer: str = "pool5") -> int:
    """Bytes of VGG-16's maps of all photos at 224×224 as float32."""
    return PHOTOS * trace("VGG-16").row(layer).activations * FLOAT_BYTES


def gram(values: Tensor) -> Tensor:
    """Mean over places of channel times channel, float (C, C), of one map (C, H, W); arXiv:1508.06576, methods."""
    flat = values.flatten(1)
    return flat @ flat.T / flat.shape[1]


def same_class_share(distances: Tensor, labels: Tensor, gallery_labels: Tensor, count: int) -> float:
    """Of the ``count`` nearest of each query, the share with its label; ``distances`` is (queries, gallery)."""
    nearest = distances.topk(count, largest=False).indices
    return (gallery_labels[nearest] == labels[:, None]).float().mean().item()


def freeze(model: VGG) -> VGG:
    """Nothing in ``model.features`` changes in training any more; the classifier goes on learning."""
    model.train()
    model.features.requires_grad_(False)
    model.features.eval()
    return model


def behaviour(freezer: Callable[[VGG], Any]) -> tuple[bool, bool, bool, bool] | None:
    """What one training step changes after ``freezer``; None if it returns nothing.

    Whether parameters of the features, their running statistics, the classifier change, and whether its dropout works.
    """
    torch_state = torch.get_rng_state()
    torch.manual_seed(0)
    model = class_vgg(width=1 / 16, hidden=8)
    images, labels = torch.randn(4, 1, 32, 32), torch.arange(4)
    torch.set_rng_state(torch_state)
    model = freezer(model)
    if not isinstance(model, VGG):
        return None
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    learns = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        loss = nn.functional.cross_entropy(model(images), labels)
    if learns:
        loss.backward()
        torch.optim.SGD(learns, lr=1.0).step()
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    statistics = {name for name in changed if "running" in name or "tracked" in name}
    features = {name for name in changed if name.startswith("features.")}
    return bool(features - statistics), bool(statistics), bool(changed - features), model.classifier.training


def _returns_nothing(answer: Any) -> str | None:
    """Judge by what a training step changes; a function that returns no network cannot be judged so."""
    if behaviour(answer) is not None:
        return None
    returned = answer(class_vgg(width=1 / 16, hidden=8))
    if returned is None:
        return without_return(answer)
    return (
        UNANSWERED if returned is ... else f"Your function returns {type(returned).__name__}; return the model, whole."
    )


def _acts_alike(answer: Any, expected: Any) -> bool:
    return behaviour(answer) == behaviour(expected)


def _untouched(model: VGG) -> VGG:
    return model.train()


def _gradients_only(model: VGG) -> VGG:
    model.train().features.requires_grad_(False)
    return model


def _eval_only(model: VGG) -> VGG:
    model.train().features.eval()
    return model


def _everything(model: VGG) -> VGG:
    return model.requires_grad_(False).eval()


def _everything_but_statistics(model: VGG) -> VGG:
    return model.train().requires_grad_(False)


def _all_evaluating(model: VGG) -> VGG:
    model.features.requires_grad_(False)
    return model.eval()


def _wrong_part(model: VGG) -> VGG:
    model.train().classifier.requires_grad_(False)
    return model


def _table(seed: int, count: int) -> tuple[Tensor, Tensor, Tensor, int]:
    draw = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (40,), generator=draw)
    return torch.rand(30, 40, generator=draw), torch.randint(3, (30,), generator=draw), labels, count


def _maps(seed: int) -> tuple[Tensor]:
    return (torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(seed)),)


EXERCISES = [
    numbers(
        "map_of_a_photo",
        map_of_a_photo,
        why="The map keeps the photo's shape at a sixteenth, so a box in the photo is a box in the map.",
        mistakes=lambda: {
            (512, PHOTO[0] // 32, PHOTO[1] // 32): "That is behind the last pool, which is left out here.",
            (512, 14, 14): "That is the map of a square photo of 224 pixels. This one is larger.",
            (512, PHOTO[0] // 8, PHOTO[1] // 8): "Count the pools in front of block 5 once more.",
            (512, -(-PHOTO[0] // 16), -(-PHOTO[1] // 16)): "A pool drops an odd row: it rounds down.",
            (512, PHOTO[0] / 16, PHOTO[1] / 16): "There is no half cell. What does a pool do with an odd row?",
            (512, PHOTO[1] // 16, PHOTO[0] // 16): "Rows first: how high is the photo?",
            (PHOTO[0] // 16, PHOTO[1] // 16, 512): "The right numbers in another order: channels come first.",
            (256, PHOTO[0] // 16, PHOTO[1] // 16): "The right grid. How many channels has block 5?",
            (3, PHOTO[0] // 16, PHOTO[1] // 16): "Three is the photo's colours. What does block 5 give out?",
        },
        otherwise="How many channels does block 5 have, and how often has the grid been halved before it?",
    ),
    code(
        "gram",
        gram,
        [_maps(0), _maps(1)],
        why="The table says which channels fire together and not where: a texture without a layout.",
        mistakes={
            "That is the sum over places. A mean does not depend on the size of the map.": (
                lambda values: values.flatten(1) @ values.flatten(1).T
            ),
            "Your table compares places, not channels. Which side has to be summed away?": (
                lambda values: values.flatten(1).T @ values.flatten(1) / values.flatten(1).shape[1]
            ),
            "You divide by the channels. The mean runs over the places.": (
                lambda values: values.flatten(1) @ values.flatten(1).T / len(values)
            ),
            "You divide by channels and places. Only the places are averaged.": (
                lambda values: values.flatten(1) @ values.flatten(1).T / values.numel()
            ),
            "That is each channel with itself: the diagonal. The other pairs belong to the table.": (
                lambda values: values.flatten(1).square().mean(dim=1)
            ),
            "You take the means away first. Gatys et al. do not.": lambda values: torch.cov(
                values.flatten(1), correction=0
            ),
        },
        otherwise="Lay every channel out as one row. Which product of two tables multiplies every pair of rows?",
    ),
    choice(
        "moved_guess",
        "b",
        why="Running statistics are no parameters: training mode moves them, and only eval() stops that.",
        hints={
            "a": "The parameters are frozen. Is everything that a layer remembers a parameter? Read the printed names.",
            "c": "A bias is a parameter, and moves only in a step of the optimiser. Was there one?",
        },
    ),
    code(
        "freeze",
        freeze,
        [],
        why="Frozen weights with moving statistics are another network after every batch.",
        mistakes={
            "Gradients are off, but batch norm still keeps count. Which mode stops it?": _gradients_only,
            "The statistics stand still now; the weights of the features still learn.": _eval_only,
            "Nothing learns any more, not even the classifier.": _everything,
            "Nothing learns any more, and the statistics of batch norm still move.": _everything_but_statistics,
            "The classifier learns, but its dropout is off: only the features should be in evaluation mode.": (
                _all_evaluating
            ),
            "You froze the classifier. Which part is to be kept as it is?": _wrong_part,
            "Nothing is frozen yet: weights and statistics of the features change.": _untouched,
        },
        otherwise="Two halves: no gradients for the features, and no training mode for them.",
        complaint=_returns_nothing,
        matches=_acts_alike,
    ),
    number(
        "probe_parameters",
        probe_parameters,
        why="So few can be learned from a handful of images; a million cannot.",
        mistakes=lambda: {
            probe_parameters() - CLASSES_TO_LEARN: "Every score has a bias.",
            probe_parameters("pool5"): "That reads one value per channel. The map has four places.",
            probe_parameters("pool3"): "That is the map behind block 3.",
            probe_parameters(classes=7): "Seven scores belong to the known classes. How many are new?",
            probe_parameters(classes=10): "Ten scores for three classes?",
            (class_trace().row("pool4").activations + 1): "That is one score. There are three.",
            class_trace().row("pool4").activations: "That is the length of a flattened map. What does each score need?",
            class_trace().total_params: "That is the whole class network. Only the new layer learns.",
        },
        otherwise="How many numbers does a score read, and how many scores are there?",
    ),
    PROBE_ACCURACY,
    choice(
        "cut_guess",
        "b",
        why="Early enough to be general, late enough to be more than pixels; where exactly is measured, not guessed.",
        hints={
            "a": "Nothing is lost in the pixels, and nothing is found either. Look at the left end of the line.",
            "c": "Deep is good for its own classes. Look at the right end of the line: what happened to other ones?",
        },
    ),
    choice(
        "best_of_eighteen",
        "b",
        why="The winner was lucky too; on images that had no say, the luck is gone.",
        hints={
            "a": "No weight was. But what decided on the cut and the rate?",
            "c": "One accuracy they measure to about a percentage point. What if you keep the largest of many?",
            "d": "Then both would have been chosen there in part. What must the test images never decide?",
        },
    ),
    choice(
        "last_guess",
        "d",
        why="A million weights and fifteen images: what it needs to know has to come from somewhere else.",
        hints={
            "a": "Pixels are a modest start, but a linear layer has little to learn. Who has most to learn?",
            "b": "It starts from features that seven classes have paid for. Who starts from nothing?",
            "c": "It starts where the probe starts. Who starts from nothing?",
        },
    ),
    FAIR_COMPARISON,
    code(
        "same_class_share",
        same_class_share,
        [_table(0, 5), _table(1, 3)],
        why="A share counted over all queries says what a few thumbnails only suggest.",
        mistakes={
            "These are the farthest ones: topk takes the largest unless it is told otherwise.": (
                lambda d, y, g, k: (g[d.topk(k).indices] == y[:, None]).float().mean().item()
            ),
            "That is the nearest one only. Each query has `count` neighbours.": (
                lambda d, y, g, k: same_class_share(d, y, g, 1)
            ),
            "That is the share of queries with at least one of their kind among the nearest.": (
                lambda d, y, g, k: (g[d.topk(k, largest=False).indices] == y[:, None]).any(dim=1).float().mean().item()
            ),
            "That is the share among all pairs; the distances play no part yet.": (
                lambda d, y, g, k: (g[None] == y[:, None]).float().mean().item()
            ),
            "That is how many. Of how many? Give it as a share.": (
                lambda d, y, g, k: (g[d.topk(k, largest=False).indices] == y[:, None]).sum().item()
            ),
            "The other ones: that is the share of a different class.": (
                lambda d, y, g, k: 1 - same_class_share(d, y, g, k)
            ),
        },
        otherwise="Three steps: who is nearest, what are they, and how often is that the query's own class?",
    ),
    number(
        "bytes_of_features",
        feature_bytes,
        why="Kept features are small beside what it costs to compute them again.",
        mistakes=lambda: {
            feature_bytes() // FLOAT_BYTES: "That is how many numbers. Each takes four bytes.",
            feature_bytes() // PHOTOS: "That is one photo.",
            feature_bytes("conv5_3"): "That is conv5_3, before the pool.",
            feature_bytes("pool4"): "That is pool4. One block and one pool are still to come.",
            feature_bytes() * 2: "Eight bytes are a float64. How many has a float32?",
            PHOTOS * 512 * FLOAT_BYTES: "One number per channel? The map still has places.",
        },
        nearly=lambda answer: (
            "Right in MB; asked are bytes, exactly."
            if any(math.isclose(answer, feature_bytes() / unit, rel_tol=0.005) for unit in (1e6, 2**20))
            else None
        ),
        otherwise="Numbers in one map, times photos, times bytes for a number.",
    ),
]
