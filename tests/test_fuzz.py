"""A few damaged files for everything that reads one; ``python -m tools.proofs fuzz`` tries a hundred thousand."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbformat.v4 import new_output

from tests import fuzzing
from tests.fuzzing import READERS, run
from tools.grading import handed_in

FEW = 60
# Nothing is refused there: grading gives a verdict on whatever was printed, and a copy leaves what it cannot read.
NEVER_REFUSES = {"answers", "notebooks"}


def test_the_whole_files_are_read() -> None:
    assert handed_in([new_output("stream", name="stdout", text=fuzzing.answers()[0].decode())])
    assert fuzzing.card()["settings"]["num_classes"] == 2
    for content in fuzzing.pictures():
        fuzzing.read_picture(Path(), content)


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused_by_name(name: str) -> None:
    read, refused = run(name, FEW)
    assert read + refused >= FEW // 2
    assert refused or name in NEVER_REFUSES
