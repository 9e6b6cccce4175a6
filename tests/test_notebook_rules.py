"""Every rule can fail: a small notebook that keeps them all, and for each rule ways to break it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from tests import notebook_rules as rules
from tests.prose_rules import PROSE_RULES
from tools.refresh import METADATA

TITLE = """# Why count?

You will know what a layer costs.

| | |
|---|---|
| **You will do** | count |
| **You will be able to** | count again |
| **You need** | nothing |
| **Minutes** | 10 in class, 15 alone |

[start](00_start_here.ipynb) · [next](02_next.ipynb)
"""
SOLUTION = """<details><summary>Solution</summary>

Two and two.

```python
answer = 4
check.sum(answer)
```

</details>"""
PICTURE = new_output(
    "display_data",
    {"image/png": "iVBORw0KGgo=", "text/plain": "Figure: x"},
    metadata={"image/png": {"alt": "A bar chart of which fc6 is the longest bar."}},
)
Break = Callable[[NotebookNode], object]


def code(source: str, *tags: str, text: str = "4") -> NotebookNode:
    """An executed code cell with a text output."""
    outputs = [new_output("execute_result", {"text/plain": text})] if text else []
    return new_code_cell(source, metadata={"tags": list(tags)} if tags else {}, outputs=outputs)


def exercise(number: int) -> list[NotebookNode]:
    """Heading, stub and solution of one exercise."""
    heading = new_markdown_cell(f"### Exercise 1.{number} (core): add\n\nHow much is two and two?")
    return [heading, code("answer = ...\ncheck.sum(answer)", "exercise"), new_markdown_cell(SOLUTION)]


def good(folder: Path) -> rules.Notebook:
    """A notebook that keeps every rule."""
    for stem in ("00_start_here", "01_count", "02_next"):
        (folder / f"{stem}.ipynb").touch()
    node = nbformat.v4.new_notebook(metadata=METADATA, cells=[
        new_markdown_cell(TITLE),
        code("from math import log", "setup", text=""),
        code("banner()", "nbval-ignore-output", text="budget     class\ndata  60,000 training and 10,000 test images"),
        new_markdown_cell("## A guess\n\n" + "word " * 1300),
        code('check.guess("sum", ...)', text="Noted."),
        new_markdown_cell("The picture shows a bar."),
        code("draw()", "nbval-ignore-output"),
        code("assert log(1) == 0", text=""),
        new_markdown_cell("It was 128,806,154<!--=post.params-->."),
        *exercise(1), *exercise(2), *exercise(3),
        new_markdown_cell("## What you can say now\n\nOne. Two. Three.\n\n[next](02_next.ipynb)"),
    ])  # fmt: skip
    node.nbformat_minor = 5
    for number, cell in enumerate([cell for cell in node.cells if cell.cell_type == "code"], 1):
        cell.execution_count = number
    node.cells[6].outputs = [nbformat.from_dict(PICTURE)]
    return rules.Notebook(folder / "01_count.ipynb", node, ["00_start_here", "01_count", "02_next"])


def source(index: int, text: str, *, append: bool = False) -> Break:
    """Replace a cell's source, or add to it."""

    def change(node: NotebookNode) -> None:
        node.cells[index].source = (node.cells[index].source if append else "") + text

    return change


def edit(index: int, old: str, new: str) -> Break:
    """Replace a piece of a cell's source."""

    def change(node: NotebookNode) -> None:
        assert old in node.cells[index].source
        node.cells[index].source = node.cells[index].source.replace(old, new)

    return change


def tagged(index: int, *tags: str) -> Break:
    """Give a cell these tags only."""
    return lambda node: node.cells[index].metadata.update(tags=list(tags))


def printed(text: str) -> Break:
    """Let the second code cell print something."""
    return lambda node: node.cells[2].outputs.append(new_output("stream", text=text))


BROKEN: list[tuple[Callable[[rules.Notebook], object], Break]] = [
    (rules.title, edit(0, "# Why", "Why")),
    (rules.title, edit(0, "You will know what a layer costs.\n\n", "")),
    (rules.title, edit(0, "**You need**", "You want")),
    (rules.title, edit(0, ", 15 alone", "")),
    (rules.neighbours, edit(0, "02_next", "03_next")),
    (rules.neighbours, edit(0, "00_start_here", "00_start")),
    (rules.neighbours, edit(-1, "02_next", "00_start_here")),
    (rules.setup, tagged(1)),
    (rules.setup, source(1, "x = 1")),
    (rules.setup, tagged(2)),
    (rules.setup, lambda node: node.cells[2].outputs[0].data.update(
        {"text/plain": "budget full\n60,000 training and 10,000 test"})),
    (rules.setup, lambda node: node.cells[2].outputs[0].data.update(
        {"text/plain": "budget class\n8,000 training and 2,000 test"})),
    (rules.ending, edit(-1, "## What you can say now", "## The end")),
    (rules.ending, edit(-1, "One. Two. Three.", "One. Two.")),
    (rules.ending, edit(-1, "One. Two. Three.", "One. Two. Three. Four. Five. Six.")),
    (rules.exercise_cells, tagged(10)),
    (rules.exercise_cells, source(10, "answer = 4\ncheck.sum(answer)")),
    (rules.exercise_cells, source(10, "answer = ...")),
    (rules.exercise_cells, edit(11, "check.sum", "check.product")),
    (rules.exercise_cells, edit(11, "Solution", "Answer")),
    (rules.exercise_cells, edit(9, "Exercise 1.1 (core)", "Exercise")),
    (rules.exercise_cells, edit(9, "(core)", "(go further)")),
    (rules.exercise_cells, lambda node: node.cells.__delitem__(slice(9, 12))),
    (rules.predictions, source(4, "x = 1")),
    (rules.predictions, source(7, "\nmy_guess = 1", append=True)),
    (rules.lengths, source(7, "assert True\n" * 16)),
    (rules.lengths, lambda node: [source(i, "x = 1\n" * 9)(node) for i in (1, 2, 4, 6, 7)]),
    (rules.lengths, lambda node: node.cells.extend(new_markdown_cell("more") for _ in range(20))),
    (rules.lengths, edit(3, "word " * 500, "")),
    (rules.lengths, source(3, "word " * 900, append=True)),
    (rules.training, source(7, "fit(network, train, steps=3)\nassert True")),
    (rules.training, source(7, "network = other\nassert fit(network, train, steps=3)")),
    (rules.training, source(7, "history = train_plain(network, train)\nassert history")),
    (rules.training, source(7, "def trial(network):\n    return fit(model=network, train=train)\nassert trial")),
    (rules.code_style, source(1, "from matplotlib import pyplot")),
    (rules.code_style, source(6, "draw();")),
    (rules.executed, lambda node: node.cells[4].update(execution_count=None)),
    (rules.executed, lambda node: node.cells[4].update(execution_count=9)),
    (rules.executed, lambda node: node.cells[4].outputs.append(new_output("error", ename="E", traceback=[]))),
    (rules.executed, lambda node: node.cells[4].update(outputs=[])),
    (rules.executed, source(7, "check.sum()")),
    (rules.executed, source(7, "fig.bars([1, 2])")),
    (rules.executed, source(7, "print(1)")),
    (rules.clean, printed("data in /home/me/data")),
    (rules.clean, printed("wrote /tmp/x.png")),
    (rules.clean, printed("<Thing object at 0x7f12aabb>")),
    (rules.clean, lambda node: node.metadata.update(widgets={})),
    (rules.clean, lambda node: node.cells[4].metadata.update(execution={"started": "now"})),
    (rules.clean, lambda node: node.cells[4].update(id=node.cells[5].id)),
    (rules.clean, source(4, "x" * 1_000_001)),
    (rules.comparison, tagged(4, "nbval-skip")),
    (rules.comparison, source(4, "# NBVAL_SKIP\nx = 1")),
    (rules.comparison, lambda node: [tagged(i, "exercise", "nbval-ignore-output")(node) for i in (10, 13, 16)]),
    (rules.comparison, source(7, "pass")),
    (rules.figures, lambda node: node.cells[6].outputs[0].metadata["image/png"].update(alt="fc6.png")),
    (rules.figures, lambda node: node.cells[6].outputs[0].update(metadata={})),
    (rules.figures, lambda node: node.cells[6].outputs[0].metadata["image/png"].update(
        alt="No description has been provided for this image")),
    (rules.figures, lambda node: node.cells.insert(6, code("x = 1", text=""))),
    (rules.prose, edit(8, "128,806,154", "128,806,155")),
]  # fmt: skip

BAD_PROSE = {
    "numbers": [
        "It has 12345 weights.", "It takes 45% of them.", "It is 3 times as slow.", "It is 5.2× faster.",
        "It has `4096` units.", "It has 1<!--=post.params--> weights.", "It has 1<!--=post.parms--> weights.",
        "many<!--=post.params-->", "# All 128,806,154<!--=post.params-->",
    ],
    "links": ["[x](missing.ipynb)", "[x](other.md#nowhere)", "[x](#nowhere)", "![a fine picture](gone.png)",
              "[x]: missing.md", '<a href="missing.md">x</a>'],
    "alt_text": ["![](here.png)", "![vgg11.png](here.png)", '<img src="here.png">'],
    "wording": ["Simply run it.", "Note that it runs.", "It leverages depth.", "As we can see, it runs."],
}  # fmt: skip
GOOD_PROSE = """# Where it goes

In 2014, ILSVRC-2014 and arXiv:1409.1556; torch 2.14.1; 3×3 and 224×224; `nn.Linear(25088, 4096)`; $12345$.
It has 128,806,154<!--=post.params--> weights, 92.8%<!--=post.fc_share:.1%--> of them in `4096`<!--=paper.hidden:d-->
units; see [here](#where-it-goes), [there](other.md#a-heading) or [far away](https://example.org/12345).

```python
simply = 12345
```

![A drawing of the network](here.png)
"""


def test_a_good_notebook_passes(tmp_path: Path) -> None:
    assert {rule.__name__: list(rule(good(tmp_path))) for rule in rules.RULES} == {r.__name__: [] for r in rules.RULES}


@pytest.mark.parametrize(("rule", "breaks"), BROKEN, ids=[f"{r.__name__}-{i}" for i, (r, _) in enumerate(BROKEN)])
def test_a_broken_notebook_fails(tmp_path: Path, rule: Callable, breaks: Break) -> None:
    notebook = good(tmp_path)
    breaks(notebook.node)
    assert list(rule(rules.Notebook(notebook.path, notebook.node, notebook.series)))


@pytest.mark.parametrize("cell", [
    "history = fit(class_vgg(), train, steps=3)",
    "a, b = fresh('he'), fresh('pytorch')\nfit(a, train)\nfit(b, train)",
    "def trial():\n    model = build_vgg()\n    return fit(model, train)",
    "def train_plain(model, data):\n    return model(data)",
    "%env VGG_LESSON_BUDGET=full",
])  # fmt: skip
def test_cells_that_may_stand(tmp_path: Path, cell: str) -> None:
    notebook = good(tmp_path)
    source(7, cell)(notebook.node)
    assert list(rules.training(notebook)) == list(rules.executed(notebook)) == []


def test_every_rule_is_seen_to_fail() -> None:
    assert {rule for rule, _ in BROKEN} == set(rules.RULES)
    assert {rule.__name__ for rule in PROSE_RULES} == set(BAD_PROSE)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD_PROSE.items() for text in texts])
def test_bad_prose_fails(tmp_path: Path, name: str, text: str) -> None:
    rule = next(rule for rule in PROSE_RULES if rule.__name__ == name)
    assert list(rule(text, _page(tmp_path)))


@pytest.mark.parametrize("rule", PROSE_RULES, ids=lambda rule: rule.__name__)
def test_good_prose_passes(tmp_path: Path, rule: Callable) -> None:
    assert list(rule(GOOD_PROSE, _page(tmp_path))) == []


def _page(folder: Path) -> Path:
    (folder / "other.md").write_text("# A heading\n")
    (folder / "here.png").touch()
    return folder / "page.md"
