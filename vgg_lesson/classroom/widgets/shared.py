"""What a view is: labelled controls over a plain function, pictures updated in place, one sentence without widgets.

ipywidgets is imported only when a view is shown, so that a notebook without it still runs: the view is then its
sentence, and the static picture above it teaches on.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from types import ModuleType
from typing import Any

from vgg_lesson.support.style import LessonFigure

Part = LessonFigure | str
PAUSE = 0.03  # seconds in which further changes join the one that waits
CONTROL_WIDTH, LABEL_WIDTH, PICTURE_WIDTH = "24em", "8em", "1000px"
NEEDS = "it needs a running kernel and ipywidgets"


def toolkit() -> ModuleType | None:
    """ipywidgets, or None where it cannot be imported or is older than 8, whose widgets a cell shows otherwise."""
    try:
        import ipywidgets
    except Exception:  # beside packages that do not fit, its import may fail in any way
        return None
    return ipywidgets if hasattr(ipywidgets.VBox, "_repr_mimebundle_") else None


class LessonView:
    """An interactive view as the output of a cell; its text is the same sentence on every machine.

    ``name`` is what the view is called. ``build`` makes its `Panel`; it is called when the view is first shown or its
    ``panel`` is first asked for, and only where ipywidgets is there. ``needs`` says what the view needs.
    """

    def __init__(self, name: str, build: Callable[[], Panel], needs: str = NEEDS):
        self.name, self.needs, self._build = name, needs, build

    @cached_property
    def panel(self) -> Panel:
        """The controls and what they show; ImportError without ipywidgets."""
        panel = self._build()
        panel.refresh()
        return panel

    def __repr__(self) -> str:
        return f"{self.name}, a view to play with: {self.needs}; the picture above shows one of its settings."

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        if toolkit() is None:
            return {"text/plain": repr(self)}
        return {**self.panel.box._repr_mimebundle_(), "text/plain": repr(self)}


class Panel:
    """Controls, a line for what went wrong, and below them pictures and texts that change in place.

    Args:
        controls: widgets with a ``value`` by the name that ``compute`` knows them under; see `menu`, `slider`,
            `number` and `switch`.
        compute: called with all values by name after a change. It yields figures and HTML, the quick parts first;
            its n-th part always goes to the n-th place.
        order: the places from top to bottom, such as (0, 2, 1); as they come if empty.
        adjust: called with the controls before ``compute``, to fit the range of one control to another's value.

    An exception in either becomes one sentence in the panel. Changes that come while one waits are shown together.
    """

    def __init__(
        self,
        controls: Mapping[str, Any],
        compute: Callable[..., Iterable[Part]],
        adjust: Callable[[Mapping[str, Any]], None] = lambda controls: None,
        *,
        order: Sequence[int] = (),
    ):
        self.controls, self._compute, self._adjust = dict(controls), compute, adjust
        self._places: list[Any] = []
        self._order = order
        self._waiting: asyncio.TimerHandle | None = None
        self._busy = False
        self.error = ""
        kit = _kit()
        self._status = kit.HTML()
        self._below = kit.VBox()
        columns = kit.Layout(grid_template_columns=f"repeat(auto-fill, {CONTROL_WIDTH})", grid_gap="2px 12px")
        self.box = kit.VBox([kit.GridBox([*self.controls.values()], layout=columns), self._status, self._below])
        for control in self.controls.values():
            control.observe(self._changed, names="value")

    @property
    def values(self) -> dict[str, Any]:
        """What every control is set to."""
        return {name: control.value for name, control in self.controls.items()}

    @property
    def pictures(self) -> list[bytes]:
        """The PNGs now shown, from top to bottom."""
        return [place.png for place in self._places if isinstance(place, _Picture)]

    @property
    def texts(self) -> list[str]:
        """The HTML now shown, from top to bottom; a picture's text alternative is not among it."""
        return [place.box.value for place in self._places if isinstance(place, _Text)]

    def refresh(self) -> None:
        """Compute and show everything for the values that the controls have now."""
        self._waiting = None
        if self._fitted():
            with self._excused():
                for number, part in enumerate(self._compute(**self.values)):
                    self.show(number, part)
                self.say("")

    def show(self, number: int, part: Part) -> None:
        """Put a figure or HTML in place ``number``, counted from 0; a new place must be the next one."""
        kind = _Picture if isinstance(part, LessonFigure) else _Text
        if number == len(self._places):
            self._places.append(kind())
            there = [place for place in self._order if place <= number] or range(number + 1)
            self._below.children = [self._places[place].box for place in there]
        self._places[number].show(part)

    def say(self, sentence: str) -> None:
        """Say what went wrong, in place of the pictures, which would answer another question; "" takes it back."""
        self.error = sentence
        self._status.value = f'<p role="alert"><b>{html.escape(sentence)}</b></p>' if sentence else ""
        self._below.layout.visibility = "hidden" if sentence else "visible"

    def _changed(self, _: Any) -> None:
        if self._busy or not self._fitted() or self._waiting is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # outside a kernel there is nothing to wait for
            self.refresh()
        else:
            self._waiting = loop.call_later(PAUSE, self.refresh)

    def _fitted(self) -> bool:
        """Whether the controls could be fitted to one another."""
        with self._excused():
            self._adjust(self.controls)
            return True
        return False

    @contextmanager
    def _excused(self) -> Iterator[None]:
        """Changes that are made inside start nothing, and an exception becomes a sentence."""
        self._busy = True
        try:
            yield
        except Exception as error:
            self.say(f"This setting does not work: {str(error) or type(error).__name__}")
        finally:
            self._busy = False


class _Picture:
    """A PNG and, below it, its text alternative: ipywidgets' image has no alt of its own, but a tooltip."""

    def __init__(self) -> None:
        from traitlets import Unicode  # comes with ipywidgets, and like it may be missing

        kit = _kit()
        self._image = kit.Image(format="png", layout=kit.Layout(width="100%", max_width=PICTURE_WIDTH))
        # JupyterLab reads the length of a description before it sets a tooltip, and fails if there is none.
        self._image.add_traits(description=Unicode("").tag(sync=True))
        self._words = kit.HTML(layout=kit.Layout(width="100%", max_width=PICTURE_WIDTH))
        self.box = kit.VBox([self._image, self._words])

    @property
    def png(self) -> bytes:
        return bytes(self._image.value)

    def show(self, figure: LessonFigure) -> None:
        self._image.value, self._image.tooltip = figure.png(), figure.alt
        self._words.value = f'<p aria-live="polite">{html.escape(figure.alt)}</p>'


class _Text:
    """HTML that the views themselves write; nothing typed by a user gets in unescaped."""

    def __init__(self) -> None:
        kit = _kit()
        self.box = kit.HTML(layout=kit.Layout(width="100%", max_width=PICTURE_WIDTH, overflow="auto"))

    def show(self, text: str) -> None:
        self.box.value = text


def menu(label: str, options: Sequence[Any] | Sequence[tuple[str, Any]], value: Any, tip: str = "") -> Any:
    """A drop-down list of ``options``, values or (words, value) pairs."""
    return _kit().Dropdown(options=options, value=value, **_labelled(label, tip))


def slider(label: str, low: int, high: int, value: int, tip: str = "", step: int = 1) -> Any:
    """Whole numbers from ``low`` to ``high``; it answers when it is let go."""
    return _kit().IntSlider(value=value, min=low, max=high, step=step, continuous_update=False, **_labelled(label, tip))


def interval(label: str, low: int, high: int, tip: str = "") -> Any:
    """A slider with two handles, for a smallest and a largest whole number; at first all from ``low`` to ``high``."""
    return _kit().IntRangeSlider(
        value=(low, high), min=low, max=high, continuous_update=False, **_labelled(label, tip)
    )  # fmt: skip


def choice(label: str, options: Sequence[Any] | Sequence[tuple[str, Any]], value: Any, tip: str = "") -> Any:
    """A slider over ``options`` in their order, values or (words, value) pairs; it answers when it is let go."""
    return _kit().SelectionSlider(options=options, value=value, continuous_update=False, **_labelled(label, tip))


def number(label: str, low: int, high: int, value: int, tip: str = "") -> Any:
    """A field for a whole number from ``low`` to ``high``; what lies outside is moved to the nearest end."""
    return _kit().BoundedIntText(value=value, min=low, max=high, continuous_update=False, **_labelled(label, tip))


def switch(label: str, value: bool, tip: str = "") -> Any:
    """A box to tick."""
    return _kit().Checkbox(value=value, indent=True, **_labelled(label, tip))


def _labelled(label: str, tip: str) -> dict[str, Any]:
    return {
        "description": label, "tooltip": tip or label, "style": {"description_width": LABEL_WIDTH},
        "layout": {"width": CONTROL_WIDTH},
    }  # fmt: skip


def _kit() -> ModuleType:
    kit = toolkit()
    if kit is None:
        raise ImportError("ipywidgets is missing; `python -m pip install ipywidgets`, then restart the kernel")
    return kit
