"""Exercises of notebook 03: counting parameters, multiplications and memory."""

from __future__ import annotations

from vgg_lesson.arithmetic import LayerTrace, memory, trace
from vgg_lesson.checks.base import choice, code, number, numbers

BINDER_BYTES, KERNEL_BYTES = 2e9, 0.7e9


def _post(**changes: object) -> LayerTrace:
    return trace("VGG-11", in_channels=1, num_classes=10, **changes)  # type: ignore[arg-type]


def _block3() -> int:
    counted = _post()
    return counted.row("conv3_1").params + counted.row("conv3_2").params


def _block3_mistakes() -> dict[float, str]:
    counted = _post()
    first, second = counted.row("conv3_1").params, counted.row("conv3_2").params
    return {
        first: "That is one of the two convolutions. The block holds two.",
        second: "That is one of the two convolutions. The block holds two.",
        2 * first: "Look at what the second convolution reads: is it still what came out of block 2?",
        2 * second: "Look at what the first convolution reads: it is not yet as deep as what it writes.",
        first + second - 2 * 256: "Every filter also has one value that multiplies nothing. You left them out.",
        first + second - 256: "Both convolutions have biases; you counted those of one.",
        first + second + 128: "A bias belongs to a filter, not to a channel that is read.",
    }


def _grey_vgg16() -> int:
    return trace("VGG-16", in_channels=1, num_classes=10).total_params


def _slip() -> tuple[float, float]:
    right, wrong = _first_layers()
    return right, _grey_vgg16()


def _first_layers() -> tuple[int, int]:
    return _post().row("conv1_1").params, trace("VGG-11").row("conv1_1").params


def _slip_mistakes() -> dict[tuple[float, ...], str]:
    right, wrong = _first_layers()
    total = _grey_vgg16()
    return {
        (wrong, total + wrong - right): "These are the version's own numbers. How many channels has a grey picture?",
        (right, total + wrong - right): "The first layer is right. Its change has to reach the total as well.",
        (
            right,
            total + 2 * (wrong - right),
        ): "The first layer is right. Did the slip make the total too large or too small?",
        (
            right,
            total - right,
        ): "The first layer is right. The wrong value leaves the total, and the right one must enter it.",
        (right - 64, total - 64): "Nine weights per filter, yes. What else does a filter carry?",
    }


def _reference_macs(kernel: int, c_in: int, c_out: int, side: int) -> int:
    return kernel * kernel * c_in * c_out * side * side


def _half_image_mistakes() -> dict[float, str]:
    full = _post()
    half = _half_image()
    row = half.row("fc6").params
    rest = half.total_params - row

    def with_inputs(inputs: float) -> float:
        return rest + (inputs + 1) * 4096

    return {
        full.total_params: "True for the convolutions. But what does fc6 read, once the picture is smaller?",
        full.total_params / 4: "Not every layer shrinks. Which layers know nothing about the size of the picture?",
        full.conv_params: "These are the convolutions. The three fully connected layers are still there.",
        with_inputs(512 * 3.5 * 3.5): "No grid has half a cell. What does a 2×2 pooling do with the last row of seven?",
        with_inputs(512 * 4 * 4): "Close: the last pooling meets a 7×7 grid, and it drops the row that has no partner.",
        with_inputs(512 * 7 * 7 / 2): "Half the side is not half the grid: both directions shrink.",
    }


def _half_image() -> LayerTrace:
    return _post(image_size=112)


def _largest_batch() -> int:
    bill = memory(_post(), 1, optimizer="sgd")
    return int((BINDER_BYTES - KERNEL_BYTES - bill.weights - bill.gradients) // bill.activations)


def _batch_mistakes() -> dict[float, str]:
    bill = memory(_post(), 1, optimizer="sgd")
    left = BINDER_BYTES - KERNEL_BYTES
    fixed = bill.weights + bill.gradients
    return {
        left // bill.activations: "The pictures are not alone: what must be in memory even at batch size 1?",
        (left - bill.weights)
        // bill.activations: "The weights are in. The backward pass writes one more value per weight.",
        (BINDER_BYTES - fixed)
        // bill.activations: "Python and torch live in the same 2 GB: take their share off first.",
        (left - fixed) // bill.activations + 1: "That batch does not quite fit: round down.",
        (left - fixed)
        / bill.activations: "The division is right. A batch is a whole number of pictures that still fit.",
    }


def _busiest() -> str:
    counted = _post()
    third, fourth = counted.row("conv3_2").macs, counted.row("conv4_2").macs
    return "c" if third == fourth else "a" if third > fourth else "b"


EXERCISES = [
    choice(
        "heaviest_part",
        "c",
        why="One layer holds four fifths of the file. What that layer computes is another question.",
        hints={
            "a": "It sees the whole picture, but its filters are tiny and few. Count them.",
            "b": "Eight layers, yes. Add them up: they do not reach a tenth.",
            "d": "Ten scores, each with its own weight for every hidden unit: compare that with the layer two before it.",
        },
    ),
    number(
        "block3_params",
        _block3,
        why="Only the first convolution of a block reads fewer channels than it writes: that rule counts every VGG.",
        mistakes=_block3_mistakes,
        otherwise="Write one line per convolution: (3·3·channels read + 1)·channels written. Then add the two.",
    ),
    numbers(
        "older_post_slip",
        _slip,
        why="One number copied from the RGB network is enough: a count must come from the code that runs.",
        mistakes=_slip_mistakes,
        otherwise="First recount the layer with one input channel, then replace its share in the total.",
    ),
    code(
        "conv_macs",
        _reference_macs,
        [(3, 1, 64, 224), (3, 256, 256, 56), (3, 512, 512, 14), (1, 512, 512, 28), (7, 2, 3, 5)],
        why="Every weight of a convolution works once per position, so the grid decides what a layer costs.",
        mistakes={
            "That counts the weights once. At how many positions is each of them used?": lambda k, i, o, s: (
                k * k * i * o
            ),
            "The grid has two directions, and every position in it is visited.": lambda k, i, o, s: k * k * i * o * s,
            "Adding a bias is no multiplication: leave the +1 out.": lambda k, i, o, s: (k * k * i + 1) * o * s * s,
            "A window has two directions as well: kernel times kernel.": lambda k, i, o, s: k * i * o * s * s,
            "Each filter reads all incoming channels, and there is one filter per outgoing channel.": (
                lambda k, i, o, s: k * k * o * s * s
            ),
            "Multiply-accumulates are counted as one step here, not as two.": lambda k, i, o, s: (
                2 * k * k * i * o * s * s
            ),
        },
        otherwise="Multiplications of one output value, times output channels, times positions.",
    ),
    choice(
        "fc6_macs_share",
        "d",
        why="A fully connected layer uses each weight once per picture: big in the file, small on the clock.",
        hints={
            "a": "That is its share of the parameters. How often is each of them used for one picture?",
            "b": "Count how often one weight of fc6 is used, and how often one weight of conv1_1.",
            "c": "Still too much: its weights are many, but every weight of conv3_2 is used at each of 56×56 positions.",
        },
    ),
    choice(
        "busiest_conv",
        _busiest,
        why="Half the side, twice the channels in and out: 4·1/4 = 1. That is why VGG doubles where it pools.",
        hints={
            "a": "The grid of conv3_2 has four times the positions. How many times the weights has conv4_2?",
            "b": "conv4_2 has four times the weights. At how many positions do they work, compared with conv3_2?",
            "d": "What the picture shows does not matter: every position is multiplied, black or not.",
        },
    ),
    number(
        "half_image_params",
        lambda: _half_image().total_params,
        why="Convolutions do not know how large the picture is; the first fully connected layer knows nothing else.",
        mistakes=_half_image_mistakes,
        otherwise="Follow the side through five poolings, then recount fc6 alone.",
    ),
    choice(
        "quarter_width",
        "b",
        why="fc6 reads a quarter of the channels but keeps all its outputs: it shrinks by 4, and fc7 not at all.",
        hints={
            "a": "That holds for the convolutions, where both channels in and channels out shrink. They are 7% of the file.",
            "c": "That holds for fc6, which reads a quarter of the channels. What happens to fc7?",
            "d": "The fully connected layers keep their 4096 units, but fc6 reads the convolutions' channels.",
        },
    ),
    choice(
        "biggest_memory_item",
        lambda: "abcd"[_largest_item()],
        why="What the backward pass needs grows with every picture; the weights are paid for once.",
        hints={
            "a": "515 MB, paid once. Which item is paid 128 times?",
            "b": "As many as weights, and no more. Which item is paid 128 times?",
            "c": "Plain SGD keeps nothing of its own between two steps.",
        },
    ),
    number(
        "largest_batch",
        _largest_batch,
        why="Before you choose a batch size you can know whether it fits, on a machine you have never seen.",
        mistakes=_batch_mistakes,
        otherwise="Take from 2 GB what is there before the first picture, then divide by what one picture costs.",
    ),
]


def _largest_item() -> int:
    bill = memory(_post(), 128, optimizer="sgd")
    sizes = (bill.weights, bill.gradients, bill.optimizer, bill.activations)
    return sizes.index(max(sizes))
