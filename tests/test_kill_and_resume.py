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
from pathlib import Path

import pytest
import torch

from vgg_lesson.checkpoints import load_weights

KILLS = int(os.environ.get("VGG_LESSON_KILLS", "2"))
TRAIN = """
import sys
from vgg_lesson import training
from vgg_lesson.__main__ import main
training.SAVE_EVERY = 0.05
print("ready", flush=True)
sys.exit(main(sys.argv[1:]))
"""
OPTIONS = ["train", "--budget", "smoke", "--width", "0.05", "--hidden", "16", "--dropout", "0.5", "--batch-size", "32"]
EPOCHS_PER_KILL = 6


def start(out: Path) -> subprocess.Popen[str]:
    """The command under way, past its imports."""
    epochs = str(EPOCHS_PER_KILL * (KILLS + 1))
    command = [sys.executable, "-c", TRAIN, *OPTIONS, "--epochs", epochs, "--augment", "flip+shift", "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_run_killed_at_random_moments_ends_with_the_same_weights(tmp_path: Path) -> None:
    seed = random.randrange(1_000_000)
    moments = random.Random(seed)
    whole, killed = tmp_path / "whole.safetensors", tmp_path / "killed.safetensors"
    started = time.monotonic()
    assert start(whole).wait() == 0
    duration = time.monotonic() - started
    hits = 0
    for _ in range(KILLS):
        process = start(killed)
        time.sleep(moments.uniform(0, 1.5 * duration / (KILLS + 1)))
        process.kill()
        hits += process.wait() == -signal.SIGKILL
    assert hits >= KILLS / 2, f"seed {seed}: the run was over before it could be killed"
    assert start(killed).wait() == 0
    first, second = load_weights(whole).state_dict(), load_weights(killed).state_dict()
    assert all(torch.equal(value, second[name]) for name, value in first.items()), f"moments of seed {seed}"
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.{kind}" for name in ("whole", "killed") for kind in ("safetensors", "json")
    }, f"moments of seed {seed}"
