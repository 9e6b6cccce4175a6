"""View 8: network, link and GPUs → what more processes gain, by calculation."""

from __future__ import annotations

from collections.abc import Iterator

from vgg_lesson.arithmetic import FLOAT32_BYTES, trace
from vgg_lesson.classroom.figures import speedups
from vgg_lesson.classroom.scale_up import paper_model
from vgg_lesson.classroom.widgets.shared import LessonView, Panel, Part, choice, menu

PARTS = (("all of VGG-16", "all"), ("VGG-16, its convolutions only", "conv"), ("VGG-16, average and one linear", "gap"))
FASTER = (("the paper's", 1.0), ("3 times as fast", 3.0), ("10 times", 10.0), ("30 times", 30.0))
LINKS = (("1", 1.0), ("3", 3.0), ("10", 10.0), ("30", 30.0), ("100", 100.0), ("300", 300.0))


def scaling() -> LessonView:
    """Choose what is sent, how fast the GPUs are and the link between them: what do two to eight of them gain?

    All of it is the calculation of notebook 11; nothing is measured.
    """
    return LessonView("More GPUs", _panel)


def _panel() -> Panel:
    controls = {
        "sent": menu("gradients of", PARTS, "all", "what the GPUs exchange in every step"),
        "faster": choice("GPUs", FASTER, 1.0, "how fast each GPU computes"),
        "link": choice("link, GB/s", LINKS, 3.0, "what each GPU sends in a second"),
    }
    return Panel(controls, show_speedups)


def show_speedups(sent: str, faster: float, link: float) -> Iterator[Part]:
    """The bytes and the seconds of a step in words, then the curve."""
    counted = trace("VGG-16", head="gap" if sent == "gap" else "fc")
    size = FLOAT32_BYTES * (counted.conv_params if sent == "conv" else counted.total_params)
    model = paper_model(faster=faster, size=size, bandwidth=1e9 * link)
    yield (
        f"<p>Gradients: <b>{size / 1e6:.0f} MB</b> a step. One GPU computes for <b>{model.compute:.2f} s</b>; four "
        f"compute for {model.compute / 4:.2f} s each and wait for <b>{model.wait(4):.2f} s</b>.</p>"
    )
    yield speedups({"this setting": model})
