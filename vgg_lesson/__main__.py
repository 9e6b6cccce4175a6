"""``vgg-lesson COMMAND``, or ``python -m vgg_lesson COMMAND``: what is done before and beside the notebooks."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vgg_lesson.classroom.live import open_in_browser
from vgg_lesson.support.files import REASONS, user_path
from vgg_lesson.support.streams import as_argument, forgiving_streams

if TYPE_CHECKING:
    from vgg_lesson.classroom.working_copy import Copied

MY_LESSON = Path("my-lesson")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 not done and the reason printed, 2 misused, 130 interrupted.

    What is printed to a closed stream, a full disk or a reader that went away is lost and ends nothing.
    """
    with forgiving_streams() as lost:
        try:
            words = sys.argv[1:] if arguments is None else arguments
            options = build_parser(words).parse_args(words)
            status = int(options.run(options))
        except KeyboardInterrupt:
            status = _failure("interrupted", status=130)
        except ValueError as error:  # a setting that says neither yes nor no, say
            status = _failure(str(error))
    if lost:
        status = _failure(f"what was printed could not be written: {lost[0]}", status=status or 1)
    return status


def build_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The commands with their options; each sets ``run``, a function of the parsed options.

    Torch takes seconds to import, so the options of ``data`` and ``train`` are there if ``words`` ask for them.
    """
    called = "vgg-lesson" if Path(sys.argv[0]).stem == "vgg-lesson" else "python -m vgg_lesson"
    parser = argparse.ArgumentParser(prog=called, description="Commands of the VGG lesson.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    begin = commands.add_parser("open", help="write or renew a working copy and open it in JupyterLab")
    _add_copy_options(begin, nargs="?", default=MY_LESSON)
    begin.add_argument(
        "--lab", metavar="OPTION", action="append", default=[], help="passed to JupyterLab, as in --lab=--no-browser"
    )
    begin.set_defaults(run=open_copy)
    check = commands.add_parser("doctor", help="check this machine and say what to mend")
    check.set_defaults(run=check_up)
    data = commands.add_parser("data", help="fetch and verify FashionMNIST ahead of a class")
    copy = commands.add_parser("copy", help="write or renew a working copy of the notebooks, without outputs")
    _add_copy_options(copy)
    copy.set_defaults(run=lambda options: make_copy(options))
    live = commands.add_parser("live", help="open the page VGG, live, in a browser; it needs no network")
    live.add_argument("--to", metavar="FILE", type=user_path, help="where to write it; default: a temporary file")
    live.set_defaults(run=lambda options: show_live(options.to))
    train = commands.add_parser("train", help="train a network and write its weights")
    if "data" in words:
        from vgg_lesson.data.command import add_data_options

        add_data_options(data)
    if "train" in words:
        from vgg_lesson.training.command import add_train_options

        add_train_options(train)
        train.set_defaults(words=words)
    return parser


def check_up(_: argparse.Namespace) -> int:
    """Check this machine; returns 0 if the lesson runs here."""
    from vgg_lesson.classroom.doctor import doctor

    return doctor()


def make_copy(options: argparse.Namespace) -> int:
    """Write or renew the working copy and say what was done with each file that was edited."""
    from vgg_lesson.classroom import working_copy  # nbformat takes a second or more to import

    target = options.target
    outer = working_copy.enclosing_copy(target.absolute().parent)
    if outer and not (target / working_copy.RECORD).exists():
        return _failure(f"{as_argument(outer)} is a working copy already, and a second one in it would only confuse.")
    try:
        done = working_copy.copy_notebooks(target, force=options.force, solutions=not options.without_solutions)
    except ValueError as error:
        return _failure(str(error))
    except OSError as error:
        return _failure(f"{as_argument(target)}: {REASONS.get(error.errno or 0, error)}")
    _report(done, target)
    for other in working_copy.other_copies(target):
        print(f"You have another working copy, with work of its own: {as_argument(other)}")
    return 0


def show_live(path: Path | None) -> int:
    """Write the page that runs a network in the browser, open it, and say where it is."""
    try:
        print(f"VGG, live: {open_in_browser(path)} (one file; pass it on)")
    except OSError as error:
        return _failure(f"{path or 'the page'}: {REASONS.get(error.errno or 0, error)}")
    return 0


def open_copy(options: argparse.Namespace) -> int:
    """Make or renew the working copy, then run JupyterLab in it until it ends; inside a copy, that one is opened."""
    from vgg_lesson.classroom import working_copy

    options.target = working_copy.enclosing_copy(Path.cwd()) or options.target
    if status := make_copy(options):
        return status
    if importlib.util.find_spec("jupyterlab") is None:
        return _failure("JupyterLab is missing here: python -m pip install jupyterlab, then the same command again.")
    first = working_copy.FIRST
    command = [sys.executable, "-m", "jupyterlab", first, *options.lab]
    try:
        return subprocess.run(command, cwd=options.target, check=False).returncode
    except KeyboardInterrupt:  # Ctrl-C is how JupyterLab is ended
        return 0


def _add_copy_options(parser: argparse.ArgumentParser, **target: Any) -> None:
    parser.add_argument(
        "target", metavar="DIR", type=user_path, help=f"the folder of the copy, such as {MY_LESSON}", **target
    )
    parser.add_argument("--force", action="store_true", help="replace files that were edited in DIR, keeping a backup")
    parser.add_argument("--without-solutions", action="store_true", help="leave the folded solutions out")


def _report(done: Copied, target: Path) -> None:
    print(
        f"{len(done.written)} files written to {as_argument(target)}." if done.written else f"{target} is up to date."
    )
    for path in done.kept:
        print(f"{path.name}: left as you edited it.")
    for path, new in done.beside.items():
        print(
            f"{path.name}: you edited it and the lesson changed it; the new version is {new.name}."
            f" Compare (pip install nbdime): nbdiff-web {as_argument(path)} {as_argument(new)}"
        )
    for path, backup in done.saved.items():
        print(f"{path.name}: replaced; what you had is in {backup.name}.")
    print(f"Open it: jupyter lab {as_argument(target / '00_start_here.ipynb')}")


def _failure(message: str, *, status: int = 1) -> int:
    with forgiving_streams():
        print(message, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
