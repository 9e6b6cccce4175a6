"""What the panel of every interactive view has to be, whatever its controls say."""

from __future__ import annotations

import io

from PIL import Image

from vgg_lesson.classroom.widgets.shared import Panel


def assert_sound(panel: Panel) -> None:
    """No error, and every picture a PNG as wide as the page."""
    assert panel.error == "", f"{panel.values}: {panel.error}"
    assert panel.pictures
    for png in panel.pictures:
        with Image.open(io.BytesIO(png)) as picture:
            picture.load()
            assert picture.format == "PNG" and picture.width == 1000
