"""The picture at the top of the README: VGG-11 drawn to scale."""

from __future__ import annotations

import io

from tools.paths import NOTEBOOKS, ROOT
from vgg_lesson.classroom.figures import draw_network
from vgg_lesson.support.files import write_atomically

PICTURE = NOTEBOOKS / "images" / "vgg11.png"


def main(arguments: list[str]) -> int:
    """``python -m tools picture``"""
    figure, drawn = draw_network("VGG-11"), io.BytesIO()
    figure.savefig(drawn, dpi=150, format="png", metadata={"Software": None})
    write_atomically(PICTURE, drawn.getvalue())
    print(f"wrote {PICTURE.relative_to(ROOT)}; its text alternative: {figure.alt}")
    return 0
