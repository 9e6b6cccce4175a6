"""Table 1 of the VGG paper as data, and the record that describes any network built from it.

Source: K. Simonyan and A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
arXiv:1409.1556v6, Table 1, https://arxiv.org/abs/1409.1556. Columns A, A-LRN, B, C, D and E.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Annotated, Any

from vgg_lesson.support.arguments import Count, accept, between, check_record, one_of, says

HEADS = ("fc", "gap")
INIT_SCHEMES = ("he", "xavier", "paper", "pytorch")
PAIRS = "a list of pairs such as [(1, 64), (2, 128)]"
MAX_WIDTH = 1000  # a block of 64 channels would have 64,000: past that, a mistake


@dataclass(frozen=True)
class Conv:
    """One convolution of a block: stride 1, padding ``kernel // 2``, followed by a ReLU.

    ``channels`` is the number of kernels, ``kernel`` the side of each, an odd number.
    """

    channels: Count
    kernel: Count = 3

    def __post_init__(self) -> None:
        check_record(self)
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel={self.kernel} is even; an odd size such as 1, 3 or 7 keeps the grid unchanged")


@dataclass(frozen=True)
class VGGConfig:
    """A VGG layout: blocks of convolutions, each block ending in a 2×2 max-pool, then three fully connected layers.

    ``blocks`` holds one tuple of `Conv` per block, ``lrn`` adds local response normalisation after the first
    convolution (column A-LRN), ``column`` is the letter in Table 1 of the paper, empty for a network of your own.
    """

    name: str
    blocks: Annotated[tuple[tuple[Conv, ...], ...], says("a tuple of tuples such as ((Conv(64),), (Conv(128),))")]
    lrn: bool = False
    column: str = ""

    def __post_init__(self) -> None:
        check_record(self)
        object.__setattr__(self, "blocks", tuple(map(tuple, self.blocks)))  # lists would leave it unhashable
        if not all(self.blocks):
            raise ValueError(f"blocks={self.blocks!r} has an empty block; at least one Conv in each is expected")

    @classmethod
    def stack(cls, name: str, blocks: Sequence[tuple[int, int]]) -> VGGConfig:
        """Build a layout from ``(number of 3×3 convolutions, channels)`` pairs, one pair per block."""
        pairs = accept("blocks", blocks, Annotated[Sequence[tuple[Count, Count]], says(PAIRS)])
        return cls(name, tuple((Conv(channels),) * count for count, channels in pairs))

    @property
    def conv_layers(self) -> int:
        """Number of convolutions."""
        return sum(len(block) for block in self.blocks)

    @property
    def weight_layers(self) -> int:
        """Number of layers with weights, the paper's way of counting: convolutions plus three FC layers."""
        return self.conv_layers + 3


def _column(name: str, column: str, *blocks: tuple[int | Conv, ...], lrn: bool = False) -> VGGConfig:
    layers = tuple(tuple(c if isinstance(c, Conv) else Conv(c) for c in block) for block in blocks)
    return VGGConfig(name, layers, lrn=lrn, column=column)


_A = ((64,), (128,), (256, 256), (512, 512), (512, 512))
_B = ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512))
_C = (
    (64, 64),
    (128, 128),
    (256, 256, Conv(256, kernel=1)),
    (512, 512, Conv(512, kernel=1)),
    (512, 512, Conv(512, kernel=1)),
)
_D = ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3)
_E = ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4)

CONFIGS: Mapping[str, VGGConfig] = MappingProxyType(
    {
        config.name: config
        for config in (
            _column("VGG-11", "A", *_A),
            _column("VGG-11-LRN", "A-LRN", *_A, lrn=True),
            _column("VGG-13", "B", *_B),
            _column("VGG-16-1x1", "C", *_C),
            _column("VGG-16", "D", *_D),
            _column("VGG-19", "E", *_E),
        )
    }
)


Config = Annotated[str | VGGConfig, says("a name or a VGGConfig")]


def get_config(config: Config) -> VGGConfig:
    """Return ``config`` itself, or the column of Table 1 that it names.

    Raises:
        ValueError: an unknown name. TypeError: neither a name nor a `VGGConfig`.
    """
    accept("config", config, Config)
    if isinstance(config, VGGConfig):
        return config
    if config not in CONFIGS:
        raise ValueError(f"config={config!r} is unknown; choose one of {', '.join(CONFIGS)}, or pass a VGGConfig")
    return CONFIGS[config]


@dataclass(frozen=True)
class Network:
    """Everything that decides a VGG before training; ``**network`` are the arguments of `trace` and `build_vgg`.

    The input is (``in_channels``, ``image_size``, ``image_size``), the output ``num_classes`` scores. ``config`` is a
    name in `CONFIGS` or a `VGGConfig`. ``width`` scales every convolution's channels, ``max(1, round(width *
    channels))``. ``batch_norm`` follows every convolution, which keeps its bias. ``head`` is "fc" for three fully
    connected layers, two of them with ``hidden`` units and ``dropout`` (0 ≤ dropout < 1) behind, or "gap" for global
    average pooling and one linear layer. ``init`` is a scheme of `vgg_lesson.initialize`.

    Raises:
        ValueError, TypeError: a field out of range; an image too small for the pools is answered with the smallest
            legal size.
    """

    config: str | VGGConfig = "VGG-11"
    in_channels: Count = 3
    num_classes: Count = 1000
    image_size: Count = 224
    width: Annotated[float, between(high=MAX_WIDTH, above=0)] = 1.0
    batch_norm: bool = False
    hidden: Count = 4096
    dropout: Annotated[float, between(0, below=1)] = 0.5
    head: Annotated[str, one_of(HEADS)] = "fc"
    init: Annotated[str, one_of(INIT_SCHEMES)] = "he"

    def __post_init__(self) -> None:
        object.__setattr__(self, "config", get_config(self.config))
        check_record(self)
        smallest = 2 ** len(self.layout.blocks)
        if self.image_size < smallest:
            raise ValueError(
                f"image_size={self.image_size} is too small: {len(self.layout.blocks)} poolings halve it to nothing; "
                f"the smallest legal size is {smallest}"
            )

    @property
    def layout(self) -> VGGConfig:
        """The blocks, by whatever name they were given."""
        return get_config(self.config)

    @property
    def grid(self) -> int:
        """The side of the last pool's output."""
        return int(self.image_size // 2 ** len(self.layout.blocks))

    def channels(self, conv: Conv) -> int:
        """Output channels of a convolution after scaling by ``width``: at least one."""
        return max(1, round(self.width * conv.channels))

    def keys(self) -> list[str]:
        """The fields' names, so that ``**network`` unpacks the record."""
        return [field.name for field in fields(self)]

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


# The network of the class: small enough to train while a class waits.
CLASS_NETWORK = Network(in_channels=1, num_classes=10, image_size=32, width=0.25, hidden=512, batch_norm=True)
