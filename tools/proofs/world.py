"""The lesson on a hundred odd machines of ordinary students; the settings stand in ``world_settings``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tools.paths import ROOT
from tools.proof_guide import code_digest
from tools.proofs.report import Proof
from tools.proofs.world_settings import LESSON, SETTINGS, Setting
from vgg_lesson.data.sources import SAMPLE
from vgg_lesson.support.files import write_atomically

FEWEST = 100
KEPT = ROOT / "build" / "world.json"
AT_ONCE = 4
PATIENCE = 900  # seconds; a busy machine may need many
UGLY = re.compile(r"Traceback \(most recent|Exception ignored|Segmentation fault|core dumped")
# What the machine that proves it brings must not decide.
LEFT_OUT = re.compile(
    r"VGG_LESSON_|MPL|OMP_|MKL_|LC_|LANG|PYTHON|.*_proxy$|CUDA_|RANK$|WORLD_SIZE$|(CPU|MEM)_LIMIT$", re.I
)


class Outcome(NamedTuple):
    """What a setting did: ``wrong`` is empty where it was met, ``skipped`` says what this machine lacks for it."""

    setting: Setting
    wrong: str = ""
    skipped: str = ""


def run(names: Sequence[str] = ()) -> Proof:
    """Every setting, or those of the kinds that ``names`` names."""
    proof = Proof("world", "Odd settings of ordinary machines", ("kind", "met", "not available here"))
    proof.unfit = "only a part was run" if names else ""
    outcomes = tried([setting for setting in SETTINGS if not names or setting.kind in names])
    kinds = list(dict.fromkeys(outcome.setting.kind for outcome in outcomes))
    for kind in kinds:
        mine = [outcome for outcome in outcomes if outcome.setting.kind == kind]
        met = sum(not (outcome.wrong or outcome.skipped) for outcome in mine)
        skipped = [outcome for outcome in mine if outcome.skipped]
        proof.rows.append((kind, f"{met} of {len(mine)}", str(len(skipped))))
        key = kind.replace(" ", "_")
        proof.figures |= {key: {"met": met, "tried": len(mine) - len(skipped)}}
        told = "; ".join(outcome.setting.name for outcome in mine if not outcome.skipped)
        proof.lines.append((f"{kind}: {_escaped(told)}", f"{{{key}.met}} of {{{key}.tried}} as expected"))
    done = [outcome for outcome in outcomes if not outcome.skipped]
    missed = [outcome for outcome in done if outcome.wrong]
    proof.figures |= {"all": {"met": len(done) - len(missed), "tried": len(done)}}
    proof.lines.append(("all settings together", "{all.met} of {all.tried} as expected"))
    proof.verdicts["every setting does what it is expected to do"] = bool(done) and not missed
    if not names:
        proof.verdicts[f"at least {FEWEST} settings are tried"] = len(done) >= FEWEST
    if lacking := sorted({f"{outcome.setting.name} ({outcome.skipped})" for outcome in outcomes if outcome.skipped}):
        proof.notes.append("Not available on this machine: " + "; ".join(lacking) + ".")
    return proof


def tried(settings: Iterable[Setting]) -> list[Outcome]:
    """What each setting did, in order.

    What was met is kept in ``build/world.json``, so that the command can be stopped and given again on the same code.
    """
    state = code_digest()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    met = set(kept["met"]) if kept.get("state") == state else set()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = []
        for outcome in pool.map(lambda each: Outcome(each) if _key(each) in met else tried_once(each), settings):
            outcomes.append(outcome)
            if not (outcome.wrong or outcome.skipped):
                met.add(_key(outcome.setting))
                write_atomically(KEPT, json.dumps({"state": state, "met": sorted(met)}).encode())
            said = outcome.wrong or outcome.skipped or "met"
            print(f"{outcome.setting.kind}: {outcome.setting.name}: {said}", flush=True)
        return outcomes


def tried_once(setting: Setting) -> Outcome:
    """Run a setting's script in a fresh folder with bash and compare what happened with what it expects."""
    if lack := setting.lacks():
        return Outcome(setting, skipped=lack)
    with tempfile.TemporaryDirectory(prefix="world-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "lesson.py").write_text(LESSON, encoding="utf-8")
        try:
            done = subprocess.run(
                ["bash", "-c", setting.script], cwd=folder, env=environment(setting, folder), capture_output=True,
                timeout=PATIENCE, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Outcome(setting, wrong=f"not done within {PATIENCE} seconds")
        finally:
            subprocess.run(["chmod", "-R", "u+rwX", name], check=False, capture_output=True)
    said = (done.stdout + done.stderr).decode("utf-8", errors="replace").replace("\0", "")
    return Outcome(setting, wrong=judged(setting, done.returncode, said))


def judged(setting: Setting, status: int, said: str) -> str:
    """What is wrong with a run, in words; "" if nothing is."""
    tail = " ".join(said.split())[-300:]
    if UGLY.search(said):
        return f"ends in a traceback: {tail}"
    if (status == 0) is not setting.works:
        return f"exit status {status}: {tail}"
    if setting.says and not re.search(setting.says, said, re.S):
        return f"does not say {setting.says!r}: {tail}"
    return ""


def environment(setting: Setting, folder: Path) -> dict[str, str]:
    """A plain environment, with the sample as data, and what the setting changes; ``{here}`` stands for its folder."""
    plain = {name: value for name, value in os.environ.items() if not LEFT_OUT.match(name)}
    plain |= {
        "PY": sys.executable, "PYTHONPATH": str(ROOT), "VGG_LESSON_DATA": str(SAMPLE), "VGG_LESSON_OFFLINE": "yes",
        "VGG_LESSON_BUDGET": "smoke", "OMP_NUM_THREADS": "1", "HERE": str(folder), "ROOT": str(ROOT),
    }  # fmt: skip
    changed = {name: value.replace("{here}", str(folder)) for name, value in setting.variables.items()}
    return {**plain, **changed}


def _key(setting: Setting) -> str:
    return f"{setting.kind}: {setting.name}"


def _escaped(text: str) -> str:
    """As a cell of a Markdown table, whose braces stand for figures."""
    return re.sub(r"[|{}<>*_`$\\]", lambda match: {"|": "&#124;"}.get(match[0], f"\\{match[0]}"), text).replace(
        "\n", " "
    )
