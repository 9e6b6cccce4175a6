"""Notebook 10: what freezing means to `fit`, the ImageNet path without its download, keys, figures and the view."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
import torch
from torch import Tensor, nn

from tests.panels import assert_sound
from tools.facts import fact
from tools.paths import NOTEBOOKS
from vgg_lesson import CLASSES, ImageSet, build_vgg, check, class_vgg, load_fashion_mnist, trace, widgets
from vgg_lesson.classroom import figures as fig
from vgg_lesson.classroom.checks.reuse_the_backbone import gram
from vgg_lesson.classroom.figures.reuse_the_backbone import CUTS, TAPS
from vgg_lesson.classroom.widgets.reuse_the_backbone import ANY, GALLERY, QUERIES, nearest_by_cut, same_class
from vgg_lesson.classroom.widgets.shared import Panel
from vgg_lesson.models import VGG

NAME = "10_reuse_the_backbone"


def cell_with(words: str) -> str:
    """The code of the notebook's cell that holds ``words``."""
    cells = nbformat.read(NOTEBOOKS / f"{NAME}.ipynb", as_version=4).cells
    (found,) = [cell.source for cell in cells if cell.cell_type == "code" and words in cell.source]
    return str(found)


@pytest.fixture
def few() -> ImageSet:
    return load_fashion_mnist("train").subset(48)


def random_weights() -> dict[str, Tensor]:
    """A state dict as torchvision's file holds it: the convolutions at random; a stand-in for the rest."""
    generator = torch.Generator().manual_seed(1)
    layers = [module for block in build_vgg("VGG-16", device="meta").features for module in block.children()]
    weights = {}
    for place, layer in enumerate(layers):
        for name, tensor in layer.named_parameters():
            weights[f"features.{place}.{name}"] = torch.randn(tensor.shape, generator=generator) * 0.02
    return {**weights, "classifier.0.weight": torch.zeros(1)}


def test_the_imagenet_path_runs_without_its_download(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.models import VGG16_Weights

    given, asked = random_weights(), []

    def stored(self: VGG16_Weights, **options: Any) -> dict[str, Tensor]:
        asked.append((self, options))
        return given

    monkeypatch.setattr(VGG16_Weights, "get_state_dict", stored)
    setup = cell_with("from torchvision.models import")
    names: dict[str, Any] = {}
    exec(
        setup + "\n" + cell_with("def vgg16_backbone") + "\n" + cell_with("def for_imagenet").split("backbone =")[0],
        names,
    )
    backbone = names["vgg16_backbone"](True)
    assert asked == [(VGG16_Weights.IMAGENET1K_V1, {"progress": True, "check_hash": True})]
    ours = build_vgg("VGG-16", device="meta").features
    tensors = [tensor for name, tensor in given.items() if name.startswith("features.")]
    ours.load_state_dict(dict(zip(ours.state_dict(), tensors, strict=True)), assign=True)
    pictures = names["for_imagenet"](load_fashion_mnist("test").images[:2], side=32)
    with torch.no_grad():
        assert torch.equal(backbone(pictures), ours(pictures))
    assert all(
        mine.data_ptr() == theirs.data_ptr() for mine, theirs in zip(backbone.parameters(), tensors, strict=True)
    )
    fresh = names["vgg16_backbone"](False)
    assert len(asked) == 1, "the switch is off: nothing is asked for"
    bytes_held = sum(w.numel() * w.element_size() for w in fresh.parameters())
    assert bytes_held == fact("reuse.backbone_bytes") and not any(w.is_meta for w in fresh.parameters())
    with torch.no_grad():
        spread = fresh(pictures).std(dim=0).mean()
    assert spread > 0.01, "random weights that let pictures differ"


def test_the_switch_is_off() -> None:
    assert "IMAGENET = False" in cell_with("IMAGENET =").splitlines()


def test_keys_are_what_torch_says() -> None:
    network = build_vgg("VGG-16", device="meta")
    values = torch.empty(1, 3, 600, 1000, device="meta")
    for layer in [*network.features[:4], *list(network.features[4].children())[:-1]]:
        values = layer(values)
    assert check.map_of_a_photo(tuple(values.shape[1:])).status == "right"
    model = class_vgg(device="meta")
    values = model.features[:4](torch.empty(1, 1, 32, 32, device="meta"))
    probe = nn.Linear(values[0].numel(), 3, device="meta")
    assert check.probe_parameters(sum(w.numel() for w in probe.parameters())).status == "right"
    convolutions = [layer for layer in model.features[3].children() if isinstance(layer, nn.Conv2d)]
    assert fact("reuse.tuned_params") == sum(w.numel() for layer in convolutions for w in layer.parameters())
    kept = network.features(torch.empty(1000, 3, 224, 224, device="meta"))
    assert check.bytes_of_features(kept.numel() * kept.element_size()).status == "right"


def test_a_gram_matrix_forgets_places() -> None:
    values = torch.randn(5, 6, 7, generator=torch.Generator().manual_seed(0))
    shuffled = values.flatten(1)[:, torch.randperm(42, generator=torch.Generator().manual_seed(0))].reshape(5, 6, 7)
    torch.testing.assert_close(gram(values), gram(shuffled))
    torch.testing.assert_close(gram(values)[1, 2], (values[1] * values[2]).mean())


def by_hand(model: VGG) -> VGG:
    model.train()
    for parameter in model.features.parameters():
        parameter.requires_grad = False
    for layer in model.features.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
    return model


def without_gradients_later(model: VGG) -> VGG:
    model.features = model.features.eval()
    return model.train()


@pytest.mark.parametrize(
    ("freezer", "status", "advice"),
    [
        (by_hand, "right", ""),
        (without_gradients_later, "wrong", "Nothing is frozen"),
        (lambda model: None, "not answered yet", "return"),
        (lambda model: model.freeze(), "wrong", "AttributeError"),
        (3, "wrong", "a function is expected"),
    ],
)
def test_freezing_is_judged_by_what_a_step_changes(freezer: Callable[[VGG], Any], status: str, advice: str) -> None:
    verdict = check.freeze(freezer)
    assert verdict.status == status and advice in verdict.message


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("moved_guess", "the means and variances that batch norm keeps"),
        ("cut_guess", "behind a block in between"),
        ("last_guess", "from scratch"),
        ("best_of_eighteen", "the largest of 18 noisy numbers is too large on average"),
    ],
)
def test_the_right_letter_stands_before_the_right_option(name: str, option: str) -> None:
    cells = nbformat.read(NOTEBOOKS / f"{NAME}.ipynb", as_version=4).cells
    start = f"- **{check.EXERCISES[name].solution()}** {option}"
    assert any(line.startswith(start) for cell in cells for line in cell.source.splitlines())


def test_taps_are_layers_of_vgg() -> None:
    known = {row.name for row in trace("VGG-16").rows}
    read = {name for tap in TAPS for name in (*tap.layers, *tap.content)}
    assert read <= known and "fc8" not in read
    assert "Nobody reads fc8" in fig.vgg_taps().alt


def test_figures_tell_what_they_show() -> None:
    shares = [[0.5, 0.6], [0.7, 0.9], [0.6, 0.6]]
    assert "Best is pool1" in fig.accuracy_by_cut(shares).alt and "pool1 80.0%" in fig.accuracy_by_cut(shares).alt
    drawn = fig.few_label_curves({"pixels": {1: [0.5], 20: [0.75, 0.85]}, "probe": {1: [0.6, 0.7], 20: [0.9, 0.9]}})
    assert "pixels 1: 50.0%, 20: 80.0%" in drawn.alt
    gallery = load_fashion_mnist("train").subset(20)
    label = int(gallery.labels[3])
    alt = fig.neighbour_rows(gallery.images[3], label, gallery, {"pixels": [3, 3], "features": torch.tensor([3])}).alt
    assert "by pixels, 2 of 2" in alt and "by features, 1 of 1" in alt


@pytest.fixture(scope="module")
def panel() -> Panel:
    return widgets.neighbours().panel


def put(panel: Panel, **values: Any) -> None:
    for name, value in values.items():
        panel.controls[name].value = value


def test_the_view_at_its_ends_and_at_random(panel: Panel) -> None:
    dice = random.Random(0)
    for label, cut in ((ANY, 1), (9, 5), (dice.randrange(10), dice.randrange(1, 6))):
        put(panel, label=label, cut=cut)
        place = panel.controls["place"]
        assert place.value == 1
        for value in {1, place.max, dice.randint(1, place.max)}:
            place.value = value
            assert_sound(panel)
    put(panel, label=ANY, place=1, cut=4)


@pytest.mark.parametrize(("control", "value"), [("label", 6), ("place", QUERIES), ("cut", 1)])
def test_every_control_changes_the_picture(panel: Panel, control: str, value: Any) -> None:
    put(panel, label=ANY, place=22, cut=4)
    before = panel.pictures
    put(panel, **{control: value})
    assert panel.pictures != before
    put(panel, label=ANY, place=1, cut=4)


def test_the_view_says_a_share(panel: Panel) -> None:
    panel.refresh()
    assert f"{same_class(0):.0%} by pixels" in panel.texts[0] and f"{same_class(4):.0%} by pool4" in panel.texts[0]


def test_neighbours_are_the_nearest() -> None:
    near, far = load_fashion_mnist("test").subset(QUERIES), load_fashion_mnist("train").subset(GALLERY)
    assert len(nearest_by_cut()) == len(CUTS)
    for index in (0, 21, QUERIES - 1):
        squares = (far.images.long() - near.images[index].long()).square().sum(dim=(1, 2))
        found = squares[nearest_by_cut()[0][index]]
        assert torch.equal(found, squares.sort().values[: len(found)])
    assert same_class(4) > same_class(0) + 0.1 and same_class(4, 8) > 0.8 and len(CLASSES) == 10
