"""Exercises and predictions of notebook 11, scale up."""

from __future__ import annotations

from collections.abc import Sequence

from vgg_lesson.arithmetic import trace
from vgg_lesson.classroom.checks.shared import choice, code, number
from vgg_lesson.classroom.scale_up import gradient_bytes, paper_model, ring_bytes
from vgg_lesson.records.published import published

FASTER, GPUS, MINUTE = 10.0, 4, 60.0


def mean_of_all(means: Sequence[float], counts: Sequence[int]) -> float:
    """The mean over all pictures, from the mean of each share and its number of pictures."""
    return sum(mean * count for mean, count in zip(means, counts, strict=True)) / sum(counts)


def sent_by_each() -> float:
    """Megabytes that each of four processes sends in a step of VGG-16."""
    return ring_bytes(gradient_bytes(trace("VGG-16")), GPUS) / 1e6


def waiting_share() -> float:
    """The share of the paper's step, on four GPUs, that is not computing."""
    return 1 - published("paper_gpu_speedup") / published("paper_gpus")


def convolutions_only() -> float:
    """How many times fewer bytes are sent if only the convolutions' gradients are."""
    counted = trace("VGG-16")
    return counted.total_params / counted.conv_params


def _sent_mistakes() -> dict[float, str]:
    whole = gradient_bytes(trace("VGG-16")) / 1e6
    return {
        whole: "That is one set of gradients. What does the ring's factor make of it, with four processes?",
        2 * whole: "That is the limit for very many processes. Here there are four.",
        sent_by_each() / 4: "A float32 takes four bytes, and you counted one.",
        sent_by_each() * 4: "That is what all of them send together. One is asked for.",
        sent_by_each() * 1e6: "Right in bytes; give it in megabytes, millions of bytes.",
        whole * 3 / 4: "That is one trip round the ring. The sums have to travel back, too.",
    }


EXERCISES = [
    choice(
        "halves_guess",
        "b",
        why="A mean over a batch is the mean of the means of its halves, up to the rounding of the last digits.",
        hints={
            "a": "Sums taken in another order are rounded differently: look at the last digits.",
            "c": "Each half divides by its own number of images. What does the average of two means give?",
            "d": "The images are the same and so are the weights. What would chance enter by?",
        },
    ),
    code(
        "mean_of_shares",
        mean_of_all,
        [([1.0, 3.0], [10, 10]), ([1.0, 3.0], [23, 22]), ([2.0, 4.0, 9.0], [1, 5, 2]), ([5.0, 7.0], [0, 3])],
        why="A share counts as much as it has images, so uneven batches are averaged rightly, too.",
        mistakes={
            "That is right for equal shares. With 23 and 22 images, does each image still count the same?": (
                lambda means, counts: sum(means) / len(means)
            ),
            "You add up and never divide by the number of all images.": (
                lambda means, counts: sum(mean * count for mean, count in zip(means, counts, strict=True))
            ),
            "You divide by the number of shares. How many images are there in all?": (
                lambda means, counts: sum(m * c for m, c in zip(means, counts, strict=True)) / len(counts)
            ),
        },
        otherwise="Turn each mean back into a sum over its images. What do the sums add up to, and over how many?",
    ),
    choice(
        "broken_guess",
        "d",
        why="Batch norm looks at the other images of the share, and dropout draws at random: both know the split.",
        hints={
            "a": "Then each image's loss would not depend on its company. Does batch norm's?",
            "b": "Dropout is one of them. What does batch norm average over?",
            "c": "Batch norm is one of them. Who draws the masks of the second process?",
        },
    ),
    number(
        "ring_megabytes",
        sent_by_each,
        why="The bytes follow from the number of parameters alone, whatever the size of the batch.",
        mistakes=_sent_mistakes,
        otherwise="Parameters, times bytes for each, times the ring's factor with n = 4. Then to megabytes.",
        relative=2e-3,
    ),
    number(
        "convolutions_only",
        convolutions_only,
        why="Nine tenths of what travels belongs to layers that do a hundredth of the work.",
        mistakes=lambda: {
            1 / convolutions_only(): "That is the share that is left. How many times fewer bytes is that?",
            convolutions_only() - 1: "That compares the fully connected part with the rest. Compare the whole.",
            trace("VGG-16").total_params / trace("VGG-16").fc_params: "That leaves the convolutions at home instead.",
        },
        otherwise="Divide the parameters of all layers by those of the convolutions.",
        relative=5e-3,
    ),
    choice(
        "two_processes_guess",
        "c",
        why="Waiting grows with the bytes, and the time saved does not.",
        hints={
            "a": "Half the images take half the time. Is that all that two processes have to do?",
            "b": "The larger head sends more and saves hardly more. Which of the two grows faster?",
            "d": "Look at the columns: which network has the longer wait beside its computing?",
        },
    ),
    number(
        "waiting_share",
        waiting_share,
        why="Small losses add up: at this price the paper's GPUs idle for more than a day in three weeks.",
        mistakes=lambda: {
            published("paper_gpu_speedup") / published("paper_gpus"): "That is the share in which they compute.",
            published("paper_gpus") - published("paper_gpu_speedup"): "That is in GPUs. Which share of four is it?",
            1 / published("paper_gpu_speedup"): "That is the new step in units of the old. How long ideally?",
            100 * waiting_share(): "Right in percent; give it as a share between 0 and 1.",
            1 / published("paper_gpu_speedup") - 1 / published("paper_gpus"): "That is a share of the old step.",
            published("paper_gpus") / published("paper_gpu_speedup") - 1: "That is in units of the computing time.",
        },
        otherwise="An ideal step would take a quarter of the old one. How much of the real step is that?",
        relative=0.05,
    ),
    number(
        "faster_gpus",
        lambda: paper_model(faster=FASTER).speedup(GPUS),
        why="Faster arithmetic makes the same wire a larger problem: links had to grow with the GPUs.",
        mistakes=lambda: {
            published("paper_gpu_speedup"): "The computing got shorter, the wait did not. Their ratio has changed.",
            published("paper_gpu_speedup") * FASTER: "Compare four new GPUs with one new GPU, not with an old one.",
            published("paper_gpu_speedup") / FASTER: "The wait is a small part of the old step: only that part stays.",
        },
        otherwise="The computing shrinks by the factor, the wait stays: a model with one argument changed knows both.",
        relative=0.01,
    ),
    choice(
        "free_speed_guess",
        "d",
        why="Which of them pays depends on processor, layout and sizes, so it is measured and not believed.",
        hints={
            "a": "On some processors it is the best by far. What does yours multiply bfloat16 with?",
            "b": "It is often good on CPUs. Is it the best of your lines, by more than they vary?",
            "c": "Larger batches are often better per image, up to a point. Does your table agree?",
        },
    ),
    number(
        "work_lost",
        lambda: MINUTE / 2,
        why="So the interval is chosen by what a checkpoint costs and by how often machines fail.",
        mistakes=lambda: {
            MINUTE: "That is the worst case: killed just before the next one. What is it on average?",
            0.0: "What was computed since the last checkpoint is gone. How long ago is that?",
            MINUTE / 4: "The moment is anywhere between two checkpoints, evenly. Where is its middle?",
            0.5: "Right in minutes; give it in seconds.",
        },
        otherwise="The crash comes at any moment between two checkpoints. How old is the last one on average?",
    ),
]  # fmt: skip
