"""Table 1 of the VGG paper as data.

Source: K. Simonyan and A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
arXiv:1409.1556v6, Table 1, https://arxiv.org/abs/1409.1556. Columns A, A-LRN, B, C, D and E.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from vgg_lesson.support.arguments import check_bool, check_positive_int


@dataclass(frozen=True)
class Conv:
    """One convolution of a block: stride 1, padding ``kernel // 2``, followed by a ReLU.

    ``channels`` is the number of filters, ``kernel`` the side of the square window (odd).
    """

    channels: int
    kernel: int = 3

    def __post_init__(self) -> None:
        check_positive_int("channels", self.channels)
        check_positive_int("kernel", self.kernel)
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel={self.kernel} is even; an odd size such as 1, 3 or 7 keeps the grid unchanged")


@dataclass(frozen=True)
class VGGConfig:
    """A VGG layout: blocks of convolutions, each block ending in a 2×2 max-pool, then three FC layers.

    ``blocks`` holds one tuple of `Conv` per block, ``lrn`` adds local response normalisation after the first
    convolution (column A-LRN), ``column`` is the letter in Table 1 of the paper, empty for a network of your own.
    """

    name: str
    blocks: tuple[tuple[Conv, ...], ...]
    lrn: bool = False
    column: str = ""

    def __post_init__(self) -> None:
        for name, text in (("name", self.name), ("column", self.column)):
            if not isinstance(text, str):
                raise TypeError(f"{name}={text!r} is {type(text).__name__}; a string is expected")
        check_bool("lrn", self.lrn)
        rows = tuple | list
        if not isinstance(self.blocks, rows) or not all(isinstance(block, rows) for block in self.blocks):
            raise TypeError(
                f"blocks={self.blocks!r} is no tuple of tuples of Conv; ((Conv(64),), (Conv(128),)) would be one, "
                "and VGGConfig.stack(name, [(1, 64), (1, 128)]) makes it"
            )
        object.__setattr__(self, "blocks", tuple(map(tuple, self.blocks)))  # lists would leave it unhashable
        if not self.blocks or not all(self.blocks):
            raise ValueError(f"blocks={self.blocks!r} needs at least one block with at least one Conv each")
        for conv in (conv for block in self.blocks for conv in block):
            if not isinstance(conv, Conv):
                raise TypeError(f"blocks holds {conv!r}; every entry must be a Conv, such as Conv(64)")

    @classmethod
    def stack(cls, name: str, blocks: Sequence[tuple[int, int]]) -> VGGConfig:
        """Build a layout from ``(number of 3×3 convolutions, channels)`` pairs, one pair per block."""
        if not isinstance(blocks, Sequence) or isinstance(blocks, str):
            raise TypeError(
                f"blocks={blocks!r} is {type(blocks).__name__}; a list such as [(1, 64), (2, 128)] is expected"
            )
        for pair in blocks:
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise TypeError(f"blocks holds {pair!r}; every entry must be a pair such as (2, 128)")
            check_positive_int("blocks", pair[0])
            check_positive_int("blocks' channels", pair[1])
        return cls(name, tuple((Conv(channels),) * count for count, channels in blocks))

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

# The network of the class, as arguments of `trace` and `build_vgg`: small enough to train while a class waits.
CLASS_NETWORK: Mapping[str, Any] = MappingProxyType(
    {"in_channels": 1, "num_classes": 10, "image_size": 32, "width": 0.25, "hidden": 512, "batch_norm": True}
)


def get_config(config: str | VGGConfig) -> VGGConfig:
    """Return ``config`` itself, or the column of Table 1 that it names.

    Raises:
        ValueError: an unknown name. TypeError: neither a name nor a `VGGConfig`.
    """
    if isinstance(config, VGGConfig):
        return config
    if not isinstance(config, str):
        raise TypeError(f"config={config!r} is {type(config).__name__}; a name or a VGGConfig is expected")
    if config not in CONFIGS:
        raise ValueError(f"config={config!r} is unknown; choose one of {', '.join(CONFIGS)}, or pass a VGGConfig")
    return CONFIGS[config]
