"""Heat maps against Captum's, the test they have to pass, the view, and the figures and checks of notebook 08."""

from __future__ import annotations

import ast
import io
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
from captum.attr import LayerGradCam, Occlusion
from PIL import Image
from torch import Tensor
from torch.nn.functional import fold

from tests import notebook_rules as rules
from tests.data_fixtures import sample_fixture  # noqa: F401
from tests.figure_rules import complaints
from tools.paths import NOTEBOOKS
from vgg_lesson import CLASSES, VGG, ImageSet, build_vgg, class_vgg, load_trained, widgets
from vgg_lesson.analysis.attribution import cover_hottest, grad_cam, layer_output, occlusion, strongest
from vgg_lesson.classroom import figures as fig
from vgg_lesson.classroom.checks import look_inside as checks
from vgg_lesson.classroom.figures.look_inside_heat import Heat
from vgg_lesson.classroom.widgets.look_inside import METHODS, SQUARES
from vgg_lesson.classroom.widgets.shared import Panel
from vgg_lesson.support.style import LessonFigure

NETWORKS = ("vgg11-class", "vgg11-96px")
LAYERS = ("conv1_1", "conv3_2", "conv4_2", "conv5_2")


@pytest.fixture(scope="module", params=NETWORKS)
def network(request: pytest.FixtureRequest) -> VGG:
    return load_trained(request.param)


@pytest.fixture(scope="module")
def written_out() -> dict[str, Callable[..., Any]]:
    """The functions that notebook 08 writes out in cells of their own."""
    names: dict[str, Any] = {"torch": torch}
    for cell in rules.read(NOTEBOOKS / "08_look_inside.ipynb").cells:
        if cell.cell_type == "code" and cell.source.startswith(("def occlusion(", "def grad_cam(")):
            exec(compile(ast.parse(cell.source), "<cell>", "exec"), names)
    return names


@pytest.fixture
def pictures(sample: dict[str, ImageSet]) -> Tensor:
    return sample["test"].images[:6]


@pytest.mark.parametrize("layer", LAYERS)
def test_grad_cam_is_captums(network: VGG, pictures: Tensor, layer: str) -> None:
    inputs = network.preprocessing(pictures)
    for labels in (network(inputs).argmax(dim=1), torch.arange(6)):
        expected = LayerGradCam(network, layer_output(network, layer)).attribute(inputs, labels, relu_attributions=True)
        ours = grad_cam(network, inputs, labels, layer)
        assert ours.shape == expected.shape[:1] + expected.shape[2:] and ours.amax() > 0
        torch.testing.assert_close(ours, expected[:, 0].detach(), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("size", "step"), [(8, 8), (8, 4), (16, 2)])
def test_occlusion_is_captums(network: VGG, pictures: Tensor, size: int, step: int) -> None:
    picture = network.preprocessing(pictures[:1])
    side, label = picture.shape[-1], 9
    ours = occlusion(network, picture[0], label, size=size * side // 32, step=step * side // 32)
    black = network.preprocessing.black
    size, step = size * side // 32, step * side // 32
    with torch.no_grad():
        expected = Occlusion(lambda images: network(images).softmax(dim=1)).attribute(
            picture, sliding_window_shapes=(1, size, size), strides=(1, step, step), baselines=black, target=label
        )
    # Captum gives each pixel the mean over the squares that cover it.
    columns = ours.reshape(1, 1, -1).expand(1, size * size, -1)
    summed, count = (fold(values, (side, side), size, stride=step) for values in (columns, torch.ones_like(columns)))
    torch.testing.assert_close(summed / count, expected.float(), rtol=1e-3, atol=1e-5)


def test_the_notebook_writes_out_what_the_package_does(
    network: VGG, pictures: Tensor, written_out: dict[str, Callable[..., Any]]
) -> None:
    inputs = network.preprocessing(pictures[:2])
    for layer, label in product(("conv3_2", "conv5_2"), (0, 9)):
        shown = written_out["grad_cam"](network, layer_output(network, layer), inputs[:1], label)
        torch.testing.assert_close(shown, grad_cam(network, inputs[:1], torch.tensor([label]), layer)[0])
    size, step = SQUARES[inputs.shape[-1]]
    shown = written_out["occlusion"](network, inputs[1], 2, size, step)
    torch.testing.assert_close(shown, occlusion(network, inputs[1], 2, size=size, step=step), atol=1e-5, rtol=1e-4)


def test_maps_leave_the_network_as_it_was(pictures: Tensor) -> None:
    torch.manual_seed(0)
    model = class_vgg(width=0.05, hidden=8).train().requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    inputs = model.preprocessing(pictures)
    assert grad_cam(model, inputs, torch.zeros(6, dtype=torch.int64), "conv4_2").shape == (6, 4, 4)
    assert occlusion(model, inputs[0], 3).shape == (14, 14)
    assert model.training and not inputs.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not layer_output(model, "conv4_2")._forward_hooks


def test_a_square_that_covers_what_decides_is_found() -> None:
    # A network that adds up the upper left pixels and nothing else.
    torch.manual_seed(0)
    model = build_vgg(in_channels=1, num_classes=2, image_size=32, width=0.02, head="gap").eval()
    spot = torch.zeros(1, 32, 32)
    spot[:, 4:6, 4:6] = 1

    def forward(images: Tensor) -> Tensor:
        score = 5 * (images * spot).flatten(1).sum(dim=1)
        return torch.stack([score, -score], dim=1)

    model.forward = forward  # type: ignore[method-assign]
    fall = occlusion(model, torch.ones(1, 32, 32), 0, size=4, step=2)
    rows, columns = (fall > 0.5 * fall.max()).nonzero().T
    assert {*rows.tolist(), *columns.tolist()} <= {1, 2} and fall[6:, 6:].abs().max() == 0


def test_covering_what_a_map_finds_is_counted(sample: dict[str, ImageSet]) -> None:
    model, data = load_trained(), sample["test"].subset(60)
    kept = cover_hottest(model, data, model, "conv5_2", batch_size=25)
    assert kept.shape == (2, 60) and kept.dtype == torch.bool
    assert kept.any(dim=1).all() and not kept.all(dim=1).any()
    assert torch.equal(kept, cover_hottest(model, data, model, "conv5_2", batch_size=25))
    torch.manual_seed(0)
    other = cover_hottest(model, data, class_vgg(), "conv5_2", batch_size=25)
    assert torch.equal(other[1], kept[1]), "the same random places"


def test_strongest_pictures_come_first() -> None:
    maps = torch.zeros(3, 2, 2, 2)
    maps[0, 1, 0, 1], maps[2, 1, 1, 1] = 2, 5
    assert strongest(maps, 1).tolist() == [2, 0, 1]
    with pytest.raises(ValueError, match=r"channel=2 .*0 to 1"):
        strongest(maps, 2)
    with pytest.raises(ValueError, match=r"maps has shape \(2, 2, 2\)"):
        strongest(maps[0], 1)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m, x: grad_cam(m, x, torch.zeros(1, dtype=torch.int64), "conv6_1"), "layer='conv6_1' .*conv5_2"),
        (lambda m, x: grad_cam(m, x, torch.zeros(1), "conv5_2"), "labels is a torch.float32"),
        (lambda m, x: grad_cam(m, x, torch.tensor([10]), "conv5_2"), "labels run from 10 .*0 to 9"),
        (lambda m, x: grad_cam(m, x, torch.zeros(2, dtype=torch.int64), "conv5_2"), r"\(1,\) is expected"),
        (lambda m, x: occlusion(m, x, 0), r"picture has shape \(1, 1, 32, 32\)"),
        (lambda m, x: occlusion(m, x[0], 10), "labels run from 10"),
        (lambda m, x: occlusion(m, x[0], 0, size=33), "size=33"),
        (lambda m, x: occlusion(m, x[0], 0, step=0), "step=0"),
    ],
)
def test_bad_arguments_are_named(call: Callable[[VGG, Tensor], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(load_trained(), torch.zeros(1, 1, 32, 32))


@pytest.fixture(scope="module")
def panel() -> Panel:
    return widgets.heat_map().panel


def test_the_view_at_every_end(panel: Panel) -> None:
    networks = [value for _, value in panel.controls["network"].options]
    seen = set()
    for place, (chosen, (_, method)) in enumerate(product(networks, METHODS)):
        panel.controls["network"].value, panel.controls["method"].value = chosen, method
        panel.controls["garment"].value = CLASSES[(3 * place) % 10]
        panel.controls["label"].value = (-1, 0, 9)[place % 3]
        assert panel.error == "", f"{panel.values}: {panel.error}"
        (png,) = panel.pictures
        with Image.open(io.BytesIO(png)) as image:
            assert image.format == "PNG" and image.width == 1000
        seen.add(png)
    assert len(seen) == len(networks) * len(METHODS)


@pytest.mark.parametrize(
    ("control", "value"), [("garment", "Bag"), ("network", "fresh"), ("method", "conv5_2"), ("label", 7)]
)
def test_every_control_changes_the_picture(panel: Panel, control: str, value: Any) -> None:
    start = {"garment": "Ankle boot", "network": "vgg11-class", "method": "cover", "label": -1}
    for name, first in start.items():
        panel.controls[name].value = first
    before = panel.pictures
    panel.controls[control].value = value
    assert panel.pictures != before


@pytest.fixture(scope="module")
def drawn() -> list[LessonFigure]:
    """Every figure of the notebook, of made-up values."""
    generator = torch.Generator().manual_seed(0)
    filters = torch.randn(16, 3, 3, generator=generator)
    images = torch.randint(0, 256, (40, 28, 28), generator=generator, dtype=torch.uint8)
    picture, labels = torch.rand(32, 32, generator=generator), torch.arange(40) % 10
    flow = [torch.rand(8 * 2**k, 16 // 2**k, 16 // 2**k, generator=generator) for k in range(5)]
    heat = torch.randn(6, 6, generator=generator)
    return [
        fig.two_filter_sets(filters, filters.flip(0)),
        fig.filter_responses(filters, torch.rand(16, 32, 32, generator=generator)),
        fig.activation_flow(picture, flow),
        fig.picture_rows({"first 8": images[:8], "few": images[:3]}, {"few": [(0, 0, 8)] * 3}, "A title"),
        fig.heat_maps([Heat("alone", picture), Heat("two\nlines", picture, heat, 0.1)], told="Told."),
        fig.heat_maps([Heat("nothing", picture, torch.zeros(2, 2))], columns=1),
        fig.covering_test({"a map": (0.7, 0.8), "another": (0.9, 0.8)}, 200),
        fig.garment_map(torch.randn(40, 2, generator=generator), images, labels, 0.28),
    ]


@pytest.mark.parametrize("number", range(8))
def test_figures_can_be_read(drawn: list[LessonFigure], number: int) -> None:
    figure = drawn[number]
    assert figure.png() and (figure.alt == "Told." or len(figure.alt.split()) >= 5)
    assert not list(complaints(figure))


def test_the_covering_figure_says_which_map_does_better(drawn: list[LessonFigure]) -> None:
    told = drawn[6].alt
    assert "a map: fewer" in told and "another: not fewer" in told


def test_keys_are_what_the_package_does() -> None:
    model, picture = load_trained(), torch.zeros(1, 32, 32)
    assert occlusion(model, picture, 0, size=8, step=4).numel() == checks.covered_places(32, 8, 4)
    sides = {}
    for side in (64, 96, 128):
        with torch.no_grad():
            sides[side] = model.features[:4](torch.zeros(1, 1, side, side)).shape[-1]
    assert sides[checks.needed_side(8)] == 8
    values, gradients = torch.tensor(checks.VALUES), torch.tensor(checks.GRADIENTS)
    assert checks.cam_by_hand(values, gradients).tolist() == [4, 0, 1, 0]
    cloud = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([4.0, 3.0, 2.0, 1.0])
    covariance = torch.linalg.eigvalsh(torch.cov(cloud.T)).flip(0)
    assert checks.share_kept(cloud, 2) == pytest.approx((covariance[:2].sum() / covariance.sum()).item(), rel=1e-5)
