"""A few damaged files for everything that reads one; ``python -m tools.proofs fuzz`` tries a hundred thousand."""

from __future__ import annotations

import pytest

from tests.fuzzing import READERS, run

FEW = 60
# Its readers have no way to refuse: grading gives a verdict on whatever was printed.
NEVER_REFUSES = {"answers"}


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_read_or_refused_by_name(name: str) -> None:
    read, refused = run(name, FEW)
    assert read + refused >= FEW // 2
    assert refused or name in NEVER_REFUSES
