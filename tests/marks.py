"""Marks that several files of tests put on a test."""

from __future__ import annotations

import os

import pytest

long = pytest.mark.skipif("VGG_LESSON_PROOFS" not in os.environ, reason="takes long; VGG_LESSON_PROOFS=1 runs it")
