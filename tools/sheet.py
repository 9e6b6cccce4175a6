"""A sheet of paper for matplotlib: places in inches from the top left, black on white, every text in a named panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.text import Text

A4 = (210 / 25.4, 297 / 25.4)  # inches
SMALLEST = 7.0  # points; less is not read in print
PALE, MIDDLE, DARK = "0.90", "0.72", "0.35"


@dataclass(frozen=True)
class Panel:
    """A part of the sheet, in inches from its top left corner, that its texts may not leave."""

    name: str
    left: float
    top: float
    width: float
    height: float


@dataclass
class Sheet:
    """One page. ``panels`` by name; `texts` knows for each text the panel it belongs to."""

    size: tuple[float, float] = A4
    panels: dict[str, Panel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.figure = Figure(figsize=self.size, facecolor="white")
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, self.size[0]), ylim=(self.size[1], 0))
        self.axes.set_axis_off()

    @property
    def texts(self) -> list[tuple[Text, Panel]]:
        """Every text on the sheet with its panel."""
        return [(text, self.panels[str(text.get_gid())]) for text in self.axes.texts]

    def panel(self, name: str, left: float, top: float, width: float, height: float, title: str = "") -> Panel:
        """A new part of the sheet, with a title on a rule if it has one."""
        panel = self.panels[name] = Panel(name, left, top, width, height)
        if title:
            self.write(panel, 0, 0.09, title, size=9.5, weight="bold")
            self.rule(left, top + 0.19, width, 0.8)
        return panel

    def write(self, panel: Panel, x: float, y: float, words: str, *, size: float = 8, **options: Any) -> None:
        """Text in a panel, ``x`` and ``y`` in inches from its top left corner, ``y`` being the middle of the line."""
        options = {"va": "center", "ha": "left", "color": "black"} | options
        place = (panel.left + x, panel.top + y)
        self.axes.text(*place, words, size=max(size, SMALLEST), gid=panel.name, **options)

    def rule(self, left: float, y: float, width: float, thickness: float = 0.5) -> None:
        """A horizontal line."""
        self.axes.plot((left, left + width), (y, y), color="black", linewidth=thickness, solid_capstyle="butt")

    def box(self, left: float, top: float, width: float, height: float, shade: str, **options: Any) -> None:
        """A filled rectangle behind the text."""
        self.axes.add_patch(Rectangle((left, top), width, height, facecolor=shade, **({"zorder": 0} | options)))

    def shape(self, corners: Sequence[tuple[float, float]], shade: str, **options: Any) -> None:
        """A filled polygon with a thin black edge."""
        style: Any = {"edgecolor": "black", "linewidth": 0.6, "joinstyle": "round", "zorder": 1} | options
        self.axes.add_patch(Polygon(corners, facecolor=shade, **style))

    def table(
        self, panel: Panel, top: float, columns: Sequence[tuple[str, float, str]], rows: Sequence[Sequence[str]],
        *, step: float = 0.158, size: float = 7.6, last_bold: bool = False,
    ) -> float:  # fmt: skip
        """Rows under a head; a column is (head, inches from the panel's left, alignment). Returns where it ends."""
        for head, x, side in columns:
            self.write(panel, x, top, head, size=size, weight="bold", ha=side)
        self.rule(panel.left, panel.top + top + step / 2, panel.width, 0.5)
        for number, row in enumerate(rows, 1):
            bold = last_bold and number == len(rows)
            for (_, x, side), cell in zip(columns, row, strict=True):
                weight = "bold" if bold else "normal"
                self.write(panel, x, top + number * step, cell, size=size, ha=side, weight=weight)
        return top + (len(rows) + 0.5) * step
