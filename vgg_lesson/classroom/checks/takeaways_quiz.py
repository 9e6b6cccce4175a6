"""The closing quiz of notebook 12: nine questions over notebooks 01 to 07, their keys computed by the package."""

from __future__ import annotations

import math

import torch
from torch import nn

from vgg_lesson.arithmetic import memory, trace
from vgg_lesson.classroom.checks.shared import choice, number
from vgg_lesson.configs import VGGConfig

SIDE, QUIZ_SIDE = 28, 160
QUIZ_ERROR, QUIZ_ACCURACY = 0.001, 0.9


def quiz_stack(convs: int) -> int:
    """Cells, from side to side, that a value behind ``convs`` 3×3 convolutions in a row depends on."""
    counted = trace(VGGConfig.stack("a stack", [(convs, 64)]), image_size=SIDE)
    return counted.row(f"conv1_{convs}").receptive_field or 0


def quiz_flat(side: int = QUIZ_SIDE) -> int:
    """How many numbers the first linear layer of VGG-16 reads, for pictures of this side."""
    return trace("VGG-16", image_size=side).row("pool5").activations


def quiz_wider() -> str:
    """The letter of what twice as many channels do to the multiplications of conv3_2."""
    once, twice = (trace("VGG-16", width=width).row("conv3_2").macs for width in (1.0, 2.0))
    return {1: "a", 2: "b", 4: "c", 8: "d"}[twice // once]


def quiz_batch() -> str:
    """The letter of what doubles on the memory bill when the batch does."""
    small, large = (memory(trace("VGG-11"), size, optimizer="sgd") for size in (64, 128))
    parts = ("weights", "gradients", "activations")
    doubled = " ".join(part for part in parts if getattr(large, part) == 2 * getattr(small, part))
    return {"weights gradients": "a", "gradients activations": "b", "activations": "c"}.get(doubled, "d")


def quiz_enlarged() -> int:
    """How many times as many multiplications conv1_1 does after enlarging 28×28 to 224×224."""
    first = VGGConfig.stack("one layer", [(1, 64)])
    small, large = (trace(first, in_channels=1, image_size=side).row("conv1_1").macs for side in (28, 224))
    return large // small


def quiz_he() -> float:
    """He's standard deviation over that of PyTorch's default, for the same layer."""
    layer = nn.Conv2d(64, 64, 3, device="meta")
    fan_in = layer.weight[0].numel()
    bound = 1 / math.sqrt(fan_in)  # kaiming_uniform_ with a = √5
    return math.sqrt(2 / fan_in) / (bound / math.sqrt(3))


def quiz_judge() -> int:
    """Pictures that make an accuracy of 0.9 stray by 0.001."""
    return round(QUIZ_ACCURACY * (1 - QUIZ_ACCURACY) / QUIZ_ERROR**2)


def quiz_temperature() -> str:
    """The letter of what dividing all scores by two does to accuracy and confidence, tried on random scores."""
    scores = torch.randn(1000, 10, generator=torch.Generator().manual_seed(0))
    before, after = (tensor.softmax(dim=1).max(dim=1) for tensor in (scores, scores / 2))
    same = torch.equal(before.indices, after.indices)
    lower = bool((after.values < before.values).all())
    return {(True, True): "a", (False, True): "b", (True, False): "c", (False, False): "d"}[(same, lower)]


QUIZ = [
    number(
        "quiz_stack_of_four",
        lambda: quiz_stack(4),
        why="Every further 3×3 adds one cell on each side.",
        mistakes=lambda: {
            12: "You added up the widths. The kernels overlap: a further layer adds only what it sees beyond the last.",
            quiz_stack(3): "That is three of them. What does the fourth add?",
            8: "Each layer adds two, but one cell is there to begin with.",
            81: "That is the area of the patch; its side is asked for.",
            quiz_stack(5): "That is five of them.",
        },
        otherwise="Begin with one cell. A 3×3 convolution adds one on each side, four times.",
    ),
    number(
        "quiz_flattened",
        quiz_flat,
        why="Five pools divide the side by 32, so the head's first layer is tied to the size of the image.",
        mistakes=lambda: {
            quiz_flat(224): "That is the number for images of 224×224. How often do five pools halve 160?",
            512 * 5: "Rows and columns: the last grid has two sides.",
            512 * 10 * 10: "That is after four pools; there are five.",
            25: "That is one channel. The last block writes 512 of them.",
            512: "That is what an average over the grid would leave. Flattening keeps every cell.",
            5: "That is the side of the last grid. How many numbers are on it, in all channels?",
        },
        otherwise="Halve 160 five times, square it, and multiply with the channels of the last block.",
    ),
    choice(
        "quiz_twice_as_wide",
        quiz_wider,
        why="Each kernel reads twice as many channels, and there are twice as many kernels.",
        hints={
            "a": "The grid stays, but every place of it is computed from more channels. How many more?",
            "b": "There are twice as many kernels. And what does each of them read?",
            "d": "Two things double: what a kernel reads and how many kernels there are. Which would be the third?",
        },
    ),
    choice(
        "quiz_larger_batch",
        quiz_batch,
        why="All images share the weights and one sum of gradients; each has outputs of its own.",
        hints={
            "a": "There is one network, however many images it looks at. What is kept for each image?",
            "b": "The gradients of the images are added up into one number per weight.",
            "d": "Does a second image need a second network?",
        },
    ),
    number(
        "quiz_enlarged",
        quiz_enlarged,
        why="Enlarging adds no information, and every place of the larger grid is computed all the same.",
        mistakes=lambda: {
            8: "That is how much longer the side is. A convolution works at every place of an area.",
            8**3: "Area, not volume: the channels stay.",
            8**4: "Area against area: square the 8 once.",
            224**2: "That is how many places there are. How many were there before?",
        },
        otherwise="A convolution does the same work at every place. How many places has each grid?",
    ),
    number(
        "quiz_he_over_default",
        quiz_he,
        why="He's weights keep the whole variance, the default's a sixth of it; a standard deviation takes the root.",
        mistakes=lambda: {
            6: "That is the ratio of the variances. What is the ratio of the standard deviations?",
            1 / 6: "The other way round, and of variances: which of the two is larger?",
            1 / math.sqrt(6): "The other way round: which of the two is larger?",
            math.sqrt(2): "The default's variance is not 1/fan_in but a third of it.",
            math.sqrt(3): "He's variance is 2/fan_in, not 1/fan_in.",
            2: "Compare 2/fan_in with 1/(3·fan_in), then take the root.",
        },
        otherwise="He: variance 2/fan_in. PyTorch's default: 1/(3·fan_in). Divide, then take the root.",
        relative=0.005,
    ),
    choice(
        "quiz_decisive_measurement",
        "d",
        why="If the images' difference is lost before the first step, it was the first weights that lost it.",
        hints={
            "a": "That is more training, and the question allows none. What can be looked at before the first step?",
            "b": "That is another training, and it puts the rate on trial. Who is the suspect here?",
            "c": "One in ten right is what a loss of 2.303 says already.",
        },
    ),
    number(
        "quiz_judge_pictures",
        quiz_judge,
        why="Ten times finer costs a hundred times as many images: FashionMNIST has too few for that.",
        mistakes=lambda: {
            QUIZ_ACCURACY * (1 - QUIZ_ACCURACY) / QUIZ_ERROR: "The error shrinks with the root of n, so square it.",
            QUIZ_ACCURACY / QUIZ_ERROR**2: "Who is always right does not stray: a factor 1 - p is missing.",
            QUIZ_ACCURACY * (1 - QUIZ_ACCURACY) / 0.1**2: "A tenth of a percentage point is 0.001.",
            math.sqrt(QUIZ_ACCURACY * (1 - QUIZ_ACCURACY)) / QUIZ_ERROR: "Square both sides before you solve for n.",
            10_000: "That many give an error of 0.003. You want three times finer, and n stands under a root.",
        },
        otherwise="Put what you know into √(p(1 − p)/n), square both sides, and solve for n.",
        relative=0.001,
    ),
    choice(
        "quiz_cooled_scores",
        quiz_temperature,
        why="The order of the scores stays, so the answers stay; the probabilities move closer together.",
        hints={
            "b": "Which class has the largest score after dividing all by two?",
            "c": "Halve the gaps between scores: does the softmax become more pointed or flatter?",
            "d": "Divide 4 and 2 by two: is the first still the larger, and by how much?",
        },
    ),
]  # fmt: skip
