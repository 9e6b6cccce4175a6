"""A hundred thousand damaged files for everything that reads one: each is read, or refused by an error with a name."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence

from tests.fuzzing import READERS
from tests.fuzzing import run as tried
from tools.proofs.report import Proof

ALL = 100_000
WORDS = {
    "idx": "files of the data set, plain, `.gz` and `.xz`", "csv": "histories", "safetensors": "files of weights",
    "cards": "what such a file says of its network", "checkpoints": "checkpoints", "pictures": "pictures",
    "notebooks": "notebooks where a copy goes", "answers": "what a submission printed, judged",
}  # fmt: skip


def run(names: Sequence[str] = ()) -> Proof:
    """All readers, or those that ``names`` names."""
    proof = Proof("fuzz", "Damaged files for everything that reads one", ("reader", "inputs", "refused", "seconds"))
    proof.unfit = "only a part was run" if names else ""
    total = 0
    for name in names or READERS:
        started, count = time.monotonic(), -(-ALL // len(READERS))
        try:
            read, refused = tried(name, count)
        except Exception:
            print(traceback.format_exc(), flush=True)
            proof.verdicts[f"{name}: every error has a name"] = False
            continue
        proof.verdicts[f"{name}: every error has a name"] = True
        seconds = time.monotonic() - started
        total += read + refused
        proof.rows.append((name, f"{read + refused:,}", f"{refused:,}", f"{seconds:.0f}"))
        print(*proof.rows[-1], flush=True)
        proof.figures |= {name: {"inputs": read + refused, "refused": refused}}
        proof.lines.append((WORDS[name], f"{{{name}.inputs:,}} inputs, {{{name}.refused:,}} refused by name"))
    proof.figures |= {"all": {"inputs": total}}
    proof.lines.append(("all together", "{all.inputs:,} inputs, no other error"))
    if not names:
        proof.verdicts[f"at least {ALL:,} inputs are tried"] = total >= ALL
    return proof
