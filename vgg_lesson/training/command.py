"""``python -m vgg_lesson train``: the notebooks' engine outside a notebook, resumable, with weights at the end.

``torchrun --nproc_per_node=2 -m vgg_lesson train …`` is the same run by two processes, each with half of every batch.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import Any

import torch

from vgg_lesson.configs import CONFIGS, get_config
from vgg_lesson.data.datasets import ImageSet, load_fashion_mnist
from vgg_lesson.models import INIT_SCHEMES, VGG, build_vgg
from vgg_lesson.support.budgets import get_budget
from vgg_lesson.support.files import remove_drafts
from vgg_lesson.support.machine import fast_precision, pick_device, set_threads
from vgg_lesson.training.checkpoints import forget_checkpoint, save_weights
from vgg_lesson.training.distributed import LostPartnerError, Team, joined
from vgg_lesson.training.history import History
from vgg_lesson.training.loop import evaluate, fit
from vgg_lesson.training.recipes import PLANS

NETWORK_OPTIONS = {"width": float, "hidden": int, "image_size": int, "dropout": float, "head": str}
RECIPE_OPTIONS = {
    "epochs": int, "steps": int, "batch_size": int, "lr": float, "momentum": float, "weight_decay": float,
    "schedule": str, "label_smoothing": float, "augment": str, "precision": str,
}  # fmt: skip


def add_train_parser(subparsers: Any) -> None:
    """Add ``train`` to the command line; every option left out comes from the budget's plan."""
    parser = subparsers.add_parser("train", help="train a network and write its weights")
    parser.add_argument("--out", type=_weights_path, required=True, help="where to write the weights, NAME.safetensors")
    parser.add_argument("--budget", choices=PLANS, help="whose network and recipe to start from")
    parser.add_argument("--config", choices=CONFIGS, help="a column of the paper's table instead of the plan's layout")
    parser.add_argument("--batch-norm", action=argparse.BooleanOptionalAction)
    parser.add_argument("--init", choices=INIT_SCHEMES, default="he")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--validation", type=int, default=0, help="training images held out and reported on")
    parser.add_argument("--images", type=int, help="train on the first so many images only")
    parser.add_argument("--test", action=argparse.BooleanOptionalAction, default=True, help="open the test set at last")
    # torchrun takes --log for its own --log-dir, wherever it stands; --history is the same option.
    parser.add_argument("--log", "--history", type=Path, help="where to write the epochs as CSV")
    for name, kind in {**NETWORK_OPTIONS, **RECIPE_OPTIONS}.items():
        parser.add_argument("--" + name.replace("_", "-"), type=kind)
    parser.set_defaults(run=train)


def train(options: argparse.Namespace) -> int:
    """Train, resume if a checkpoint of the same run lies beside ``--out``, write weights, card and log.

    In a team every process trains, and the first one writes.
    """
    try:
        with joined() as team:
            return _train(options, team)
    except KeyboardInterrupt:
        kept = f"; {_go_on(options)}" if _checkpoint(options).exists() else " before the first step"
        print(f"interrupted{kept}", file=sys.stderr)
        return 130
    except LostPartnerError as error:
        print(f"\n{error}; {_go_on(options)}", file=sys.stderr)  # the bar was left within its line
        return 1
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        kept = f"; {_go_on(options)}" if _checkpoint(options).exists() else ""
        print(f"{error}{kept}", file=sys.stderr)
        return 1


def _train(options: argparse.Namespace, team: Team) -> int:
    budget = get_budget(options.budget)
    plan = PLANS[budget.name]
    set_threads()
    network = {**plan.network, **_given(options, NETWORK_OPTIONS)}
    if options.batch_norm is not None:
        network["batch_norm"] = options.batch_norm
    recipe = {**plan.recipe, **_given(options, RECIPE_OPTIONS), "seed": options.seed}
    torch.manual_seed(options.seed)
    config = get_config(options.config or plan.config)
    if options.image_size is None:  # every block halves the picture once
        network["image_size"] = max(network["image_size"], 2 ** len(config.blocks))
    model = build_vgg(config, **network, init=options.init)
    data = load_fashion_mnist("train").subset(budget.train_images)
    if options.images:  # indices copy, so that the other images do not stay in memory
        data = data.subset(range(min(options.images, len(data))))
    held_out = None
    if options.validation:
        data, held_out = data.split(options.validation)
    history = fit(model, data, held_out, **recipe, checkpoint=_checkpoint(options), label=options.out.stem)
    if history.interrupted:
        if team.leads:
            print(f"interrupted; {_go_on(options)}", file=sys.stderr)
        return 130
    if team.leads:
        made = {"config": config.name, "network": network, "init": options.init, "recipe": recipe}
        _keep(options, model, history, data, made | {"views": plan.views}, team)
    return 0


def _keep(
    options: argparse.Namespace, model: VGG, history: History, data: ImageSet, made: dict[str, Any], team: Team
) -> None:
    """Write weights, card and log; the checkpoint has served."""
    precision = made["recipe"]["precision"]
    card = {
        **made, "precision_used": precision if precision != "auto" else fast_precision(pick_device()),
        "training_images": len(data), "data": data.source,
        **(_tested(model, made["views"]) if options.test else {}),
        "parameters": sum(p.numel() for p in model.parameters()), "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        **({"processes": team.size} if team.size > 1 else {}),
        "command": "python -m vgg_lesson " + shlex.join(sys.argv[1:]),
    }  # fmt: skip
    save_weights(model, options.out, card)
    if options.log:
        history.to_csv(options.log)
    forget_checkpoint(_checkpoint(options))
    remove_drafts(options.out, options.out.with_suffix(".json"))
    print(json.dumps(card, indent=2))


def _tested(model: VGG, views: str) -> dict[str, float]:
    test = load_fashion_mnist("test")
    loss, accuracy = evaluate(model, test, views=views)
    return {"test_images": len(test), "test_loss": round(loss, 4), "test_accuracy": round(accuracy, 4)}


def _checkpoint(options: argparse.Namespace) -> Path:
    return Path(options.out.with_suffix(".checkpoint"))


def _go_on(options: argparse.Namespace) -> str:
    return f"what was saved last is in {_checkpoint(options)}: run the same command to go on"


def _weights_path(text: str) -> Path:
    path = Path(text)
    if path.suffix != ".safetensors":
        raise argparse.ArgumentTypeError(f"{text!r} must end in .safetensors")
    return path


def _given(options: argparse.Namespace, names: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}
