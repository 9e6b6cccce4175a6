"""The odd settings of ``python -m tools.proofs world``: there are enough, a miss is seen, the quick ones are tried."""

from __future__ import annotations

from collections import Counter

import pytest

from tools.proofs.world import FEWEST, Outcome, environment, judged, tried_once
from tools.proofs.world_settings import SETTINGS, Setting

QUICK = [setting for setting in SETTINGS if setting.quick]


def test_there_are_enough_settings_and_none_twice() -> None:
    assert len(SETTINGS) >= FEWEST
    assert max(Counter((setting.kind, setting.name) for setting in SETTINGS).values()) == 1
    assert max(Counter((setting.script, str(setting.variables)) for setting in SETTINGS).values()) == 1


@pytest.mark.parametrize(
    ("setting", "status", "said", "wrong"),
    [
        (Setting("kind", "name", "", "done"), 0, "all done", ""),
        (Setting("kind", "name", "", "done"), 1, "all done", "exit status 1"),
        (Setting("kind", "name", "", "done"), 0, "nothing", "does not say"),
        (Setting("kind", "name", "", "full", works=False), 1, "it is full", ""),
        (Setting("kind", "name", "", "full", works=False), 0, "it is full", "exit status 0"),
        (Setting("kind", "name", "", "", works=False), 1, "Traceback (most recent call last)", "a traceback"),
    ],
)
def test_a_miss_is_seen(setting: Setting, status: int, said: str, wrong: str) -> None:
    found = judged(setting, status, said)
    assert (wrong in found) if wrong else not found


def test_a_setting_changes_nothing_but_what_it_says(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("VGG_LESSON_DATA", "/elsewhere")
    monkeypatch.setenv("LC_ALL", "C")
    found = environment(Setting("kind", "name", "", variables={"HOME": "{here}/x"}), tmp_path)  # type: ignore[arg-type]
    assert found["HOME"] == f"{tmp_path}/x" and "LC_ALL" not in found and "sample" in found["VGG_LESSON_DATA"]


@pytest.mark.parametrize("setting", QUICK, ids=lambda setting: f"{setting.kind}: {setting.name}")
def test_the_quick_settings_do_what_is_expected(setting: Setting) -> None:
    outcome = tried_once(setting)
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    assert outcome == Outcome(setting)
