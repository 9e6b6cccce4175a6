"""VGG as a PyTorch module, built from the same tables that `vgg_lesson.arithmetic` counts.

Source: arXiv:1409.1556, Section 2 and Table 1. Layer for layer the same as torchvision's ``vgg11`` … ``vgg19``
(https://docs.pytorch.org/vision/stable/models/vgg.html) where the two overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, TypeVar

import torch
from torch import Tensor, nn

from vgg_lesson.configs import CLASS_NETWORK, INIT_SCHEMES, Config, Conv, Network, VGGConfig
from vgg_lesson.data.batches import Preprocessing
from vgg_lesson.state_names import fitted, tensors_by_name, vgg_names
from vgg_lesson.support.arguments import Count, checked, described, one_of, says, spells_out
from vgg_lesson.support.machine import as_device

Model = TypeVar("Model", bound=nn.Module)
AnyModel = Annotated[nn.Module, says("a network, such as build_vgg() or your own nn.Module,")]
Scheme = Annotated[str, one_of(INIT_SCHEMES)]
PAPER_STD = 0.1  # the square root of the paper's "variance 10⁻²", Section 3.1
TORCHVISION_GRID = 7


class VGGBlock(nn.Sequential):
    """Convolutions with ReLUs, then a 2×2 max-pool: (B, in_channels, H, W) → (B, last channels, H//2, W//2).

    Args:
        in_channels: channels of the input.
        convs: the convolutions, in order; padding keeps the grid.
        batch_norm: normalise after every convolution. lrn: local response normalisation after the first ReLU.
    """

    @checked
    def __init__(
        self,
        in_channels: Count,
        convs: Annotated[tuple[Conv, ...], says("a tuple such as (Conv(64), Conv(64))")],
        *,
        batch_norm: bool = False,
        lrn: bool = False,
    ):
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

    def __getitem__(self, index: Any) -> Any:
        # Sequential would build a slice with this class, whose arguments differ.
        return nn.Sequential(*list(self)[index]) if isinstance(index, slice) else super().__getitem__(index)


class VGG(nn.Module):
    """A VGG network: ``features`` is a Sequential of `VGGBlock`, ``classifier`` the head.

    Maps float images (B, in_channels, image_size, image_size) to class scores (B, num_classes). ``network`` is the
    record it was built from, ``preprocessing`` what its input expects. Use `build_vgg`, which initialises the weights.
    """

    features: nn.Sequential
    classifier: nn.Sequential

    @checked
    def __init__(self, network: Annotated[Network, says("a Network such as Network('VGG-11')")]):
        super().__init__()
        self.network = network
        self.preprocessing = Preprocessing(image_size=network.image_size)
        self.features = nn.Sequential()
        incoming = network.in_channels
        for number, block in enumerate(self.config.blocks, 1):
            convs = tuple(Conv(network.channels(conv), conv.kernel) for conv in block)
            lrn = self.config.lrn and number == 1
            self.features.append(VGGBlock(incoming, convs, batch_norm=network.batch_norm, lrn=lrn))
            incoming = convs[-1].channels
        head = _gap_head if network.head == "gap" else _fc_head
        self.classifier = head(incoming, network)

    @property
    def config(self) -> VGGConfig:
        """The layout."""
        return self.network.layout

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))

    def check_input(self, images: object) -> None:
        """Raise TypeError or ValueError unless ``images`` is a batch that this network can read."""
        wanted = next(self.parameters()).dtype
        if not isinstance(images, Tensor) or images.dtype != wanted:
            raise TypeError(f"images is {described(images)}; a {wanted} tensor such as to_batch(…) makes is expected")
        channels, side = self.network.in_channels, self.network.image_size
        if images.ndim != 4:
            raise ValueError(
                f"images has shape {tuple(images.shape)}; four axes (batch, channels, height, width) are expected: "
                "use images[None] for a single image"
            )
        flexible = self.network.head == "gap" and min(images.shape[2:]) >= 2 ** len(self.config.blocks)
        if images.shape[1] != channels or (tuple(images.shape[2:]) != (side, side) and not flexible):
            raise ValueError(
                f"images has shape {tuple(images.shape)}; this network expects (batch, {channels}, {side}, {side})"
            )


def _fc_head(incoming: int, network: Network) -> nn.Sequential:
    hidden, dropout = network.hidden, network.dropout
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(incoming * network.grid**2, hidden), nn.ReLU(inplace=True), nn.Dropout(dropout),
        nn.Linear(hidden, hidden), nn.ReLU(inplace=True), nn.Dropout(dropout),
        nn.Linear(hidden, network.num_classes),
    )  # fmt: skip


def _gap_head(incoming: int, network: Network) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(incoming, network.num_classes))


@checked
@spells_out(Network)
def build_vgg(config: Config = "VGG-11", *, device: Any = None, **network: Any) -> VGG:
    """Build and initialise a VGG; the arguments are the fields of `Network`, and:

    Args:
        device: where the float32 weights live; "meta" gives shapes without memory (and without weights).

    Raises:
        ValueError, TypeError: an argument out of range, named with its value and what would be accepted.
    """
    asked = Network(config, **network)
    place = as_device(device)
    with torch.device("meta"):
        model = VGG(asked)
    if place.type == "meta":
        return model
    return initialize(model.to_empty(device=place), asked.init)


def class_vgg(config: str | VGGConfig = "VGG-11", **changes: Any) -> VGG:
    """The class network: `build_vgg` at 32×32 pixels, one channel, ten classes, quarter width, 512 hidden units,
    batch norm; ``changes`` override any of these."""
    return build_vgg(**{**CLASS_NETWORK, "config": config, **changes})


@contextmanager
def modes_restored(model: nn.Module) -> Iterator[None]:
    """Give every part of ``model`` back its mode, training or evaluation, whatever happens inside."""
    modes = {module: module.training for module in model.modules()}
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Switch ``model`` to evaluation mode without gradients, and back to what it was, whatever happens inside."""
    with modes_restored(model), torch.no_grad():
        model.eval()
        yield


def train_mode(model: nn.Module) -> None:
    """Training mode, except for what is frozen: a part of which no parameter may change keeps its statistics, too."""
    model.train()
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            module.eval()


@checked
def initialize(model: Model, scheme: Scheme = "he") -> Model:
    """Draw all weights anew, in place, from torch's global random generator; returns ``model``.

    Args:
        scheme: "he" draws N(0, 2/fan_in) (He et al., arXiv:1502.01852), "xavier" uniform with variance
            2/(fan_in + fan_out) (Glorot and Bengio, 2010), "paper" N(0, 10⁻²) as Section 3.1 of arXiv:1409.1556
            says; these three set biases to zero. "pytorch" is each layer's own ``reset_parameters``.

    Raises:
        ValueError: an unknown scheme. TypeError: no ``nn.Module``.
    """
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
    if isinstance(model, VGG):
        model.network = replace(model.network, init=scheme)
    return model


@checked
def load_torchvision_weights(
    model: Annotated[VGG, says("a VGG such as build_vgg()")],
    state_dict: Annotated[Mapping[Any, Any], says("what torchvision's model.state_dict() returns")],
) -> VGG:
    """Copy the weights of torchvision's VGG of the same layout into ``model``, in place; returns ``model``.

    Names decide, never the order; timm's names and those of wrappers are understood, see `vgg_lesson.state_names`.
    A model on the meta device takes over the tensors themselves where they are float32, so that one copy stays in
    memory.

    Raises:
        ValueError: keys that do not match, each named, or a last grid that is not 7×7 (torchvision pools any grid to
            7×7 first, which this network does not do, so equal weights would mean different networks).
        TypeError: other things than tensors by name.
    """
    given = tensors_by_name("state_dict", state_dict)
    grid = model.network.grid
    if grid != TORCHVISION_GRID or model.network.head != "fc":
        raise ValueError(
            f"model ends in a {grid}×{grid} grid with head={model.network.head!r}; torchvision's weights fit "
            'a 7×7 grid with head="fc" (image_size 224 to 255)'
        )
    ours = model.state_dict()
    found = fitted("state_dict", given, ours, vgg_names(model), model.config.name)
    model.load_state_dict(found, assign=any(tensor.is_meta for tensor in ours.values()))
    return model
