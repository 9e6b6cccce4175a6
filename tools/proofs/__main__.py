"""``python -m tools.proofs PROOF [--store] [NAME …]``: one proof, for all notebooks or those named."""

from __future__ import annotations

import argparse
import importlib
import sys

from tools.proof_guide import write_guide

PROOFS = {
    "pod": "every notebook inside 2 GB and one CPU (Linux, root; budget class: half an hour)",
    "half_day": "02, 03, 05 and 07 in one pod, kernels left open (Linux, root; budget class: five minutes)",
    "image": "the Binder image: requirements, postBuild and start in a clean environment (minutes, gigabytes)",
    "cells": "every cell twice, from the middle, interrupted, with other working directories (half an hour)",
    "offline": "all notebooks without network and data, on the sample (Linux, root; twenty minutes)",
    "thirty": "thirty loading at once, two fetching at once, full and read-only disks (Linux, root; three minutes)",
    "rough": "killed runs, damaged checkpoints, bad data, wrong calls, ruff's security rules, pip-audit (ten minutes)",
    "world": "a hundred odd settings of ordinary machines (Linux, root for some; a quarter of an hour)",
    "fuzz": "a hundred thousand damaged files for everything that reads one (a quarter of an hour)",
    "mutants": "small wrong changes of the code, sampled: does a test notice? (an hour)",
    "suite": "all tests twenty times, five of them with every processor busy (hours; goes on where it stopped)",
    "versions": "clean environments of Python 3.11 to 3.14, oldest and newest packages (needs uv; an hour)",
}


def main() -> int:
    """Run a proof, print its table, and with ``--store`` keep its figures and write them into the guide."""
    told = "; ".join(f"{name}: {text}" for name, text in PROOFS.items())
    parser = argparse.ArgumentParser(prog="python -m tools.proofs", description=__doc__, epilog=told)
    parser.add_argument("proof", choices=PROOFS)
    parser.add_argument("names", nargs="*", metavar="NAME", help='what to prove it of, such as "05"; default: all')
    parser.add_argument("--store", action="store_true", help="write the figures to tools/records/proofs")
    options = parser.parse_intermixed_args()
    proof = importlib.import_module(f"tools.proofs.{options.proof}").run(tuple(options.names))
    print(proof, flush=True)
    if options.store and proof.unfit:
        print(f"not stored: {proof.unfit}")
    elif options.store and proof.figures:
        path = proof.store()
        write_guide()
        print(f"stored in {path} and written into the guide")
    return int(not all(proof.verdicts.values()))


if __name__ == "__main__":
    sys.exit(main())
