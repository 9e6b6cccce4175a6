"""Two printed pages: one for the door, with the architecture, the symbols and room for guesses, and one for the end.

``python -m tools handout`` writes ``build/door.pdf`` and ``build/end.pdf`` from one page of HTML and CSS, printed by
Chromium. No answer stands on the page for the door; every figure on the page for the end is counted by the package or
read from a log.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tools import pages
from tools.deck import HEADING, OPTION
from tools.paths import ROOT, notebooks
from vgg_lesson.arithmetic import LayerRow, LayerTrace, memory, trace
from vgg_lesson.configs import CLASS_NETWORK, CONFIGS
from vgg_lesson.records.published import published
from vgg_lesson.support.files import write_atomically

FOLDER = ROOT / "build"
PAGES = ("door", "end")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "msedge")
SECONDS = 120
HALF_DAY = ("02", "03", "05", "07")
SYMBOLS = (
    ("s", "side of a picture or of a grid, in pixels or cells"),
    ("k, p, t", "window of a convolution or pool, padding, stride"),
    ("C_in, C_out", "channels that a layer reads, and that it writes"),
    ("3×3, 64", "a convolution with 64 filters, each 3 cells wide"),
    ("K", "number of classes"),
    ("MAC", "one multiplication and one addition"),
    ("fan_in", "numbers that go into one output of a layer"),
    ("Var(w), std(w)", "variance of the weights, and its root"),
    ("ReLU", "max(0, x)"),
    ("loss", "minus the logarithm of the true class's probability"),
)
SHOWN = ("VGG-11", "VGG-13", "VGG-16", "VGG-19")
GREY_TEN: Any = {"in_channels": 1, "num_classes": 10}
FORMULAS = (
    (
        "side of the output",
        r"$\left\lfloor (s + 2p - k)\,/\,t \right\rfloor + 1$",
        "size s, padding p, kernel k, stride t",
    ),
    (
        "receptive field",
        r"$r \leftarrow r + (k-1)\,j,\quad j \leftarrow j\,t$",
        "first r, then jump j; both start at 1",
    ),
    ("parameters, convolution", r"$(k\,k\,C_{in} + 1)\,C_{out}$", "the picture's size does not enter"),
    ("parameters, linear", r"$(\mathrm{in} + 1)\,\mathrm{out}$", "here it does: in = channels · side²"),
    ("multiplications, convolution", r"$k\,k\,C_{in}\,C_{out}\,s^2$", "no biases; one MAC = two operations"),
    ("three 3×3 or one 7×7", r"$27\,C^2 < 49\,C^2$", "same 7×7 patch, three ReLUs, three maps to keep"),
    ("loss of even guessing", r"$-\ln(1/K) = \ln K$", "{ln10:.4f} for 10 classes, {ln1000:.4f} for 1000"),
    (
        "what a layer with ReLU keeps",
        r"$\frac{1}{2}\,\mathrm{fan}_{in}\,\mathrm{Var}(w)$",
        "of the variance; PyTorch's default: 1/6",
    ),
    (
        "He's initialisation",
        r"$\mathrm{std}(w) = \sqrt{2\,/\,\mathrm{fan}_{in}}$",
        "keeps all of it; fan_in = k·k·C_in",
    ),
    ("error of an accuracy", r"$\sqrt{p\,(1-p)\,/\,n}$", "p = 0.9, n = 10,000: {error:.1%}"),
)
LOG = (
    (
        "loss stands at {ln10:.3f} from the first step",
        "guesses evenly, whatever the picture",
        "compare two pictures' scores; He, batch norm",
    ),
    (
        "loss becomes nan, or jumps up and stays",
        "steps too long for the weights",
        "a tenth of the rate; a schedule that warms up",
    ),
    ("training falls, validation rises again", "it memorises", "augment; weight decay; keep the best epoch"),
    (
        "test better than training, same epoch",
        "training is a mean, taken with dropout",
        "evaluate both with the finished network",
    ),
    ("answers depend on the rest of the batch", "still in training mode", "model.eval() before you predict"),
    ("exactly one in ten right, ten classes", "one class for every picture", "list the classes that it ever names"),
)


def vgg11() -> LayerTrace:
    """The network of the handout: the paper's, for colour pictures and a thousand classes."""
    return trace("VGG-11")


def layer_rows(counted: LayerTrace) -> list[tuple[str, ...]]:
    """Layer, output, the parameters' formula, parameters, multiplications, receptive field; the total last."""
    rows = [
        (row.name, shape(row), pencil(row), figure(row.params), figure(row.macs), field(row)) for row in counted.rows
    ]
    total = f"{counted.config.weight_layers} layers with weights"
    return [*rows, ("total", "", total, figure(counted.total_params), figure(counted.total_macs), "")]


def family_rows() -> list[tuple[str, ...]]:
    """Network, convolutions per block, layers, parameters, 10⁹ multiplications, pixels seen, top-5 error in percent."""
    counted = [(name, trace(name)) for name in SHOWN]
    return [
        (
            name,
            " ".join(str(len(block)) for block in CONFIGS[name].blocks),
            f"{each.config.conv_layers} + 3",
            f"{each.total_params:,}",
            f"{each.total_macs / 1e9:.1f}",
            str(each.row("pool5").receptive_field),
            f"{published(error_key(CONFIGS[name].column)):.1f}",
        )
        for name, each in counted
    ]


def error_key(column: str) -> str:
    """The published top-5 error of a column of Table 1, at one scale of 256."""
    return f"paper_top5_error_{column}" + ("_256" if column in "CDE" else "")


def namesake_rows() -> list[tuple[str, ...]]:
    """The networks that share the name VGG-11: which, input, parameters, 10⁶ multiplications, in the head, memory."""
    named = {
        "the paper's": vgg11(),
        "the post's text": trace("VGG-11", **GREY_TEN),
        "the post's log": trace("VGG-11", **GREY_TEN, width=0.25),
        "ours in class": trace(**CLASS_NETWORK),
    }
    return [
        (
            name,
            shape(each.rows[0]),
            f"{each.total_params:,}",
            f"{each.total_macs / 1e6:,.0f}",
            f"{each.fc_params / each.total_params:.1%}",
            f"{memory(each, 128).total / 1e9:.2f}",
        )
        for name, each in named.items()
    ]


def formulas() -> list[tuple[str, str, str]]:
    """What, the formula in mathtext, a remark."""
    numbers = {"ln10": math.log(10), "ln1000": math.log(1000), "error": math.sqrt(0.9 * 0.1 / 10_000)}
    return [(what, formula, remark.format(**numbers)) for what, formula, remark in FORMULAS]


def log_rows() -> Sequence[tuple[str, ...]]:
    """What the log shows, what it means, what to try."""
    return [tuple(cell.format(ln10=math.log(10)) for cell in row) for row in LOG]


def shape(row: LayerRow) -> str:
    """64×224×224, or 4,096 once the grid is flattened."""
    return "×".join(map(str, row.output_shape)) if len(row.output_shape) > 1 else f"{row.output_shape[0]:,}"


def pencil(row: LayerRow) -> str:
    """The formula of the parameters without its result."""
    return row.formula.partition(" = ")[0]


def figure(number: int) -> str:
    """With thousands separators; nothing for zero."""
    return f"{number:,}" if number else ""


def field(row: LayerRow) -> str:
    """The receptive field and the jump, in pixels; nothing once the grid is flattened."""
    return "" if row.receptive_field is None else f"{row.receptive_field} / {row.jump}"


def blocks() -> list[tuple[str, str]]:
    """VGG-11 as the door shows it: the name of each part and what it is made of, without a size or a count."""
    found = [
        (f"block {number}", f"{len(block)} × {block[0].kernel}×{block[0].kernel}, {block[0].channels}; pool")
        for number, block in enumerate(CONFIGS["VGG-11"].blocks, 1)
    ]
    return [("picture", "3 channels"), *found, ("fc6", "4096"), ("fc7", "4096"), ("fc8", "K")]


def questions(numbers: Sequence[str] = HALF_DAY) -> list[tuple[str, str]]:
    """The sections of notebooks that ask for a letter, in order, one for each question: notebook and heading."""
    found = []
    for path in notebooks(numbers):
        section = ""
        for cell in nbformat.read(path, as_version=4).cells:
            parts = re.split(r"(?=^## )", cell.source, flags=re.MULTILINE)
            for part in parts if cell.cell_type == "markdown" else ():
                heading = HEADING.match(part)
                section = heading[2] if heading and len(heading[1]) == 2 else section
                found += [(path.stem[:2], section)] * bool(OPTION.search(part))
    return found


def html(page: str) -> str:
    """One of `PAGES` as HTML with everything it needs inside."""
    folder = FileSystemLoader(pages.ASSETS / "handout")
    environment = Environment(loader=folder, undefined=StrictUndefined, autoescape=True)
    environment.filters["math"] = lambda latex: pages.formula(latex.strip("$"))
    counted = vgg11()
    return environment.get_template("page.html.j2").render(
        page=page, style=pages.asset("handout/handout.css"), blocks=blocks(), symbols=SYMBOLS, questions=questions(),
        layers=layer_rows(counted), family=family_rows(), namesakes=namesake_rows(), formulas=formulas(),
        log=log_rows(),
    )  # fmt: skip


def write(folder: Path = FOLDER) -> list[Path]:
    """Write both pages as HTML and print them; returns the PDF files.

    Raises:
        RuntimeError: no browser is here, or it failed; the HTML is there to be printed by hand.
    """
    written = []
    for page in PAGES:
        source, target = folder / f"{page}.html", folder / f"{page}.pdf"
        write_atomically(source, html(page).encode())
        print_page(source, target)
        written.append(target)
    return written


def print_page(source: Path, target: Path) -> None:
    """Let the browser print a file; raises as `write`."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise RuntimeError(f"no browser here, none of {', '.join(BROWSERS)}; open {source} in yours and print it")
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [browser, "--headless", *root, "--no-pdf-header-footer", f"--print-to-pdf={target}", source.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode or not target.exists():
        raise RuntimeError(f"{browser} could not print {source}: {done.stderr[-300:]}")


def main(arguments: list[str]) -> int:
    """``python -m tools handout``"""
    argparse.ArgumentParser(prog="python -m tools handout", description=__doc__).parse_args(arguments)
    try:
        for path in write():
            print(f"wrote {pages.relative(path)}")
    except RuntimeError as error:
        print(error)
        return 1
    return 0
