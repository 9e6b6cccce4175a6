"""What a student has answered so far, as a small table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html import escape

from vgg_lesson.classroom.checks.memory import Entry
from vgg_lesson.classroom.checks.shared import Status
from vgg_lesson.classroom.checks.titles import TITLES

SIGNS: dict[Status, str] = {"right": "✔ right", "wrong": "✘ not yet", "not answered yet": "… open"}


def status_of(entry: Entry) -> Status:
    """What came of an exercise: right once is right for good."""
    if entry.right:
        return "right"
    return "wrong" if entry.tries else "not answered yet"


def _titled(name: str) -> tuple[str, str]:
    return TITLES.get(name, ("guess", name.replace("guess", "").strip("_").replace("_", " ")))


def _tried(entry: Entry) -> str:
    times = len(entry.tries)
    return f", {times} different answers" if times > 1 else ""


class Overview:
    """How many exercises of each notebook are right, not yet right and open."""

    def __init__(self, topics: Mapping[str, Progress]):
        self.rows = [(topic, progress.count()) for topic, progress in topics.items()]

    def __repr__(self) -> str:
        width = max(len(topic) for topic, _ in self.rows)
        return "\n".join(f"{topic:<{width}}  {_in_words(count)}" for topic, count in self.rows)

    def _repr_html_(self) -> str:
        cells = "".join(
            f'<tr><td style="text-align:left"><code>{escape(topic)}</code></td>'
            f'<td style="text-align:left">{_in_words(count)}</td></tr>'
            for topic, count in self.rows
        )
        return f"<table><caption>the whole series</caption><tbody>{cells}</tbody></table>"


class Progress:
    """Number, title, verdict and tries of each exercise; shown as a table in a notebook, as text elsewhere."""

    def __init__(self, entries: Mapping[str, Entry]):
        self.rows: list[tuple[str, Status]] = [(name, status_of(entry)) for name, entry in entries.items()]
        self._shown = [(*_titled(name), f"{SIGNS[status_of(e)]}{_tried(e)}") for name, e in entries.items()]

    def __repr__(self) -> str:
        width = max((len(title) for _, title, _ in self._shown), default=0)
        rows = [f"  {number:<8}  {title:<{width}}  {said}" for number, title, said in self._shown]
        return "\n".join([self._summary(), *rows])

    def _repr_html_(self) -> str:
        left = 'style="text-align:left"'
        head = "".join(f'<th scope="col" {left}>{name}</th>' for name in ("exercise", "title", "so far"))
        rows = ("".join(f"<td {left}>{escape(part)}</td>" for part in row) for row in self._shown)
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table><caption>{self._summary()}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _summary(self) -> str:
        return _in_words(self.count())

    def count(self) -> Counter[Status]:
        """How many exercises have each status."""
        return Counter(status for _, status in self.rows)


def _in_words(count: Counter[Status]) -> str:
    return f"{count['right']} of {count.total()} right, {count['wrong']} not yet, {count['not answered yet']} open"
