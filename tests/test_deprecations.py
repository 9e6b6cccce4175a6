"""Warnings that our own code uses what is about to go fail the tests; those about other people's code do not."""

from __future__ import annotations

import warnings

import pytest
from nbformat.v4 import new_output

from tools.proofs.outputs import outdated

OLD = "import warnings; warnings.warn('old', {category})"


def warn_from(module: str, category: str) -> None:
    """Warn as if a line of ``module`` did."""
    exec(compile(OLD.format(category=category), module, "exec"), {"__name__": module})


@pytest.mark.parametrize("category", ["DeprecationWarning", "FutureWarning"])
@pytest.mark.parametrize(
    "module", ["vgg_lesson", "vgg_lesson.classroom.figures.data", "tools.site", "tests.test_models"]
)
def test_a_warning_about_our_own_code_is_an_error(module: str, category: str) -> None:
    with pytest.raises(Warning, match="old"):
        warn_from(module, category)


@pytest.mark.parametrize("category", ["DeprecationWarning", "FutureWarning"])
def test_a_warning_about_other_code_is_none(category: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warn_from("torch.nn", category)
    assert [str(warning.message) for warning in caught] == ["old"]


def stderr(text: str) -> list[str]:
    """What is found in a cell that wrote ``text`` to stderr."""
    return outdated([new_output("stream", name="stderr", text=text)])


def test_what_a_cell_warns_of_is_found() -> None:
    cell = "/tmp/ipykernel_12/3456.py:2: DeprecationWarning: old\n  call()\n"
    ours = "/home/me/vgg_lesson/models.py:10: FutureWarning: old\n  call()\n"
    theirs = "/site-packages/torch/nn/functional.py:10: FutureWarning: old\n  call()\n"
    other = "/tmp/ipykernel_12/3456.py:2: UserWarning: no network\n"
    assert stderr(cell + theirs + other) == [cell.splitlines()[0]]
    assert stderr(ours) == [ours.splitlines()[0]]
    assert stderr(theirs + other) == []
    assert outdated([new_output("stream", name="stdout", text=cell)]) == []
