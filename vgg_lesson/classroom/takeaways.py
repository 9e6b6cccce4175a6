"""What an Inception module costs, counted without building it; `vgg_lesson.arithmetic` counts plain stacks only.

Source: Szegedy and others, Going Deeper with Convolutions, arXiv:1409.4842, Figure 2 (b) and Table 1.
"""

from __future__ import annotations

Cell = tuple[int, tuple[int, int], tuple[int, int], int]

INPUTS, SIDE = 192, 28
# Inception module (3a) of arXiv:1409.4842, Table 1: 1×1; 1×1 then 3×3; 1×1 then 5×5; 1×1 behind the pool.
MODULE_3A = (64, (96, 128), (16, 32), 32)


def conv_params(kernel: int, inputs: int, outputs: int) -> int:
    """Weights and biases of a convolution."""
    return (kernel * kernel * inputs + 1) * outputs


def module_convs(inputs: int, cell: Cell = MODULE_3A) -> dict[str, tuple[int, int, int]]:
    """The six convolutions of an Inception module: name → (kernel, channels in, channels out)."""
    one, three, five, pool = cell
    return {
        "1×1": (1, inputs, one),
        "1×1 before 3×3": (1, inputs, three[0]), "3×3": (3, *three),
        "1×1 before 5×5": (1, inputs, five[0]), "5×5": (5, *five),
        "1×1 after the pool": (1, inputs, pool),
    }  # fmt: skip


def block_convs(inputs: int, channels: int) -> dict[str, tuple[int, int, int]]:
    """The two 3×3 convolutions of a VGG block: name → (kernel, channels in, channels out)."""
    return {f"3×3, {read} to {channels}": (3, read, channels) for read in (inputs, channels)}


def module_params(inputs: int, cell: Cell = MODULE_3A) -> int:
    """Parameters of an Inception module, biases included."""
    return sum(conv_params(*conv) for conv in module_convs(inputs, cell).values())
