"""Thirty at once on one folder, two downloads at the same moment, and disks that are full or read-only.

All of it happens in a mount namespace of its own, so that no mount outlives the proof.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.proofs.report import Proof
from tools.proofs.room import fetch_together, find_full_set, load_together
from tools.proofs.small_disks import CASES, on_a_small_disk

READERS, FETCHERS = 30, 2
SECONDS = 60.0


def run(names: Sequence[str] = ()) -> Proof:
    """Every part, or those that ``names`` names: "load", "fetch", "disks"."""
    proof = Proof("thirty", "Thirty at once, and disks that take nothing", ("what", "result"))
    proof.unfit = "only a part was run" if names else ""
    with tempfile.NamedTemporaryFile(suffix=".json") as results:
        command = ["unshare", "--mount", sys.executable, "-m", "tools.proofs.thirty", results.name, *names]
        try:
            subprocess.run(command, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            proof.notes.append(f"Skipped: no mounts can be made here (Linux and root are needed): {error}")
            return proof
        found = dict(json.loads(Path(results.name).read_text()))
    _conclude(proof, found)
    return proof


def inside(names: Sequence[str]) -> dict[str, Any]:
    """What each part found; runs in the namespace."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not names or "fetch" in names:
            found["fetch"] = fetch_together(folder / "fetched", find_full_set(), FETCHERS)
    if not names or "load" in names:
        with _read_only(Path(tempfile.mkdtemp()), find_full_set()) as shared:
            found["load"] = load_together(shared, READERS)
    if not names or "disks" in names:
        place = Path(tempfile.gettempdir(), f"disk-{os.getpid()}")
        kinds = ("full", "read-only")
        found["disks"] = {f"{case}, {kind}": on_a_small_disk(place, case, kind) for case in CASES for kind in kinds}
    return found


@contextmanager
def _read_only(place: Path, source: Path) -> Iterator[Path]:
    # Only an empty folder is taken away in the end: what is mounted there must never be.
    subprocess.run(["mount", "--bind", str(source), str(place)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


def _conclude(proof: Proof, found: dict[str, Any]) -> None:
    proof.figures = {}
    if load := found.get("load"):
        proof.rows.append((f"{READERS} load both splits from one read-only folder", str(load)))
        proof.figures |= {f"load_{name}": value for name, value in load.items()}
        proof.verdicts[f"all {READERS} have the same data within {SECONDS:g} s"] = (
            load["loaded"] == READERS and load["different"] == 1 and load["seconds"] <= SECONDS
        )
        proof.lines.append(
            (
                "thirty load from one read-only shared folder at the same moment",
                "{load_loaded} processes, the last after {load_seconds:.1f} s, {load_megabytes_each:.0f} MB each",
            )
        )
    if fetch := found.get("fetch"):
        proof.rows.append((f"{FETCHERS} fetch into one folder at once, a third is killed", str(fetch)))
        proof.figures |= {f"fetch_{name}": value for name, value in fetch.items()}
        proof.verdicts["both downloads succeed, the folder is whole and holds nothing else"] = (
            fetch["succeeded"] == FETCHERS and fetch["whole"] and not fetch["left"]
        )
        proof.lines.append(
            (
                "two fetch the data into one folder at the same moment, a third is killed",
                "the data whole and verified, nothing else left",
            )
        )
    if disks := found.get("disks"):
        for case, result in disks.items():
            proof.rows.append((case, result["said"] or "went on, with a warning"))
        proof.figures["disks"] = len(disks)
        proof.verdicts["every full or read-only disk is named, nothing half-written, nothing lost"] = not any(
            result["wrong"] for result in disks.values()
        )
        proof.notes += [f"{case}: {wrong}" for case, result in disks.items() for wrong in result["wrong"]]
        proof.lines.append(
            (
                "a full disk or a read-only folder while fetching, copying, training or saving",
                "{disks} cases: said in words, what was there unharmed, nothing half-written",
            )
        )


if __name__ == "__main__":
    if os.geteuid():
        sys.exit("mounts need root")
    Path(sys.argv[1]).write_text(json.dumps(inside(sys.argv[2:])))
