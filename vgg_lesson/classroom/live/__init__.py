"""VGG, live: a page on which the network runs in the browser, put together as one file that needs nothing else."""

from __future__ import annotations

import base64
import html
import json
import re
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

from vgg_lesson.support.arguments import check_choice, check_positive_int
from vgg_lesson.support.files import PACKAGE, write_atomically

FOLDER = PACKAGE / "classroom" / "live"
PARTS = ("see", "stall", "count")
# Each module after those that it imports; in one file they share a scope, so imports and exports fall away.
MODULES = ("net", "count", "photo", "paint", "see", "stall", "blocks", "main")
_IMPORT, _EXPORT = re.compile(r"^import .*\n", re.MULTILINE), re.compile(r"^export ", re.MULTILINE)


def page(address: str = "") -> str:
    """The whole page as HTML; ``address`` such as "stall&depth=19" is the state that it opens in."""
    source = FOLDER / "page"
    code = "\n".join((source / f"{name}.js").read_text(encoding="utf-8") for name in MODULES)
    parts = {
        "address": html.escape(address),
        "style": (source / "page.css").read_text(encoding="utf-8"),
        "data": (FOLDER / "data.json").read_text(encoding="utf-8").replace("<", "\\u003c"),
        "weights": base64.b64encode((FOLDER / "weights.bin").read_bytes()).decode(),
        "picture": base64.b64encode((FOLDER / "picture.png").read_bytes()).decode(),
        "code": _EXPORT.sub("", _IMPORT.sub("", code)),
    }
    template = (source / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)
