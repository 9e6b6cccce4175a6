"""What the environment says, read in one way: switches, numbers and words, with blanks and in any case."""

from __future__ import annotations

import os

YES, NO = ("yes", "true", "on", "1", "y", "t"), ("no", "false", "off", "0", "n", "f")
ACCEPTED = "yes or no, true or false, on or off, 1 or 0"


def word_from(variable: str) -> str:
    """What the variable says, in small letters and without blanks around; "" if it is not set."""
    return os.environ.get(variable, "").strip().strip("\"'").strip().lower()


def switch_from(variable: str) -> bool:
    """Whether the variable is switched on; a variable that is not set, or empty, is off.

    Raises:
        ValueError: it says neither yes nor no.
    """
    word = word_from(variable)
    if word and word not in YES + NO:
        raise ValueError(f"{variable}={os.environ[variable]!r} is no switch; {ACCEPTED} is expected")
    return word in YES


def count_from(variable: str, default: int) -> int:
    """The whole number of at least 0 that the variable holds; ``default`` if it is not set, or empty.

    Raises:
        ValueError: it holds something else.
    """
    word = word_from(variable)
    if not word:
        return default
    if not (word.isascii() and word.isdecimal()):
        raise ValueError(f"{variable}={os.environ[variable]!r} is no count; a whole number such as 2 is expected")
    return int(word)
