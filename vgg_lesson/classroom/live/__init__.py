"""VGG, live: a page on which the network runs in the browser, put together as one file that needs nothing else."""

from __future__ import annotations

import base64
import html
import re
import tempfile
import webbrowser
from pathlib import Path
from typing import Annotated

from vgg_lesson.support.arguments import Limit, at_least, checked
from vgg_lesson.support.files import PACKAGE, write_atomically

FOLDER = PACKAGE / "classroom" / "live"
PARTS = ("see", "stall", "count")
PICTURE = "A boot on the left, the maps of all layers of a VGG in the middle, ten probabilities on the right."
Address = Annotated[
    str,
    Limit(
        lambda address: address.removeprefix("#").split("&")[0] in PARTS,
        f"{', '.join(PARTS)} or a copied address such as 'stall&init=he&depth=19'",
    ),
]
# Each module after those that it imports; in one file they share a scope, so imports and exports fall away.
MODULES = ("net", "count", "photo", "paint", "see", "stall", "blocks", "main")
_IMPORT, _EXPORT = re.compile(r"^import .*\n", re.MULTILINE), re.compile(r"^export ", re.MULTILINE)


def page(address: str = "") -> str:
    """The whole page as HTML; ``address`` such as "stall&depth=19" is the state that it opens in."""
    source = FOLDER / "page"
    code = "\n".join((source / f"{name}.js").read_text(encoding="utf-8") for name in MODULES)
    parts = {
        "address": html.escape(address),
        "alt": PICTURE,
        "style": (source / "page.css").read_text(encoding="utf-8"),
        "data": (FOLDER / "data.json").read_text(encoding="utf-8").replace("<", "\\u003c"),
        "weights": base64.b64encode((FOLDER / "weights.bin").read_bytes()).decode(),
        "picture": base64.b64encode((FOLDER / "picture.png").read_bytes()).decode(),
        "code": _EXPORT.sub("", _IMPORT.sub("", code)),
    }
    template = (source / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


class LivePage:
    """The page in a frame below a notebook's cell; it needs neither a network nor this kernel once it is shown."""

    def __init__(self, address: str, height: int):
        self.address, self.height = address, height

    def __repr__(self) -> str:
        return f"VGG, live, at #{self.address}: run this cell in Jupyter, or python -m vgg_lesson live in a terminal."

    def _repr_html_(self) -> str:
        picture = base64.b64encode((FOLDER / "picture.png").read_bytes()).decode()
        return (
            f'<iframe title="VGG, live" sandbox="allow-scripts allow-popups" style="width: 100%; border: 0; '
            f'height: {self.height}px" srcdoc="{html.escape(page(self.address))}"></iframe>'
            "<details><summary>Is there no page above?</summary><p>Scripts are not allowed here. Trust the notebook "
            "and run the cell, or type <code>python -m vgg_lesson live</code> in a terminal. This is what it looks "
            f'like:</p><img alt="{PICTURE}" src="data:image/png;base64,{picture}"></details>'
        )


@checked
def live(address: Address = "see", *, height: Annotated[int, at_least(300)] = 760) -> LivePage:
    """Show the page "VGG, live" in a notebook, opened at ``address``, as it stands behind the # of a copied address.

    "see", "stall" and "count" are its parts; ``live("stall&init=he&depth=19")`` is one of them in a certain state. The
    page is 2.7 MB, which stay in a notebook that is saved with this output. ``height`` is in pixels.
    """
    return LivePage(address.removeprefix("#"), height)


def open_in_browser(path: Path | None = None) -> Path:
    """Write the page to ``path``, else into the system's folder for temporary files, and open it; returns its path.

    Raises:
        OSError: the folder cannot be written or the disk is full; the message says so.
    """
    path = path or Path(tempfile.gettempdir(), "vgg-lesson-live.html")
    write_atomically(path, page().encode())
    webbrowser.open(path.resolve().as_uri())
    return path
