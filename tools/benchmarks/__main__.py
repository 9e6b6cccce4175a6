"""``python -m tools.benchmarks [--store] [NAME …]``: one benchmark, several, or all of them."""

from __future__ import annotations

import argparse
import importlib
import sys

from tools.benchmarks.report import PAGE, page
from vgg_lesson.support.files import write_atomically

BENCHMARKS = {
    "time_to_post": "seconds until the class network is where the post ended (about four minutes)",
    "sprint": "the post's accuracy in fewer seconds, beside the class plan (a quarter of an hour at most)",
    "full_accuracy": "accuracy of the full plan, three seeds (hours; goes on where it stopped)",
    "overnight": "accuracy of the overnight plan, one seed (hours; goes on where it stopped)",
    "same_network": "images a second of the post's network: its loop against a good one (some minutes)",
    "one_cpu": "the class run on one processor, with its peak memory (two minutes)",
    "feeding": "batches from memory against a PIL DataLoader (a minute)",
    "scaling": "seconds of a step by one and by two processes (a minute)",
    "views": "how fast the views answer (two minutes)",
    "live": "how fast the page VGG, live draws (half a minute)",
    "ablation": "what each technique of the class plan brings (a quarter of an hour)",
    "gains": "whether two doubted changes help the class plan, on eight more seeds (ten minutes)",
    "races": "recipes people would otherwise pick, against the class plan (a quarter of an hour)",
    "ecosystem": "the class network by PyTorch, Lightning, fastai and Keras as documented (a quarter of an hour)",
}


def main() -> int:
    """Run the benchmarks named, print their tables, and with ``--store`` keep their figures in the package."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--store", action="store_true", help="keep the figures, and show them in results.md")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark called {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    missed = 0
    for name in options.names or BENCHMARKS:
        report = importlib.import_module(f"tools.benchmarks.{name}").run()
        print(report, flush=True)
        if options.store:
            print(f"stored in {report.store()}")
        print()
        missed += not all(report.verdicts.values())
    if options.store:
        write_atomically(PAGE, page().encode())
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
