"""Any network and any data train, are judged and looked at; what cannot be is refused in one sentence, at the door."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from torch import Generator, Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset
from torchvision import models as torchvision_models

from tools.paths import notebooks
from vgg_lesson import (
    CLASSES,
    ImageSet,
    Preprocessing,
    VGGConfig,
    build_vgg,
    class_vgg,
    evaluate,
    fit,
    predict,
    to_batch,
)
from vgg_lesson import figures as fig
from vgg_lesson.analysis.predictions import confusion_matrix, per_class_accuracy
from vgg_lesson.models import VGGBlock
from vgg_lesson.training.loop import Run

FAST: dict[str, Any] = {"steps": 2, "batch_size": 8, "lr": 0.01, "show": False, "device": "cpu"}
NAMES = ("bird", "boat", "bus", "cat", "dog", "plane", "tree")


def garments(count: int = 24, seed: int = 0) -> ImageSet:
    generator = Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, 28, 28), generator=generator, dtype=torch.uint8)
    return ImageSet(images, torch.arange(count) % 10)


def colour(count: int = 28) -> ImageSet:
    generator = Generator().manual_seed(1)
    images = torch.randint(0, 256, (count, 3, 32, 32), generator=generator, dtype=torch.uint8)
    return ImageSet(images, torch.arange(count) % 7, "made here", NAMES)


def tiny() -> nn.Module:
    torch.manual_seed(0)
    return class_vgg(width=0.05, hidden=8)


def mlp(inputs: int, classes: int = 10) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, 16), nn.ReLU(), nn.Linear(16, classes))


def trained(model: nn.Module, data: Any, **options: Any) -> bool:
    """Whether two steps move the weights and leave finite losses."""
    before = copy.deepcopy(model.state_dict())
    history = fit(model, data, **{**FAST, **options})
    moved = any(not torch.equal(before[name], value) for name, value in model.state_dict().items())
    return moved and len(history.step_losses) == 2 and all(map(np.isfinite, history.step_losses))


# --- networks


def typed_in_02() -> dict[str, Any]:
    """The names that the cells of notebook 02 define, its ``VGGBlock`` and ``VGG11`` among them."""
    (path,) = notebooks(["02"])
    names: dict[str, Any] = {"__name__": "lesson"}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "class " in cell.source:
            exec("import torch\nfrom torch import nn\n" + cell.source, names)
    return names


def test_the_network_that_students_type_in_02_trains() -> None:
    names = typed_in_02()
    torch.manual_seed(0)
    block = nn.Sequential(*(names["VGGBlock"](i, o, 1) for i, o in ((1, 4), (4, 8), (8, 8), (8, 8), (8, 8))))
    assert trained(nn.Sequential(block, nn.Flatten(), nn.Linear(8, 10)), garments())
    table = [(1, 4), (1, 4), (2, 8), (2, 8), (2, 8)]
    assert trained(names["VGG"](table, in_channels=1, num_classes=10, side=32, hidden=16), garments())
    with torch.device("meta"):
        whole = names["VGG11"](in_channels=1, num_classes=10)
    assert sum(p.numel() for p in whole.parameters()) == 128_806_154


def test_an_mlp_and_torchvisions_networks_train() -> None:
    assert trained(mlp(32 * 32), garments())
    assert trained(mlp(3 * 32 * 32, 7), colour())
    resnet = torchvision_models.resnet18(num_classes=10)
    resnet.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    assert trained(resnet, garments())
    eleven = torchvision_models.vgg11(num_classes=10)
    eleven.classifier = nn.Sequential(nn.Linear(512 * 49, 10))
    eleven.preprocessing = Preprocessing(32, channels=3)
    assert trained(eleven, garments(), steps=2, batch_size=2)


def test_a_network_that_reads_three_channels_is_told_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"train: model cannot read images of shape \(2, 1, 32, 32\).*Preprocessing"):
        fit(torchvision_models.vgg11(num_classes=10), garments(), **FAST)
    with pytest.raises(ValueError, match=r"train: images has shape .* expects .*3, 32, 32"):
        fit(class_vgg(in_channels=3, width=0.05), garments(), **FAST)


def test_a_compiled_network_trains_to_the_same_weights(tmp_path: Path) -> None:
    plain, wrapped = tiny(), tiny()
    fit(plain, garments(), **FAST)
    fit(torch.compile(wrapped, backend="eager"), garments(), **FAST)  # type: ignore[arg-type]
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), wrapped.parameters(), strict=True))
    path = tmp_path / "run.checkpoint"
    fit(torch.compile(tiny(), backend="eager"), garments(), **FAST, checkpoint=path)  # type: ignore[arg-type]
    assert len(fit(tiny(), garments(), **FAST, checkpoint=path).step_losses) == 2, "the names are plain in the file"


def test_frozen_parts_stay_bit_for_bit_and_modes_are_restored() -> None:
    model: Any = tiny()
    model.features.requires_grad_(False).eval()
    model.classifier.train()
    before = copy.deepcopy(model.features.state_dict())
    head = copy.deepcopy(model.classifier.state_dict())
    fit(model, garments(), garments(8, 1), **FAST)
    assert all(torch.equal(before[name], value) for name, value in model.features.state_dict().items())
    assert any(not torch.equal(head[name], value) for name, value in model.classifier.state_dict().items())
    assert not model.features.training and not model.features[0][1].training and model.classifier.training


def test_a_network_that_is_frozen_as_a_whole_or_has_no_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="model is frozen"):
        fit(tiny().requires_grad_(False), garments(), **FAST)
    with pytest.raises(ValueError, match="model has no parameter"):
        fit(nn.Flatten(), garments(), **FAST)
    with pytest.raises(ValueError, match=r"model answers 2 images with shape \(2, 4, 32, 32\)"):
        fit(nn.Conv2d(1, 4, 3, padding=1), garments(), **FAST)


def test_the_device_meta_is_refused_before_anything_moves() -> None:
    model = tiny()
    with pytest.raises(ValueError, match="meta"):
        fit(model, garments(), **{**FAST, "device": "meta"})
    assert not next(model.parameters()).is_meta
    with pytest.raises(ValueError, match="meta"):
        fit(class_vgg(device="meta"), garments(), **FAST)


def test_a_head_with_too_few_outputs_is_named() -> None:
    model: Any = tiny()
    model.classifier[-1] = nn.Linear(8, 7)
    with pytest.raises(ValueError, match="train holds the label 9; this model tells 7 classes apart"):
        fit(model, garments(), **FAST)
    labelled = DataLoader(garments(), batch_size=8)
    with pytest.raises(ValueError, match=r"train holds the label .; this model tells 7 classes apart"):
        fit(model, labelled, **FAST)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_the_packages_network_passes_torchs_own_tools(batch_norm: bool) -> None:
    from torchvision.models.feature_extraction import create_feature_extractor

    model = class_vgg(width=0.05, hidden=8, batch_norm=batch_norm).eval()
    images = torch.rand(2, 1, 32, 32)
    expected = model(images)
    taken = create_feature_extractor(model, {"features": "last"})(images)["last"]
    assert torch.equal(taken, model.features(images))
    assert torch.equal(torch.fx.symbolic_trace(model)(images), expected)
    assert torch.allclose(torch.export.export(model, (images,)).module()(images), expected, atol=1e-6)
    assert torch.equal(torch.jit.trace(model, images)(images), expected)
    assert torch.equal(torch.compile(model, backend="eager")(images), expected)
    assert torch.equal(copy.deepcopy(model)._replicate_for_data_parallel().features(images), model.features(images))
    assert isinstance(model.features[0], VGGBlock) and torch.equal(
        model.features[0][:1](images), model.features[0][0](images)
    )


# --- data


class Folder(Dataset[tuple[Tensor, int]]):
    """A map-style data set as people write them: floats from 0 to 1, padded to 32."""

    def __init__(self, data: ImageSet):
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = nn.functional.pad(self.data.images[index], (2, 2, 2, 2)).float() / 255
        return image[None], int(self.data.labels[index])


def kinds_of_data() -> dict[str, Callable[[], Any]]:
    data = garments()
    floats = torch.rand(24, 1, 32, 32)
    return {
        "ImageSet": lambda: data,
        "Dataset": lambda: Folder(data),
        "DataLoader": lambda: DataLoader(Folder(data), batch_size=8, shuffle=True),
        "DataLoader, two workers": lambda: DataLoader(Folder(data), batch_size=8, shuffle=True, num_workers=2),
        "DataLoader of an ImageSet": lambda: DataLoader(data, batch_size=8),
        "bytes": lambda: (data.images, data.labels),
        "floats": lambda: (floats, data.labels),
        "arrays": lambda: (data.images.numpy(), data.labels.numpy()),
        "TensorDataset": lambda: TensorDataset(floats, data.labels),
    }


@pytest.mark.parametrize("kind", kinds_of_data())
def test_every_kind_of_data_trains_is_judged_and_predicted(kind: str) -> None:
    make = kinds_of_data()[kind]
    model = tiny()
    assert trained(model, make(), validation=make())
    loss, accuracy = evaluate(model, make())
    assert np.isfinite(loss) and 0 <= accuracy <= 1
    said = predict(model, make())
    assert said.probabilities.shape == (24, 10)
    if "shuffle" not in kind and "DataLoader" not in kind:
        assert torch.equal(said.labels, garments().labels) and said.accuracy == pytest.approx(accuracy)


@pytest.mark.parametrize("kind", kinds_of_data())
def test_the_seed_decides_the_order_of_every_kind(kind: str) -> None:
    make = kinds_of_data()[kind]
    losses = [fit(tiny(), make(), **FAST, seed=seed).step_losses for seed in (3, 3, 4)]
    assert losses[0] == losses[1]
    if kind != "DataLoader of an ImageSet":  # it does not shuffle
        assert losses[0] != losses[2]


@pytest.mark.parametrize("kind", ["Dataset", "DataLoader", "floats"])
def test_a_run_on_other_data_resumes_to_the_same_weights(kind: str, tmp_path: Path) -> None:
    make, path = kinds_of_data()[kind], tmp_path / "run.checkpoint"
    recipe = {**FAST, "steps": 5}
    whole, resumed = tiny(), tiny()
    fit(whole, make(), **recipe)
    ended = fit(tiny(), make(), **recipe, checkpoint=path, callbacks=[lambda run: len(run.history.step_losses) < 4])
    assert ended.interrupted and len(ended.step_losses) == 4
    assert len(fit(resumed, make(), **recipe, checkpoint=path).step_losses) == 5
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def test_colour_images_with_seven_named_classes_train_and_are_drawn() -> None:
    data = colour()
    model = build_vgg(
        VGGConfig.stack("two", [(1, 4), (1, 4)]), in_channels=3, num_classes=7, image_size=32, hidden=8
    )  # fmt: skip
    assert trained(model, data, augment="flip+shift")
    said = predict(model, data)
    assert confusion_matrix(said).shape == (7, 7)
    shares = per_class_accuracy(said)
    for figure in (
        fig.confusion_map(confusion_matrix(said), NAMES),
        fig.class_accuracy(shares, torch.full((7,), 4), NAMES),
        fig.prediction_grid(data, said),
        fig.one_prediction(data.images[0], said, 0),
        fig.class_grid(data),
        fig.class_means(data),
    ):
        assert figure.png() and figure.alt
        assert "ten" not in figure.alt.split() and not any(garment in figure.alt for garment in CLASSES)


@pytest.mark.parametrize("classes", [2, 45])
def test_few_and_many_classes_are_drawn_with_names_that_can_be_read(classes: int) -> None:
    names = tuple(f"kind {number}" for number in range(classes))
    images = torch.randint(0, 256, (2 * classes, 28, 28), dtype=torch.uint8)
    data = ImageSet(images, torch.arange(2 * classes) % classes, "made here", names)
    said = predict(class_vgg(num_classes=classes, width=0.05, hidden=8), data)
    matrix = confusion_matrix(said)
    for figure in (fig.confusion_map(matrix, names), fig.confusion_map(matrix), fig.one_prediction(images[0], said, 0)):
        assert figure.png() and figure.alt
        assert all(len(axis.get_majorticklabels()) <= 20 for axes in figure.axes for axis in (axes.xaxis, axes.yaxis))


def test_an_image_set_is_a_dataset() -> None:
    data = garments()
    image, label = data[3]
    assert image.shape == (28, 28) and image.dtype == torch.uint8 and label == 3 and len(data) == 24
    images, labels = next(iter(DataLoader(data, batch_size=5)))
    assert images.shape == (5, 28, 28) and labels.tolist() == [0, 1, 2, 3, 4]
    assert len(data.subset(np.int64(2))) == 2 and len(data.subset(torch.tensor(3))) == 3  # type: ignore[arg-type]
    assert colour().subset(3).classes == NAMES and len(colour().split(0.25)[1]) == 7


class Pictures(Dataset[tuple[Any, int]]):
    """A data set without its transform, the usual slip with torchvision's."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> tuple[Any, int]:
        from PIL import Image

        return Image.new("L", (28, 28)), 0


class Endless(IterableDataset[Tensor]):
    def __iter__(self) -> Iterator[Tensor]:
        yield torch.zeros(1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Pictures(), r"train\[0\] holds Image as its image.*ToTensor"),
        (Endless(), "train is an IterableDataset"),
        (torch.zeros(4, 28, 28), "train is a torch.float32 Tensor"),
        ("train", "train is str"),
        ((torch.zeros(3, 1, 32, 32), torch.zeros(2).long()), "train holds 3 images and 2 labels"),
        (TensorDataset(torch.zeros(3, 1, 32, 32)), r"train\[0\] is tuple; a pair"),
        ((torch.zeros(3, 1, 32, 32), torch.zeros(3)), r"labels of torch.float32, one an image.*labels.long\(\)"),
        ((torch.zeros(3, 1, 32, 32), torch.zeros(3, 4)), r"labels of shape \(4,\); a share for each of the 10 classes"),
        ((torch.zeros(3, 1, 32, 32), torch.zeros(3, 1).long()), r"labels of shape \(1,\); one number an image"),
        ((torch.zeros(3, 1, 32, 32).long(), torch.zeros(3).long()), "images of torch.int64; bytes"),
        ([(torch.zeros(1, 32, 32), 0)] * 3, "train is list"),
    ],
)
def test_data_of_another_kind_is_named(data: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        fit(tiny(), data, **FAST)


def test_images_of_several_sizes_make_no_batch() -> None:
    class Growing(Pictures):
        def __getitem__(self, index: int) -> tuple[Any, int]:
            return torch.zeros(1, 32 + index, 32), 0

    with pytest.raises(ValueError, match="train: its images make no batch, all must have one shape"):
        fit(tiny(), Growing(), **FAST)


# --- recipes


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"schedule": lambda share: None}, r"schedule\(0.5\)=None is NoneType; a number"),
        ({"schedule": lambda: 1.0}, "schedule is called with the share of the run done"),
        ({"loss": nn.CrossEntropyLoss}, r"CrossEntropyLoss is a class; CrossEntropyLoss\(\) makes"),
        ({"loss": nn.CrossEntropyLoss(reduction="none")}, r"loss returns .* of shape \(2,\); a tensor of one number"),
        ({"loss": nn.MSELoss()}, "loss cannot judge scores of shape"),
        ({"loss": lambda scores: scores.sum()}, "loss is called with scores and labels"),
        ({"optimizer": torch.optim.LBFGS}, "optimizer.step is called with nothing"),
        ({"optimizer": torch.optim.SGD(mlp(4).parameters())}, "a function from parameters to an optimizer"),
        ({"optimizer": lambda parameters: None}, "optimizer returns NoneType"),
        ({"augment": lambda images: images}, "augment is called with raw images and a generator"),
        ({"augment": lambda images, generator: images[:3]}, r"augment makes .* of 8 images; a tensor of as many"),
        ({"augment": lambda images, generator: None}, "augment makes NoneType"),
    ],
)
def test_a_function_that_cannot_serve_is_named(part: dict[str, Any], message: str) -> None:
    options = {name: value for name, value in FAST.items() if name != "lr" or "optimizer" not in part}
    with pytest.raises((TypeError, ValueError), match=message):
        fit(tiny(), garments(), **options, **part)


def test_lazy_layers_want_a_batch_first() -> None:
    lazy = nn.Sequential(nn.Flatten(), nn.LazyLinear(10))
    with pytest.raises(ValueError, match=r"lazy layers without weights yet.*model\(images\[:2\]\)"):
        fit(lazy, garments(), **FAST)
    lazy(torch.zeros(2, 1, 32, 32))
    assert trained(lazy, garments())


def test_an_optimizer_of_ones_own_a_schedule_a_loss_and_an_augmentation() -> None:
    rates: list[float] = []

    def note(run: Run) -> None:
        rates.append(run.optimizer.param_groups[0]["lr"])

    def adamw(parameters: Any) -> torch.optim.Optimizer:
        return torch.optim.AdamW(parameters, lr=0.01)

    fit(
        tiny(),
        garments(),
        **{**FAST, "lr": 0.1},
        optimizer=adamw,
        schedule=lambda share: 1 - share / 2,
        callbacks=[note],
    )
    assert rates == pytest.approx([0.01 * 0.75, 0.01 * 0.5])

    def squares(scores: Tensor, labels: Tensor) -> Tensor:
        return (scores - nn.functional.one_hot(labels, 10)).square().mean()

    model = tiny()
    history = fit(model, garments(), garments(8), **FAST, loss=squares)
    with torch.no_grad():
        evaluated = squares(model.eval()(to_batch(garments(8).images)), garments(8).labels).item()
    assert history.last.validation_loss == pytest.approx(evaluated, rel=1e-5)

    seen: list[tuple[torch.dtype, tuple[int, ...]]] = []

    def darker(images: Tensor, generator: Generator) -> Tensor:
        seen.append((images.dtype, tuple(images.shape)))
        return images // 2

    assert trained(tiny(), garments(), augment=darker) and seen == [(torch.uint8, (8, 28, 28))] * 2


def test_a_step_hook_of_the_optimizer_clips_gradients() -> None:
    def clip(chosen: list[Tensor]) -> None:
        nn.utils.clip_grad_norm_(chosen, 1e-3)

    def clipping(parameters: Any) -> torch.optim.Optimizer:
        optimizer = torch.optim.SGD(parameters, lr=1.0)
        chosen = [p for group in optimizer.param_groups for p in group["params"]]
        optimizer.register_step_pre_hook(lambda *_: clip(chosen))
        return optimizer

    model = tiny()
    before = torch.cat([p.detach().flatten() for p in model.parameters()])
    fit(model, garments(), **{**FAST, "lr": 0.1, "steps": 1}, optimizer=clipping)
    after = torch.cat([p.detach().flatten() for p in model.parameters()])
    assert 0 < float((after - before).norm()) < 1.01e-3


def test_what_an_optimizer_or_a_loss_decides_is_not_said_twice() -> None:
    with pytest.raises(ValueError, match=r"momentum=0.9 is given beside optimizer"):
        fit(tiny(), garments(), **{**FAST, "lr": 0.1}, optimizer=torch.optim.SGD, momentum=0.9)
    with pytest.raises(ValueError, match=r"label_smoothing=0.1 is given beside loss"):
        fit(tiny(), garments(), **FAST, loss=nn.functional.cross_entropy, label_smoothing=0.1)
    with pytest.raises(TypeError, match="optimizer returns list"):
        fit(tiny(), garments(), **{**FAST, "lr": 0.1}, optimizer=list)
    with pytest.raises(TypeError, match="no argument 'batchsize'; did you mean batch_size"):
        fit(tiny(), garments(), batchsize=3)


def test_a_callback_sees_the_run_and_ends_it() -> None:
    seen: list[Run] = []

    def until_three(run: Run) -> bool:
        seen.append(run)
        return len(run.history.step_losses) < 3

    model = tiny()
    history = fit(model, garments(), **{**FAST, "steps": 9}, callbacks=[until_three, seen.append])
    assert history.interrupted and len(history.step_losses) == 3 and len(seen) == 6
    assert seen[0].model is model and isinstance(seen[0].optimizer, torch.optim.SGD) and seen[0].history is history


@pytest.mark.parametrize(
    "numbers",
    [
        {"batch_size": np.int64(8), "lr": np.float32(0.5), "steps": torch.tensor(2)},
        {"batch_size": torch.tensor(8), "lr": torch.tensor(0.5), "steps": np.int32(2), "momentum": np.float64(0.5)},
        {"lr": Fraction(1, 2), "label_smoothing": np.float16(0.5), "seed": np.uint8(3)},
    ],
)
def test_numpys_and_torchs_scalars_are_numbers(numbers: dict[str, Any]) -> None:
    plain = {name: value.item() if hasattr(value, "item") else value for name, value in numbers.items()}
    one = fit(tiny(), garments(), **{**FAST, **numbers}).step_losses
    assert one == fit(tiny(), garments(), **{**FAST, **plain}).step_losses
    assert class_vgg(hidden=np.int64(8), width=np.float32(0.0625)).network.hidden == 8


# --- what a checkpoint must agree on


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda m: m.features.requires_grad_(False) and m, "frozen parts"),
        (lambda m: m.__setattr__("preprocessing", Preprocessing(32, mean=0.5)) or m, "preprocessing"),
        (lambda m: class_vgg(width=0.05, hidden=8, init="xavier"), "network"),
    ],
)
def test_a_checkpoint_of_another_network_is_refused(change: Any, named: str, tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    fit(tiny(), garments(), **FAST, checkpoint=path)
    with pytest.raises(ValueError, match=f"other .*{named}"):
        fit(change(tiny()), garments(), **FAST, checkpoint=path)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"optimizer": lambda p: torch.optim.AdamW(p, lr=0.02)}, "optimizer"),
        ({"schedule": lambda share: share}, "schedule"),
        ({"augment": lambda images, generator: images}, "augment"),
        ({"loss": lambda scores, labels: scores.square().mean()}, "loss"),
    ],
)
def test_a_checkpoint_of_another_recipe_is_refused(other: Any, named: str, tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    recipe = {**FAST, "lr": 0.1}
    made = {"optimizer": {"optimizer": lambda p: torch.optim.AdamW(p, lr=0.01)}}.get(named, {})
    fit(tiny(), garments(), **recipe, **made, checkpoint=path)  # type: ignore[arg-type]
    fit(tiny(), garments(), **recipe, **made, checkpoint=path)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"other .*{named}"):
        fit(tiny(), garments(), **recipe, **other, checkpoint=path)


# --- judged honestly


def test_a_diverged_network_is_called_so() -> None:
    model: Any = tiny()
    with torch.no_grad():
        model.classifier[-1].weight.fill_(float("nan"))
    with pytest.raises(ValueError, match="not finite: its training has diverged"):
        predict(model, garments())
    with pytest.warns(UserWarning, match="diverged"):
        loss, _ = evaluate(model, garments())
    assert loss != loss


def test_validation_takes_the_training_batch_unless_told_otherwise() -> None:
    sizes: list[int] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if not module.training:
            sizes.append(len(inputs[0]))

    cases: list[tuple[dict[str, Any], int]] = [({}, 8), ({"eval_batch_size": 3}, 3)]
    for options, largest in cases:
        model = tiny()
        sizes.clear()
        model.register_forward_pre_hook(note)
        fit(model, garments(), garments(20), **FAST, **options)
        assert max(sizes) == largest
