"""``python -m vgg_lesson train``, killed without warning at random moments, ends with the same weights bit for bit.

``VGG_LESSON_KILLS`` says how often it is killed; more take longer.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from tests.marks import long
from vgg_lesson.training.checkpoints import load_weights

KILLS = int(os.environ.get("VGG_LESSON_KILLS", "1"))
TRAIN = """
import sys
from vgg_lesson.training import loop as training
from vgg_lesson.__main__ import main
training.SAVE_EVERY = 0.05
print("ready", flush=True)
sys.exit(main(sys.argv[1:]))
"""
OPTIONS = ["train", "--budget", "smoke", "--width", "0.05", "--hidden", "16", "--dropout", "0.5", "--batch-size", "32"]
EPOCHS_PER_KILL = 6


@dataclass(frozen=True)
class Killed:
    """How often a run was killed (``hits``), and whether it ended as if it had not been."""

    seed: int
    hits: int
    same_weights: bool
    left: tuple[str, ...]
    seconds: float


def start(out: Path, kills: int) -> subprocess.Popen[str]:
    """The command under way, past its imports."""
    epochs = str(EPOCHS_PER_KILL * (kills + 1))
    command = [sys.executable, "-c", TRAIN, *OPTIONS, "--epochs", epochs, "--augment", "flip+shift", "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def kill_and_resume(folder: Path, kills: int) -> Killed:
    """Train once undisturbed, once killed ``kills`` times at random moments; a run that is over counts as no hit."""
    seed = random.randrange(1_000_000)
    moments = random.Random(seed)
    whole, killed = folder / "whole.safetensors", folder / "killed.safetensors"
    process = start(whole, kills)
    began = time.monotonic()
    assert process.wait() == 0
    duration = time.monotonic() - began
    hits = 0
    for _ in range(kills):
        process = start(killed, kills)
        time.sleep(moments.uniform(0, 1.5 * duration / (kills + 1)))
        process.kill()
        hits += process.wait() == -signal.SIGKILL
    assert start(killed, kills).wait() == 0
    first, second = load_weights(whole).state_dict(), load_weights(killed).state_dict()
    same = all(torch.equal(value, second[name]) for name, value in first.items())
    expected = {f"{name}.{kind}" for name in ("whole", "killed") for kind in ("safetensors", "json")}
    left = tuple(sorted({path.name for path in folder.iterdir()} - expected))
    return Killed(seed, hits, same, left, time.monotonic() - began)


@long
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_run_killed_at_random_moments_ends_with_the_same_weights(tmp_path: Path) -> None:
    found = kill_and_resume(tmp_path, KILLS)
    assert found.hits >= KILLS / 2, f"{found}: the run was over before it could be killed"
    assert found.same_weights and not found.left, found
