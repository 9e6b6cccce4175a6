"""Keys and recognised mistakes of notebook 03: what the post's network and its variations cost."""

from __future__ import annotations

from typing import Any

from torch import nn

from vgg_lesson.arithmetic import FLOAT32_BYTES, LayerTrace, memory, trace
from vgg_lesson.configs import VGGConfig

BINDER_BYTES, KERNEL_BYTES = 2e9, 0.7e9
MOVED = VGGConfig.stack("conv3_2 moved to block 5", [(1, 64), (1, 128), (1, 256), (2, 512), (3, 512)])


def post(**changes: Any) -> LayerTrace:
    """The network of the post's text, or that with ``changes``."""
    return trace("VGG-11", in_channels=1, num_classes=10, **changes)


def block3() -> tuple[int, int]:
    """Parameters of the two convolutions of block 3."""
    counted = post()
    return counted.row("conv3_1").params, counted.row("conv3_2").params


def block3_mistakes() -> dict[float, str]:
    """Wrong sum → hint."""
    first, second = block3()
    return {
        **dict.fromkeys((first, second), "That is one of the two convolutions. The block holds two."),
        2 * first: "Look at what the second convolution reads: is it still what came out of block 2?",
        2 * second: "Look at what the first convolution reads: it is not yet as deep as what it writes.",
        first + second - 2 * 256: "Every kernel also has one value that multiplies nothing. You left them out.",
        first + second - 256: "Both convolutions have biases; you counted those of one.",
        2 * (3 * 3 + 1) * 256: "A kernel is not one flat square: it goes through every channel that it reads.",
        (3 * 3 * 256 + 1) * 512 + (3 * 3 * 512 + 1) * 512: "That is block 4. Count on from block 2, which writes 128.",
        ((3 * 128 + 1) + (3 * 256 + 1)) * 256: "You counted one side of the kernel. It has two.",
        (3 * 3 * 64 + 1) * 256 + first: "Block 3 reads what block 2 writes; your first convolution reads too little.",
    }


def conv_params(kernel: int, c_in: int, c_out: int, bias: bool) -> int:
    """Parameters of one convolution, counted in PyTorch's own layer."""
    layer = nn.Conv2d(c_in, c_out, kernel, bias=bias, device="meta")
    return sum(parameter.numel() for parameter in layer.parameters())


def first_layers() -> tuple[int, int]:
    """Parameters of conv1_1 for a grey and for a colour picture."""
    return post().row("conv1_1").params, trace("VGG-11").row("conv1_1").params


def slip() -> tuple[int, int]:
    """What the older post should have printed: first layer and total of VGG-16."""
    return first_layers()[0], trace("VGG-16", in_channels=1, num_classes=10).total_params


def slip_mistakes() -> dict[tuple[float, ...], str]:
    """Wrong pair → hint."""
    first, total = slip()
    excess = first_layers()[1] - first
    return {
        (first + excess, total + excess): "That is what the older version says. How many channels has a grey image?",
        (first, total + excess): "The first layer is right. Its change has to reach the total as well.",
        (first, total + 2 * excess): "The first layer is right. Did the slip make the total too large or too small?",
        (first, total - first): "The first layer is right. The wrong value leaves the total; what enters instead?",
        (first - 64, total - 64): "Nine weights per kernel, yes. What else does a kernel carry?",
        (first, post().total_params): "The total is VGG-11's; the older post counted VGG-16.",
        (first, trace("VGG-16").total_params): "The first layer is right. The total is ImageNet's, with its colours.",
        (excess, total): "The total is right. What you give for the first layer is by how much it was wrong.",
        (10, total): "The total is right. Ten is one kernel: how many has the layer?",
    }


def conv_macs(kernel: int, c_in: int, c_out: int, side: int) -> int:
    """Multiply-accumulates of one convolution on a padded grid."""
    return kernel * kernel * c_in * c_out * side * side


def moved_layer() -> tuple[int, int]:
    """Change in parameters and in MACs when conv3_2 moves to block 5."""
    after = trace(MOVED, in_channels=1, num_classes=10)
    return after.total_params - post().total_params, after.total_macs - post().total_macs


def moved_layer_mistakes() -> dict[tuple[float, ...], str]:
    """Wrong pair of changes → hint."""
    params, macs = moved_layer()
    old, new = post().row("conv3_2"), post().row("conv5_2")
    on_pooled_grids, biases = macs / 4, new.activations - old.activations
    return {
        (-params, -macs): "The sizes are right. A change is after minus before.",
        (params, -macs): "The parameters are right. Does a weight work at more positions in block 3 or in block 5?",
        (params, abs(on_pooled_grids)): "Two things to mend in the MACs: their sign, and the grid, halved too early.",
        (params, on_pooled_grids): "The table lists each grid after its pool. The convolutions work before it.",
        (params, new.macs / 4 - old.macs): "The grid of block 5 is halved by its pool, after the convolutions.",
        (
            params,
            0,
        ): "Equal work needs channels that double each time the grid halves. Do they, from block 3 to block 5?",
        (0, 0): "Eleven layers as before, yes. Are the one that goes and the one that comes of equal size?",
        (params, macs + biases): "The parameters are right. Biases are added, not multiplied: they are no MACs.",
        (params - 256, macs): "The work is right. In the parameters you left out the biases, and they differ too.",
        (new.params, new.macs): "That is what the new layer adds. One layer has also gone.",
        (-old.params, -old.macs): "That is what the old layer takes with it. One layer has also come.",
        (post().total_params + params, post().total_macs + macs): "Those are the new totals. How far from the old?",
    }


def half_image() -> LayerTrace:
    """The post's network for pictures of 112×112."""
    return post(image_size=112)


def half_image_mistakes() -> dict[float, str]:
    """Wrong total → hint."""
    full, half = post(), half_image()

    def fc6_reading(inputs: float) -> float:
        return half.total_params - half.row("fc6").params + (inputs + 1) * 4096

    return {
        full.total_params: "True for the convolutions. But what does fc6 read, once the image is smaller?",
        **dict.fromkeys(
            (full.total_params / 4, full.total_params // 4, full.total_params / 2),
            "Not every layer shrinks. Which layers know nothing about the size of the image?",
        ),
        full.conv_params: "These are the convolutions. The three fully connected layers are still there.",
        **dict.fromkeys(
            (fc6_reading(512 * 3.5 * 3.5), full.total_params - full.row("fc6").params * 3 / 4),
            "No grid has half a cell. What does 2×2 pooling do with the last of seven rows?",
        ),
        half.conv_params + half.row("fc6").params: "fc6 is right. fc7 and fc8 are still there.",
        half.total_params - 4096: "fc6 has lost its biases: one per output, whatever it reads.",
        fc6_reading(512 * 4 * 4): "Close. The last pooling meets a 7×7 grid and drops the row that has no partner.",
        fc6_reading(512 * 7 * 7 / 2): "Half the side is not half the grid: both directions shrink.",
    }


def pictures_that_fit() -> float:
    """How many pictures fit beside the post's network on Binder, with a fraction."""
    bill = memory(post(), 1, optimizer="sgd")
    return (BINDER_BYTES - KERNEL_BYTES - bill.weights - bill.gradients) / bill.activations


def batch_mistakes() -> dict[float, str]:
    """Wrong batch size → hint."""
    bill = memory(post(), 1, optimizer="sgd")
    left, fixed, picture = BINDER_BYTES - KERNEL_BYTES, bill.weights + bill.gradients, bill.activations
    return {
        left // picture: "The images are not alone: what must be in memory even at batch size 1?",
        (left - bill.weights) // picture: "The weights are in. What does the backward pass write for each of them?",
        (BINDER_BYTES - fixed) // picture: "Python and torch live in the same 2 GB: take their share off first.",
        (left - fixed)
        // (picture * 4 / 3): "That has the extra third in it. The exercise asks for the bill as it stands.",
        (left - fixed) // picture + 1: "That batch does not quite fit: round down.",
        BINDER_BYTES // picture: "Two gigabytes hold more than images. What is there before the first one?",
        (2 * 2**30 - KERNEL_BYTES - fixed) // picture: "Nearly: here 1 GB is 10⁹ bytes, not 2³⁰.",
        0: "Something fits. Does plain SGD remember anything between two steps, and do you count in bytes?",
        (left - fixed / FLOAT32_BYTES)
        // (picture / FLOAT32_BYTES): "Weights, gradients, outputs: how many bytes each?",
        (left - fixed) // (picture / FLOAT32_BYTES): "Weights and gradients are right. A value is more than one byte.",
    }
