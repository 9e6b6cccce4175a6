"""The series without a network and without data: in a network namespace, the system's data set hidden.

Two networks: "unplugged" has no route at all; "silent" has one that answers nothing, as behind a captive portal, so
that every look-up and connection waits until it is given up. Each kernel's main thread tells how long it slept: its
wall-clock time less what it computed, what it waited for a processor, and what the processes computed that it started,
all on one processor.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.paths import notebooks
from tools.proofs.kernels import Kernel, kernel
from tools.proofs.outputs import compared
from tools.proofs.report import Proof
from tools.proofs.series import AS_STORED, code, joined, judged, jupyterlab
from vgg_lesson.data.sources import DEBIAN, FOLDER_VARIABLE, OFFLINE_VARIABLE, REPOSITORY
from vgg_lesson.support.budgets import VARIABLE

LONGEST_WAIT = 10.0  # seconds
SAMPLE = "the shipped sample"
# The wait is the same under every budget; that the sample is enough for what the text asserts shows under class.
BUDGETS = {"unplugged": "class", "silent": "smoke"}
FOLDERS = (DEBIAN, REPOSITORY / "data", REPOSITORY / "notebooks" / "data")
NETWORKS = {
    "unplugged": "",
    # Nobody reads what is sent into the tap; the neighbour's fixed address keeps the system from giving up on it.
    "silent": """
ip tuntap add dev nobody mode tap
ip addr add 192.0.2.2/24 dev nobody
ip link set nobody up
ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev nobody
ip route add default via 192.0.2.1 dev nobody
""",
}


def run(names: Sequence[str] = ()) -> Proof:
    """All notebooks in both networks, or those named: networks ("silent"), notebooks ("05"), or both."""
    networks = [name for name in NETWORKS if name in names] or list(NETWORKS)
    paths = notebooks([name for name in names if name not in NETWORKS])
    columns = [f"{name}, s asleep" for name in NETWORKS]
    proof = Proof("offline", "Without network and data, on one thread", ("notebook", *columns))
    figures: dict[str, dict[str, Any]] = {path.stem[:2]: {} for path in paths}
    for network in networks:
        try:
            found = inside(network, paths, BUDGETS[network])
        except (OSError, subprocess.CalledProcessError) as error:
            proof.notes.append(f"Skipped: no such namespace can be made here (Linux and root are needed): {error}")
            return proof
        for number, row in found.items():
            figures[number][network] = row
    _conclude(proof, joined(proof, figures))
    return proof


def inside(network: str, paths: Sequence[Path], budget: str) -> dict[str, Any]:
    """What `measured` says of each notebook, run in a network namespace with every folder of data hidden.

    Raises:
        subprocess.CalledProcessError: no such namespace can be made here.
    """
    hidden = "\n".join(f"mount -t tmpfs none '{folder}'" for folder in FOLDERS if folder.is_dir())
    with tempfile.NamedTemporaryFile(suffix=".json") as results:
        script = f'set -e\nip link set lo up\n{NETWORKS[network]}\n{hidden}\nexec "$@"'
        here = [sys.executable, "-m", "tools.proofs.offline", results.name, *(path.stem for path in paths)]
        outside = {k: v for k, v in os.environ.items() if k not in (FOLDER_VARIABLE, OFFLINE_VARIABLE)}
        # With more threads the main one also sleeps while it waits for the others.
        variables = {**outside, OFFLINE_VARIABLE: "0", VARIABLE: budget, "OMP_NUM_THREADS": "1"}
        one = ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0)))]
        command = ["unshare", "--net", "--mount", *one, "bash", "-c", script, "bash", *here]
        subprocess.run(command, check=True, env=variables)
        return dict(json.loads(Path(results.name).read_text()))


def measured(path: Path, used: Kernel) -> dict[str, Any]:
    """Seconds asleep in all and in the worst cell, which cell that is, and what went wrong."""
    asleep, runs, cells = [], [], code(path)
    process = used.value("__import__('os').getpid()")
    own = f"/proc/{process}/task/{process}/schedstat"
    for cell in cells:
        before = awake(used, own)
        runs.append(used.run(cell.source))
        asleep.append(runs[-1].seconds - (awake(used, own) - before))
    shown = "\n".join(text for ran in runs for texts in compared(ran.outputs).values() for text in texts)
    said = judged(cells, runs) + ([] if SAMPLE in shown else ["nowhere does it say that the sample stands in"])
    worst = max(range(len(cells)), key=asleep.__getitem__)
    total = round(sum(asleep), 2)
    return {"asleep": total, "worst": round(asleep[worst], 2), "cell": runs[worst].name, "said": said}


def awake(used: Kernel, path: str) -> float:
    """Seconds that the kernel's main thread has computed or waited for a processor, or that its processes computed."""
    ran, waited, _ = used.value(f"open('{path}').read()").split()
    children = used.value("sum(__import__('resource').getrusage(__import__('resource').RUSAGE_CHILDREN)[:2])")
    return (int(ran) + int(waited)) / 1e9 + float(children)


def _conclude(proof: Proof, figures: dict[str, dict[str, Any]]) -> None:
    for number, row in figures.items():
        shown = (
            f"{row[name]['asleep']:.1f} {'; '.join(row[name]['said'])}" if name in row else "not run"
            for name in NETWORKS
        )  # fmt: skip
        proof.rows.append((number, *shown))
    rows = figures.values()
    results = [result for row in rows for result in row.values()]
    longest = {
        part: {name: max((row[name][part] for row in rows if name in row), default=0.0) for name in NETWORKS}
        for part in ("worst", "asleep")
    }
    proof.figures = {"notebooks": figures, "count": len(figures), "cell": longest["worst"], "whole": longest["asleep"]}
    proof.verdicts = {
        "every notebook in both networks": len(results) == len(notebooks()) * len(NETWORKS),
        "no error, untagged cells as stored, the sample named": not any(result["said"] for result in results),
        f"no cell sleeps longer than {LONGEST_WAIT:g} s": max(longest["worst"].values()) <= LONGEST_WAIT,
    }
    proof.lines = [
        ("without network and data all run on the sample, and say so", f"{{count}} notebooks: {AS_STORED}"),
        (
            f"no cell waits for the network longer than {LONGEST_WAIT:g} s in all",
            "{cell.unplugged:.1f} s where there is no route, {cell.silent:.1f} s where nothing answers; all cells of a "
            "notebook together {whole.unplugged:.1f} s and {whole.silent:.1f} s at most",
        ),
    ]


if __name__ == "__main__":
    results, *stems = sys.argv[1:]
    found = {}
    with jupyterlab({}) as place:
        for path in notebooks(stems):
            with kernel(place, f"notebooks/{path.name}") as used:
                found[path.stem[:2]] = measured(path, used)
            print(path.stem, found[path.stem[:2]], flush=True)
    Path(results).write_text(json.dumps(found))
