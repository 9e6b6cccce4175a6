"""The picture at the top of the README: VGG-11 drawn to scale."""

from __future__ import annotations

from tools.paths import NOTEBOOKS, ROOT
from vgg_lesson.figures import draw_network

PICTURE = NOTEBOOKS / "images" / "vgg11.png"


def main(arguments: list[str]) -> int:
    """``python -m tools picture``"""
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure = draw_network("VGG-11")
    figure.savefig(PICTURE, dpi=150, metadata={"Software": None})
    print(f"wrote {PICTURE.relative_to(ROOT)}; its text alternative: {figure.alt}")
    return 0
