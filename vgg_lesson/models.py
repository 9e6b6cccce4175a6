"""VGG as a PyTorch module, built from the same tables that `vgg_lesson.arithmetic` counts.

Source: arXiv:1409.1556, Section 2 and Table 1. Layer for layer the same as torchvision's ``vgg11`` … ``vgg19``
(https://docs.pytorch.org/vision/stable/models/vgg.html) where the two overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from vgg_lesson.arithmetic import check_network, scaled
from vgg_lesson.configs import CLASS_NETWORK, Conv, VGGConfig, get_config
from vgg_lesson.data.datasets import Preprocessing
from vgg_lesson.support.arguments import check_bool, check_kind, check_positive_int
from vgg_lesson.support.machine import as_device

INIT_SCHEMES = ("he", "xavier", "paper", "pytorch")
PAPER_STD = 0.1  # the square root of the paper's "variance 10⁻²", Section 3.1
TORCHVISION_GRID = 7


class VGGBlock(nn.Sequential):
    """Convolutions with ReLUs, then a 2×2 max-pool: (B, in_channels, H, W) → (B, last channels, H//2, W//2).

    Args:
        in_channels: channels of the input.
        convs: the convolutions, in order; padding keeps the grid.
        batch_norm: normalise after every convolution. lrn: local response normalisation after the first ReLU.
    """

    def __init__(self, in_channels: int, convs: tuple[Conv, ...], *, batch_norm: bool = False, lrn: bool = False):
        check_positive_int("in_channels", in_channels)
        check_bool("batch_norm", batch_norm)
        check_bool("lrn", lrn)
        if not isinstance(convs, tuple | list) or not all(isinstance(conv, Conv) for conv in convs):
            raise TypeError(f"convs={convs!r} is no row of Conv; a tuple such as (Conv(64), Conv(64)) is expected")
        if not convs:
            raise ValueError(f"convs={convs!r} is empty; a block has at least one Conv")
        layers: list[nn.Module] = []
        incoming = in_channels
        for index, conv in enumerate(convs):
            layers.append(nn.Conv2d(incoming, conv.channels, conv.kernel, padding=conv.kernel // 2))
            if batch_norm:
                layers.append(nn.BatchNorm2d(conv.channels))
            layers.append(nn.ReLU(inplace=True))
            if lrn and index == 0:
                layers.append(nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2))
            incoming = conv.channels
        layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        super().__init__(*layers)
        self.in_channels = in_channels

    def forward(self, images: Tensor) -> Tensor:
        """Refuse what the layers could not read before they do, then pass ``images`` through them."""
        _check_floats(images, self)
        if images.ndim not in (3, 4) or images.shape[-3] != self.in_channels or min(images.shape[-2:]) < 2:
            raise ValueError(
                f"images has shape {tuple(images.shape)}; this block expects (batch, {self.in_channels}, H, W) with "
                "at least 2×2 pixels, which its pool halves"
            )
        return super().forward(images)

    def __getitem__(self, index: Any) -> Any:
        # Sequential would build a slice with this class, whose arguments differ.
        return nn.Sequential(*list(self)[index]) if isinstance(index, slice) else super().__getitem__(index)


class VGG(nn.Module):
    """A VGG network: ``features`` is a Sequential of `VGGBlock`, ``classifier`` the head.

    Maps float images (B, in_channels, image_size, image_size) to class scores (B, num_classes). ``settings`` holds
    the arguments that `build_vgg` needs to build the same network again, ``preprocessing`` what its input expects.
    Use `build_vgg`, which validates its arguments and initialises the weights.
    """

    features: nn.Sequential
    classifier: nn.Sequential

    def __init__(
        self,
        config: VGGConfig,
        *,
        in_channels: int,
        num_classes: int,
        image_size: int,
        width: float,
        batch_norm: bool,
        hidden: int,
        dropout: float,
        head: str,
    ):
        super().__init__()
        check_kind("config", config, VGGConfig, "a VGGConfig such as get_config('VGG-11')")
        check_network(
            config, in_channels=in_channels, num_classes=num_classes, image_size=image_size, width=width,
            batch_norm=batch_norm, hidden=hidden, head=head,
        )  # fmt: skip
        _check_dropout(dropout)
        self.config = config
        self.settings: dict[str, Any] = {
            "in_channels": in_channels, "num_classes": num_classes, "image_size": image_size, "width": width,
            "batch_norm": batch_norm, "hidden": hidden, "dropout": dropout, "head": head,
        }  # fmt: skip
        self.preprocessing = Preprocessing(image_size=image_size)
        self.features = nn.Sequential()
        channels = in_channels
        for number, block in enumerate(config.blocks, 1):
            convs = tuple(Conv(scaled(conv.channels, width), conv.kernel) for conv in block)
            self.features.append(VGGBlock(channels, convs, batch_norm=batch_norm, lrn=config.lrn and number == 1))
            channels = convs[-1].channels
        grid = image_size // 2 ** len(config.blocks)
        self.classifier = (
            _gap_head(channels, num_classes)
            if head == "gap"
            else _fc_head(channels * grid * grid, hidden, num_classes, dropout)
        )

    def forward(self, images: Tensor) -> Tensor:
        self.check_input(images)
        return self.classifier(self.features(images))

    def check_input(self, images: Tensor) -> None:
        """Raise TypeError or ValueError unless ``images`` is a batch that this network can read."""
        _check_floats(images, self)
        channels, side = self.settings["in_channels"], self.settings["image_size"]
        if images.ndim != 4:
            raise ValueError(
                f"images has shape {tuple(images.shape)}; four axes (batch, channels, height, width) are expected: "
                "use images[None] for a single picture"
            )
        flexible = self.settings["head"] == "gap" and min(images.shape[2:]) >= 2 ** len(self.config.blocks)
        if images.shape[1] != channels or (tuple(images.shape[2:]) != (side, side) and not flexible):
            raise ValueError(
                f"images has shape {tuple(images.shape)}; this network expects (batch, {channels}, {side}, {side})"
            )


def _check_floats(images: object, module: nn.Module) -> None:
    """Raise TypeError unless ``images`` is a tensor of what the weights are, or of any floats under autocast."""
    wanted = next(module.parameters()).dtype
    if isinstance(images, Tensor):
        if images.dtype == wanted:
            return
        if images.is_floating_point() and not images.is_meta and torch.is_autocast_enabled(images.device.type):
            return
    described = f"a {images.dtype} tensor" if isinstance(images, Tensor) else type(images).__name__
    raise TypeError(f"images is {described}; a {wanted} tensor such as to_batch(…) makes is expected")


def _fc_head(inputs: int, hidden: int, num_classes: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(inputs, hidden), nn.ReLU(inplace=True), nn.Dropout(dropout),
        nn.Linear(hidden, hidden), nn.ReLU(inplace=True), nn.Dropout(dropout),
        nn.Linear(hidden, num_classes),
    )  # fmt: skip


def _gap_head(channels: int, num_classes: int) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))


def build_vgg(
    config: str | VGGConfig = "VGG-11",
    *,
    in_channels: int = 3,
    num_classes: int = 1000,
    image_size: int = 224,
    width: float = 1.0,
    batch_norm: bool = False,
    hidden: int = 4096,
    dropout: float = 0.5,
    head: str = "fc",
    init: str = "he",
    device: torch.device | str | None = None,
) -> VGG:
    """Build and initialise a VGG; the arguments are those of `vgg_lesson.arithmetic.trace`, and:

    Args:
        dropout: probability, 0 ≤ dropout < 1, after each hidden FC layer. init: a scheme of `initialize`.
        device: where the float32 weights live; "meta" gives shapes without memory (and without weights).

    Raises:
        ValueError, TypeError: an argument out of range, named with its value and what would be accepted.
    """
    layout = get_config(config)
    _check_scheme("init", init)
    place = as_device(device)
    with torch.device("meta"):
        model = VGG(
            layout, in_channels=in_channels, num_classes=num_classes, image_size=image_size, width=width,
            batch_norm=batch_norm, hidden=hidden, dropout=dropout, head=head,
        )  # fmt: skip
    if place.type == "meta":
        return model
    return initialize(model.to_empty(device=place), init)


def class_vgg(config: str | VGGConfig = "VGG-11", **changes: Any) -> VGG:
    """The class network: `build_vgg` at 32×32 pixels, one channel, ten classes, quarter width, 512 hidden units,
    batch norm; ``changes`` override any of these."""
    return build_vgg(config, **{**CLASS_NETWORK, **changes})


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Switch ``model`` to evaluation mode without gradients, and back to what it was, whatever happens inside."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def initialize(model: nn.Module, scheme: str = "he") -> Any:
    """Draw all weights anew, in place, from torch's global random generator; returns ``model``.

    Args:
        scheme: "he" draws N(0, 2/fan_in) (He et al., arXiv:1502.01852), "xavier" uniform with variance
            2/(fan_in + fan_out) (Glorot and Bengio, 2010), "paper" N(0, 10⁻²) as Section 3.1 of arXiv:1409.1556
            says; these three set biases to zero. "pytorch" is each layer's own ``reset_parameters``.

    Raises:
        ValueError: an unknown scheme.
    """
    _check_scheme("scheme", scheme)
    check_kind("model", model, nn.Module, "a network such as build_vgg()")
    draw: dict[str, Callable[[Tensor], Tensor]] = {
        "he": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
        "xavier": nn.init.xavier_uniform_,
        "paper": lambda weight: nn.init.normal_(weight, std=PAPER_STD),
    }
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear) and scheme != "pytorch":
            draw[scheme](layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.Conv2d | nn.Linear | nn.BatchNorm2d):
            layer.reset_parameters()
    return model


def load_torchvision_weights(model: VGG, state_dict: Mapping[str, Tensor]) -> VGG:
    """Copy the weights of torchvision's VGG of the same layout into ``model``, in place; returns ``model``.

    A model on the meta device takes over the tensors themselves, so that one copy stays in memory.

    Raises:
        ValueError: layers that do not match, or a last grid that is not 7×7 (torchvision pools any grid to 7×7
            first, which this network does not do, so equal weights would mean different networks).
    """
    check_kind("model", model, VGG, "a VGG such as build_vgg()")
    check_kind("state_dict", state_dict, Mapping, "what torchvision's model.state_dict() returns")
    if not all(isinstance(n, str) and isinstance(t, Tensor) for n, t in state_dict.items()):
        raise TypeError("state_dict holds other things than tensors by name; torchvision's model.state_dict() does")
    grid = model.settings["image_size"] // 2 ** len(model.config.blocks)
    if grid != TORCHVISION_GRID or model.settings["head"] != "fc":
        raise ValueError(
            f"model ends in a {grid}×{grid} grid with head={model.settings['head']!r}; torchvision's weights fit "
            'a 7×7 grid with head="fc" (image_size 224 to 255)'
        )
    ours = model.state_dict()
    same_shapes = [tuple(t.shape) for t in ours.values()] == [tuple(t.shape) for t in state_dict.values()]
    if not same_shapes or model.config.lrn or _conv_places(model) != _torchvision_conv_places(state_dict):
        raise ValueError(
            f"state_dict has {len(state_dict)} tensors that do not match the {len(ours)} of this {model.config.name}; "
            "check the variant, batch_norm, in_channels and num_classes"
        )
    on_meta = any(tensor.is_meta for tensor in ours.values())
    model.load_state_dict(dict(zip(ours, state_dict.values(), strict=True)), assign=on_meta)
    return model


def _conv_places(model: VGG) -> list[int]:
    layers = [layer for block in model.features for layer in block.children()]
    return [place for place, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]


def _torchvision_conv_places(state_dict: Mapping[str, Tensor]) -> list[int]:
    """Positions of the convolutions in torchvision's flat ``features``, which its names give away."""
    names = [name.split(".") for name, tensor in state_dict.items() if tensor.ndim == 4]
    return [int(parts[1]) if len(parts) == 3 and parts[1].isdecimal() else -1 for parts in names]


def _check_dropout(dropout: float) -> None:
    if isinstance(dropout, bool) or not isinstance(dropout, int | float):
        raise TypeError(f"dropout={dropout!r} is {type(dropout).__name__}; a number from 0 up to 1 is expected")
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout={dropout} is out of range; a probability from 0 up to (not including) 1 is expected")


def _check_scheme(name: str, scheme: str) -> None:
    if scheme not in INIT_SCHEMES:
        raise ValueError(f"{name}={scheme!r} is unknown; choose one of {', '.join(INIT_SCHEMES)}")
