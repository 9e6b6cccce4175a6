"""Weights to ship (safetensors with a card) and checkpoints to resume from (``torch.load`` with ``weights_only``)."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from vgg_lesson.configs import Conv, Network, VGGConfig
from vgg_lesson.data.batches import Preprocessing
from vgg_lesson.models import VGG, build_vgg
from vgg_lesson.state_names import fitted
from vgg_lesson.support.arguments import MAY_BE_EMPTY, PathLike, checked, says
from vgg_lesson.support.files import (
    as_json,
    asset,
    named_beside,
    remove_drafts,
    user_path,
    write_atomically,
    write_together,
)

MAGIC = b"vgg-lesson checkpoint 2\n"
SETTINGS = [field.name for field in fields(Network) if field.name != "config"]
BEFORE = ".previous"
# What a card of other or damaged content ends in: a file may say anything about itself.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError, MemoryError)


@checked
def save_weights(
    model: Annotated[VGG, says("a VGG such as build_vgg()")],
    path: PathLike,
    card: Annotated[Mapping[str, Any], MAY_BE_EMPTY, says("a dict of JSON values")],
    *,
    dtype: Annotated[torch.dtype, says("torch.float32 or torch.float16")] = torch.float32,
) -> None:
    """Write the weights as safetensors of ``dtype``, with all that is needed to build the network again.

    ``card`` says how they came about (recipe, data, seed, accuracy, command): JSON values only. It is stored inside
    the file and, with the file's SHA-256, beside it as ``<name>.json``.

    Raises:
        ValueError: a network whose layers were changed after it was built, so that nobody could build it again.
        OSError: the folder cannot be written or the disk is full; both files are then as they were.
    """
    try:
        stated = as_json(dict(card))
    except (TypeError, ValueError) as error:
        raise TypeError(f"card holds something else than JSON values: {error}") from error
    path = user_path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"path={str(path)!r} has another ending; a name that ends in .safetensors is expected")
    if not dtype.is_floating_point:
        raise ValueError(f"dtype={dtype} would round weights to whole numbers; torch.float32 or float16 is expected")
    _check_unchanged(model)
    tensors = {
        name: (tensor.detach().cpu().to(dtype) if tensor.is_floating_point() else tensor.detach().cpu()).contiguous()
        for name, tensor in model.state_dict().items()
    }
    config = model.config
    network = {
        "name": config.name, "column": config.column, "lrn": config.lrn,
        "blocks": [[asdict(conv) for conv in block] for block in config.blocks],
        "settings": {name: model.network[name] for name in SETTINGS}, "preprocessing": asdict(model.preprocessing),
    }  # fmt: skip
    content = save(tensors, metadata={"network": as_json(network), "card": stated})
    beside = {**card, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    write_together({path: content, path.with_suffix(".json"): (as_json(beside, indent=2) + "\n").encode()})


def _check_unchanged(model: VGG) -> None:
    """Raise ValueError unless building ``model.network`` again gives layers of the same names and shapes."""
    again = build_vgg(**model.network, device="meta").state_dict()
    own = model.state_dict()
    for name in sorted({*own, *again}):
        has, wanted = (tuple(part[name].shape) if name in part else None for part in (own, again))
        if has != wanted:
            raise ValueError(
                f"model.{name} has shape {has}, and what model.network describes has {wanted}: layers were changed, "
                "and load_weights could not build them again; use torch.save(model.state_dict(), path) for such a model"
            )


@checked
def load_weights(path: PathLike) -> VGG:
    """Build the network that `save_weights` wrote and give it its weights, as float32 on the CPU, in evaluation mode.

    Raises:
        ValueError: the file is not such a file, or is damaged.
    """
    place = user_path(path)
    if not place.is_file():
        raise ValueError(f"path={str(path)!r} is not a file; one that save_weights wrote is expected")
    try:
        with safe_open(str(place), framework="pt") as file:
            told, names = file.metadata() or {}, list(file.keys())
        if "network" not in told:
            raise ValueError(
                f"the file does not say which network its {len(names)} tensors ({', '.join(names[:2])}, …) are of. "
                "torchvision's are read by load_torchvision_weights(build_vgg(…), safetensors.torch.load_file(path))"
            )
        model = _described_network(json.loads(told["network"]))
        tensors = load_file(str(place))
        found = fitted("the file", tensors, model.state_dict(), {"": {name: name for name in model.state_dict()}},
                       f"{model.config.name} that it describes")  # fmt: skip
        model.to_empty(device="cpu").load_state_dict(found)
    except (SafetensorError, OSError, RuntimeError, *UNREADABLE) as error:
        raise ValueError(f"path={str(path)!r} holds no weights of this lesson: {error}") from error
    return model.eval()


def _described_network(network: dict[str, Any]) -> VGG:
    """The network of a card, without memory, so that shapes are compared before any is taken."""
    blocks = tuple(tuple(Conv(**conv) for conv in block) for block in network["blocks"])
    config = VGGConfig(network["name"], blocks, lrn=network["lrn"], column=network["column"])
    model = build_vgg(config, **{**network["settings"], "device": "meta"})
    model.preprocessing = Preprocessing(**network["preprocessing"])
    return model


def trained_names() -> tuple[str, ...]:
    """Names of the networks that are shipped."""
    return tuple(sorted(path.stem for path in asset("weights").glob("*.safetensors")))


def load_trained(name: str = "vgg11-class") -> VGG:
    """A shipped, trained network, on the CPU and in evaluation mode; `trained_card` says how it came about.

    Its weights lie channels last in memory, as `fit` leaves them: the CPU convolves faster so.

    Raises:
        ValueError: an unknown name, or a file that differs from the one shipped.
    """
    card = trained_card(name)
    path = asset("weights") / f"{name}.safetensors"
    if hashlib.sha256(path.read_bytes()).hexdigest() != card["sha256"]:
        raise ValueError(f"name={name!r}: {path.name} is not the file that was shipped; restore it with git checkout")
    return load_weights(path).to(memory_format=torch.channels_last)


def trained_card(name: str = "vgg11-class") -> dict[str, Any]:
    """Recipe, data, seed, accuracy and command of a shipped network."""
    if name not in trained_names():
        raise ValueError(f"name={name!r} is not shipped; choose one of {', '.join(trained_names())}")
    card: dict[str, Any] = json.loads((asset("weights") / f"{name}.json").read_text())
    return card


def save_checkpoint(path: str | Path, state: Mapping[str, Any], run: Mapping[str, Any]) -> None:
    """Write ``state`` to ``path``, keeping the checkpoint before it beside it; ``run`` says which run it belongs to.

    Raises:
        OSError: the folder cannot be written or the disk is full; ``path`` is then as it was.
    """
    path = user_path(path)
    buffer = io.BytesIO()
    torch.save({"run": dict(run), "state": dict(state)}, buffer)
    content = buffer.getvalue()
    rotated = path.exists() and _payload(path) is not None
    if rotated:
        path.replace(_previous(path))
    try:
        write_atomically(path, MAGIC + hashlib.sha256(content).digest() + content)
    except OSError:
        if rotated:
            _previous(path).replace(path)
        raise


def load_checkpoint(path: str | Path, run: Mapping[str, Any]) -> dict[str, Any] | None:
    """The newest undamaged state saved under ``path``, or None if there is none; a damaged one is warned about.

    Raises:
        ValueError: the file is no checkpoint, or belongs to another run than ``run``: going on would mix two recipes.
    """
    path = user_path(path)
    for candidate in (path, _previous(path)):
        if not candidate.exists():
            continue
        content = _payload(candidate)
        if content is None:
            is_newest = candidate == path and _previous(candidate).exists()
            then = f"the one before it, {_previous(candidate).name}, is tried" if is_newest else "the run starts anew"
            warnings.warn(f"checkpoint {candidate} is damaged or cut short and left aside; {then}", stacklevel=3)
            continue
        saved = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)  # noqa: TID251  weights only
        if saved["run"] != dict(run):
            changed = sorted(key for key in {*run, *saved["run"]} if run.get(key) != saved["run"].get(key))
            raise ValueError(
                f"checkpoint={str(candidate)!r} belongs to a run with other {', '.join(changed)}; "
                "choose another file, or delete it to start anew"
            )
        state: dict[str, Any] = saved["state"]
        return state
    return None


def forget_checkpoint(path: str | Path) -> None:
    """Remove the checkpoint ``path``, the one before it, and what a kill while it was written left behind."""
    path = user_path(path)
    path.unlink(missing_ok=True)
    _previous(path).unlink(missing_ok=True)
    remove_drafts(path)


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Where torch's generators stand: the CPU's and, if it is another one, the device's."""
    state = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        state[device.type] = torch.get_device_module(device).get_rng_state()
    return state


def set_random_state(state: Mapping[str, Tensor], device: torch.device) -> None:
    """Put torch's generators where `random_state` found them; those of a device that it did not see stay."""
    torch.set_rng_state(state["cpu"])
    if device.type in state and device.type != "cpu":
        torch.get_device_module(device).set_rng_state(state[device.type])


def _payload(path: Path) -> bytes | None:
    """What `save_checkpoint` stored in ``path``, or None if the file is damaged; ValueError if it is another kind."""
    content = path.read_bytes() if path.is_file() else b"?"
    if not content.startswith(MAGIC) and not MAGIC.startswith(content):
        if _stands_beside_another(path):
            return None
        raise ValueError(f"checkpoint={str(path)!r} is there already and is no checkpoint; choose another file")
    digest, payload = content[len(MAGIC) : len(MAGIC) + 32], content[len(MAGIC) + 32 :]
    return payload if hashlib.sha256(payload).digest() == digest else None


def _stands_beside_another(path: Path) -> bool:
    """Whether a file whose first bytes are damaged was a checkpoint: it is one before, or has one before it."""
    if path.name.endswith(BEFORE):
        return True
    before = _previous(path)
    return before.is_file() and before.read_bytes()[: len(MAGIC)] == MAGIC


def _previous(path: Path) -> Path:
    return named_beside(path, BEFORE)
