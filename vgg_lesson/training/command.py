"""``python -m vgg_lesson train``: the notebooks' engine outside a notebook, resumable, with weights at the end.

``torchrun --nproc_per_node=2 -m vgg_lesson train …`` is the same run by two processes, each with half of every batch.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from vgg_lesson.configs import CONFIGS, HEADS, INIT_SCHEMES
from vgg_lesson.data.augmentation import AUGMENTATIONS
from vgg_lesson.data.datasets import ImageSet, load_fashion_mnist
from vgg_lesson.models import VGG, build_vgg
from vgg_lesson.support.budgets import get_budget
from vgg_lesson.support.files import as_json, remove_drafts, user_path
from vgg_lesson.support.machine import fast_precision, pick_device, set_threads
from vgg_lesson.support.streams import as_argument
from vgg_lesson.training.checkpoints import forget_checkpoint, save_weights
from vgg_lesson.training.distributed import PeerLostError, ProcessGroup, init_distributed
from vgg_lesson.training.evaluation import evaluate
from vgg_lesson.training.history import History
from vgg_lesson.training.loop import fit
from vgg_lesson.training.muon import Muon
from vgg_lesson.training.recipes import PLANS, PRECISIONS, SCHEDULES, Experiment, MakeOptimizer, Recipe

OPTIMIZERS: dict[str, Callable[[float, float], MakeOptimizer] | None] = {
    "sgd": None,
    "adamw": lambda lr, decay: lambda parameters: torch.optim.AdamW(parameters, lr=lr, weight_decay=decay),
    "muon": lambda lr, decay: lambda parameters: Muon(parameters, lr=lr, weight_decay=decay),
}
# Field of `Network` or `Recipe` → (type or choices, what it means).
NETWORK_OPTIONS: dict[str, tuple[Any, str]] = {
    "width": (float, "factor of every convolution's channels"),
    "hidden": (int, "units of the two hidden fully connected layers"),
    "image_size": (int, "side of the input in pixels"),
    "dropout": (float, "probability of dropout behind each hidden layer, 0 up to 1"),
    "head": (HEADS, "three fully connected layers, or global average pooling and one"),
    "init": (INIT_SCHEMES, "how the weights are drawn"),
}
RECIPE_OPTIONS: dict[str, tuple[Any, str]] = {
    "epochs": (int, "passes over the training images"),
    "steps": (int, "end after so many batches instead"),
    "batch_size": (int, "images of a step, of all processes together"),
    "lr": (float, "learning rate, of a schedule the greatest"),
    "momentum": (float, "Nesterov momentum, 0 up to 1"),
    "weight_decay": (float, "L2 penalty"),
    "schedule": (tuple(SCHEDULES), "how the learning rate changes"),
    "label_smoothing": (float, "probability shared among all classes, 0 up to 1"),
    "augment": (("none", *AUGMENTATIONS), "random changes of the training images"),
    "precision": (PRECISIONS, "auto takes bfloat16 where the hardware is built for it"),
}


def add_train_options(parser: argparse.ArgumentParser) -> None:
    """What ``train`` takes; every option left out comes from the budget's plan."""
    about = "Train a network as the notebooks do and write its weights. What is left out comes from the budget's plan."
    parser.description = about
    parser.add_argument("--out", type=_weights_path, required=True, help="where to write the weights, NAME.safetensors")
    parser.add_argument("--budget", choices=PLANS, help="whose network and recipe to start from")
    parser.add_argument("--config", choices=CONFIGS, help="a column of the paper's table instead of the plan's layout")
    parser.add_argument("--batch-norm", action=argparse.BooleanOptionalAction, help="after every convolution")
    parser.add_argument("--seed", type=int, default=0, help="decides weights, order, augmentation and dropout")
    parser.add_argument("--data", type=user_path, metavar="DIR", help="a folder with FashionMNIST's four files")
    parser.add_argument("--validation", type=_count, default=0, help="training images held out and reported on")
    parser.add_argument("--images", type=_positive, help="train on the first so many images only")
    parser.add_argument("--test", action=argparse.BooleanOptionalAction, default=True, help="open the test set at last")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, help="AdamW and Muon take lr and weight decay")
    parser.add_argument("--eval-batch-size", type=_positive, help="images at a time in the validation")
    parser.add_argument("--device", help="cpu, cuda, mps; default: the fastest there is")
    # torchrun takes --log for its own --log-dir, wherever it stands; --history is the same option.
    parser.add_argument("--log", "--history", type=user_path, help="where to write the epochs as CSV")
    for name, (kind, meaning) in {**NETWORK_OPTIONS, **RECIPE_OPTIONS}.items():
        accepted = {"choices": kind} if isinstance(kind, tuple) else {"type": kind}
        parser.add_argument("--" + name.replace("_", "-"), help=meaning, **accepted)
    parser.set_defaults(run=train)


def train(options: argparse.Namespace) -> int:
    """Train, resume if a checkpoint of the same run lies beside ``--out``, write weights, card and log.

    Under torchrun every process trains, and the main one writes.
    """
    try:
        with init_distributed() as group:
            return _train(options, group)
    except KeyboardInterrupt:
        kept = f"; {_go_on(options)}" if os.path.exists(_checkpoint(options)) else " before the first step"
        print(f"interrupted{kept}", file=sys.stderr)
        return 130
    except PeerLostError as error:
        print(f"\n{error}; {_go_on(options)}", file=sys.stderr)  # the bar was left within its line
        return 1
    except (ValueError, TypeError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        kept = f"; {_go_on(options)}" if os.path.exists(_checkpoint(options)) else ""
        print(f"{error}{kept}", file=sys.stderr)
        return 1


def _train(options: argparse.Namespace, group: ProcessGroup) -> int:
    budget = get_budget(options.budget)
    experiment = _experiment(options, PLANS[budget.name])
    set_threads()
    torch.manual_seed(options.seed)
    model = build_vgg(**experiment.architecture)
    data = load_fashion_mnist("train", root=options.data).subset(budget.train_images)
    if options.images:  # indices copy, so that the other images do not stay in memory
        data = data.subset(range(min(options.images, len(data))))
    held_out = None
    if options.validation:
        data, held_out = data.split(options.validation)
    history = fit(
        model, data, held_out, **experiment.recipe, device=options.device, eval_batch_size=options.eval_batch_size,
        checkpoint=_checkpoint(options), label=options.out.stem,
    )  # fmt: skip
    if history.interrupted:
        if group.is_main:
            print(f"interrupted; {_go_on(options)}", file=sys.stderr)
        return 130
    if group.is_main:
        _keep(options, model, history, data, experiment, group)
    return 0


def _experiment(options: argparse.Namespace, plan: Experiment) -> Experiment:
    """The budget's plan with what the options change.

    Raises:
        ValueError: a rate, momentum or penalty for the plan's own optimizer, which has them already.
    """
    if options.optimizer:
        plan = plan.vary(optimizer=None)
    elif plan.recipe.optimizer:
        for name in ("lr", "momentum", "weight_decay"):
            if getattr(options, name) is not None:
                option, own = name.replace("_", "-"), plan.recipe.described()["optimizer"]
                choices = ", ".join(OPTIMIZERS)
                raise ValueError(f"--{option} is not for the plan's {own}; name one with --optimizer: {choices}")
    changes = {name: getattr(options, name) for name in ("config", "batch_norm") if getattr(options, name) is not None}
    given = {name: getattr(options, name) for name in {**NETWORK_OPTIONS, **RECIPE_OPTIONS}}
    changes |= {name: value for name, value in given.items() if value is not None}
    if changes.get("augment") == "none":
        changes["augment"] = None
    if "config" in changes and options.image_size is None:  # every block halves the image once
        changes["image_size"] = max(plan.architecture.image_size, 2 ** len(CONFIGS[changes["config"]].blocks))
    experiment = plan.vary(**changes, seed=options.seed)
    if make := OPTIMIZERS[options.optimizer or "sgd"]:
        recipe = experiment.recipe
        made = make(recipe.lr, recipe.weight_decay)
        # The rate and the penalty are the optimizer's now.
        recipe = replace(recipe, lr=Recipe.lr, momentum=0.0, weight_decay=0.0, optimizer=made)
        experiment = replace(experiment, recipe=recipe)
    return experiment


def _keep(
    options: argparse.Namespace, model: VGG, history: History, data: ImageSet, made: Experiment, group: ProcessGroup
) -> None:
    """Write weights, card and log; the checkpoint has served."""
    precision, network = made.recipe.precision, dict(**made.architecture)
    card = {
        "config": model.config.name, "network": {name: network[name] for name in network if name != "config"},
        "recipe": made.recipe.described(), "views": made.views,
        "precision_used": precision if precision != "auto" else fast_precision(pick_device()),
        "training_images": len(data), "data": data.source,
        **(_tested(model, made.views, options.data) if options.test else {}),
        "parameters": sum(p.numel() for p in model.parameters()), "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        **({"processes": group.size} if group.size > 1 else {}),
        "command": "python -m vgg_lesson " + shlex.join(options.words),
    }  # fmt: skip
    save_weights(model, options.out, card)
    if options.log:
        try:
            history.to_csv(options.log)
        except (OSError, ValueError) as error:  # the weights are what was waited for
            print(f"the epochs could not be kept: {error}", file=sys.stderr)
    forget_checkpoint(_checkpoint(options))
    remove_drafts(options.out, options.out.with_suffix(".json"))
    print(as_json(card, indent=2))
    print(f"The weights are in {options.out}; in a notebook: load_weights({str(options.out)!r})", file=sys.stderr)


def _tested(model: VGG, views: str, root: Path | None) -> dict[str, float]:
    test = load_fashion_mnist("test", root=root)
    loss, accuracy = evaluate(model, test, views=views)
    return {"test_images": len(test), "test_loss": round(loss, 4), "test_accuracy": round(accuracy, 4)}


def _checkpoint(options: argparse.Namespace) -> Path:
    return Path(options.out.with_suffix(".checkpoint"))


def _go_on(options: argparse.Namespace) -> str:
    return f"what was saved last is in {as_argument(_checkpoint(options))}: run the same command to go on"


def _weights_path(text: str) -> Path:
    path = user_path(text)
    if path.suffix != ".safetensors":
        raise argparse.ArgumentTypeError(f"{text!r} must end in .safetensors")
    return path


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 0")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)
