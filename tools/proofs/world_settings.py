"""What the machines of ordinary students bring with them: the settings that ``python -m tools.proofs world`` tries."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

# What a first lesson does: the banner, data, two steps, a file written and read, a figure, a view, trained weights; and
# in a folder that it is given, a working copy.
LESSON = """
import sys

from vgg_lesson import History, banner, class_vgg, fit, load_fashion_mnist, load_trained, widgets
from vgg_lesson.training.progress import loss_curve

banner()
images = load_fashion_mnist("test").subset(32)
history = fit(class_vgg(width=0.05, hidden=16), images, steps=2, batch_size=16, label="a trial")
history.to_csv("log.csv")
assert len(History.from_csv("log.csv").step_losses) == 2
assert len(loss_curve(history, 2).png()) > 1000
assert "text/plain" in widgets.receptive_field()._repr_mimebundle_()
load_trained()
if sys.argv[1:]:
    from vgg_lesson.__main__ import main

    assert main(["copy", sys.argv[1]]) == 0
print("lesson done")
"""
RUN = '"$PY" lesson.py'
DOCTOR = '"$PY" -m vgg_lesson doctor'
DATA = '"$PY" -m vgg_lesson data --to'
COPY = '"$PY" -m vgg_lesson copy'
TRAIN = '"$PY" -m vgg_lesson train --budget smoke --steps 1 --width 0.05 --hidden 16 --no-test --out'
DONE, READY = "lesson done", "Ready"
NOBODY = "setpriv --reuid 54321 --regid 54321 --clear-groups"


@dataclass(frozen=True)
class Setting:
    """One odd thing: ``script`` runs in bash in a fresh folder that holds ``lesson.py``.

    It ends with status 0 if it ``works``, never with a traceback, and ``says`` is a pattern in what it prints.
    ``needs`` names programs, "root" or "everybody" (a Python for all users), without which it cannot be tried.
    """

    kind: str
    name: str
    script: str
    says: str = DONE
    works: bool = True
    variables: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    quick: bool = False

    def lacks(self) -> str:
        """What this machine lacks for the setting; "" if it can be tried."""
        if sys.platform != "linux":
            return "needs Linux"
        for need in self.needs:
            if need == "root":
                if os.geteuid() != 0:
                    return "needs root"
            elif need == "everybody":
                if subprocess.run([*NOBODY.split(), "env", sys.executable, "-c", ""], capture_output=True).returncode:
                    return "needs a Python that everybody may start"
            elif shutil.which(need) is None and not os.path.exists(need):
                return f"needs {need}"
        return ""


def _by_variable(
    kind: str, choices: Mapping[str, Mapping[str, str]], script: str = RUN, says: str = DONE
) -> list[Setting]:
    return [Setting(kind, name, script, says, variables=variables) for name, variables in choices.items()]


LOCALES = _by_variable(
    "language",
    {
        "LC_ALL=C": {"LC_ALL": "C"},
        "ASCII everywhere": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        "a locale that is not installed": {"LC_ALL": "de_DE.ISO-8859-1"},
        "Turkish": {"LC_ALL": "tr_TR.UTF-8"},
        "a locale that does not exist": {"LC_ALL": "nonsense"},
        "commas in numbers": {"LC_NUMERIC": "de_DE.UTF-8"},
        "output in ASCII": {"PYTHONIOENCODING": "ascii"},
        "output in strict ASCII": {"PYTHONIOENCODING": "ascii:strict"},
        "output in cp1252": {"PYTHONIOENCODING": "cp1252"},
        "output in Latin-1": {"PYTHONIOENCODING": "latin-1:strict"},
        "Chinese": {"LANGUAGE": "zh", "LANG": "zh_CN.UTF-8"},
    },
    script=DOCTOR,
    says=READY,
)
STREAMS = [
    Setting("streams", "standard output closed", f"{TRAIN} net.safetensors >&- && test -s net.json", ""),
    Setting("streams", "standard error closed", f"{TRAIN} net.safetensors 2>&- && test -s net.json", "", quick=True),
    Setting("streams", "standard input closed", f"{TRAIN} net.safetensors <&- && test -s net.json", ""),
    Setting("streams", "all three closed", f"{TRAIN} net.safetensors <&- >&- 2>&- && test -s net.json", ""),
    Setting("streams", "errors to a full disk", f"{TRAIN} net.safetensors 2>/dev/full && test -s net.json", "",
            needs=("/dev/full",)),
    Setting("streams", "output to a full disk", f"{DOCTOR} >/dev/full", "No space left", works=False,
            needs=("/dev/full",)),
    Setting("streams", "output to a full disk at once", f"{DOCTOR} >/dev/full", "No space left", works=False,
            variables={"PYTHONUNBUFFERED": "1"}, needs=("/dev/full",)),
    Setting("streams", "a reader that leaves after a line", f"{DOCTOR} | head -1", r"\[OK\]"),
    Setting("streams", "the same without a buffer", f"{DOCTOR} | head -1", r"\[OK\]",
            variables={"PYTHONUNBUFFERED": "1"}),
    Setting("streams", "a reader that never reads", f"{TRAIN} net.safetensors | true; test -s net.json", ""),
    Setting("streams", "nohup", f"nohup {TRAIN} net.safetensors >out 2>&1 && test -s net.json", "", needs=("nohup",)),
    Setting("streams", "a terminal of 20 columns", RUN, variables={"COLUMNS": "20", "TERM": "dumb"}),
    Setting("streams", "a terminal of no columns", DOCTOR, READY, variables={"COLUMNS": "0", "LINES": "0"}),
    Setting("streams", "columns that are no number", DOCTOR, READY, variables={"COLUMNS": "wide"}),
]  # fmt: skip
MODES = [
    Setting(
        "modes", f"umask {mask}", f"umask {mask}; {TRAIN} net.safetensors && stat -c %a net.safetensors net.json",
        rf"{mode}\n{mode}", quick=mask == "077",
    )
    for mask, mode in (("000", "666"), ("002", "664"), ("022", "644"), ("027", "640"), ("077", "600"))
] + [
    Setting("modes", "a private file stays private",
            f"touch net.json && chmod 600 net.json && {TRAIN} net.safetensors && stat -c %a net.json", r"\b600\b"),
    Setting("modes", "a file for the group stays so",
            f"touch net.json && chmod 664 net.json && {TRAIN} net.safetensors && stat -c %a net.json", r"\b664\b"),
]  # fmt: skip
HOMES = [
    *_by_variable(
        "home",
        {
            "a home that does not exist": {"HOME": "/no/such/home"},
            "an empty HOME": {"HOME": ""},
            "HOME=/": {"HOME": "/"},
            "a home with blanks and quotes": {"HOME": "{here}/the 'home'"},
            "caches that cannot be made": {"XDG_CACHE_HOME": "/dev/null/x", "MPLCONFIGDIR": "/dev/null/y"},
            "a home that is a file": {"HOME": "{here}/lesson.py"},
            "no name": {"USER": "", "LOGNAME": "", "USERNAME": ""},
        },
        DOCTOR, READY,
    ),
    Setting("home", "no HOME", f"unset HOME; {RUN}"),
    Setting("home", "no HOME and no entry in passwd", f"{NOBODY} env -u HOME {DOCTOR}", READY,
            needs=("root", "setpriv", "everybody")),
    Setting("home", "the same, a lesson", f"{NOBODY} env -u HOME {RUN}", needs=("root", "setpriv", "everybody")),
    Setting("home", "~ in --out", f'HOME="$HERE" {TRAIN}=~/net.safetensors && test -s net.json', ""),
    Setting("home", "~ in VGG_LESSON_DATA", f'cp -r "$ROOT/vgg_lesson/assets/sample" fm; {RUN}',
            variables={"HOME": "{here}", "VGG_LESSON_DATA": "~/fm"}, quick=True),
]  # fmt: skip
NAMES = {
    "blanks": "two words", "umlauts": "Übung für Anfänger", "an apostrophe": "it's", "quotes": 'a "b"',
    "a dollar": "$HOME",
    "a semicolon": "a;b", "an ampersand": "a&b", "a percent sign": "%PATH%", "a leading dash": "-f", "an emoji": "🧥",
    "a line break": "two\nlines", "brackets": "[a-z]*", "a hash": "#1", "a backslash": "a\\b", "a trailing dot": "a.",
    "a tilde": "~", "120 letters": "x" * 120, "Chinese letters": "服装",
}  # fmt: skip
FOLDERS = [
    Setting(
        "folders", name, f'mkdir -p -- "./$NAME" && cp lesson.py "./$NAME" && cd -- "./$NAME" && {RUN} "./$NAME" && '
        'test -s "./$NAME/00_start_here.ipynb"',
        variables={"NAME": folder},
    )
    for name, folder in NAMES.items()
] + [
    Setting("folders", "bytes that are no UTF-8",
            f"NAME=$'caf\\xe9'; mkdir \"$NAME\" && cp lesson.py \"$NAME\" && cd \"$NAME\" && {RUN}"),
    Setting("folders", "thirty folders deep",
            f'd=$(printf "folder/%.0s" $(seq 30)); mkdir -p "$d" && cp lesson.py "$d" && cd "$d" && {RUN}'),
    Setting("folders", "a folder behind a link", 
            f"mkdir real && ln -s real link && cp lesson.py real && cd link && {RUN}"),
    Setting("folders", "somebody else's notebooks here",
            f"mkdir notebooks && touch notebooks/x.ipynb && {DOCTOR}", READY),
    Setting("folders", "something else in data", f"mkdir data && touch data/x && unset VGG_LESSON_DATA; {RUN}"),
    Setting("folders", "a file called data", f"touch data && unset VGG_LESSON_DATA; {RUN}"),
]  # fmt: skip
FULL = "mkdir small && mount -t tmpfs -o size=40k tmpfs small"
DISKS = [
    Setting("disks", "a folder without permission", f"mkdir locked && chmod 555 locked && cd locked && {NOBODY} env "
            f"HOME=/ {DOCTOR}", r"\[FAIL\] files: .* takes none", works=False, needs=("root", "setpriv", "everybody")),
    Setting("disks", "training without permission", f"mkdir locked && chmod 555 locked && cd locked && {NOBODY} env "
            f"HOME=/ {TRAIN} net.safetensors", "you may not write there", works=False,
            needs=("root", "setpriv", "everybody")),
    Setting("disks", "a full disk", f"unshare -m bash -c '{FULL} && cd small && {TRAIN} net.safetensors'",
            "the disk is full", works=False, needs=("root", "unshare")),
    Setting("disks", "a full disk, a copy", f"unshare -m bash -c '{FULL} && {COPY} small/copy'", "the disk is full",
            works=False, needs=("root", "unshare")),
    Setting("disks", "a read-only disk", "unshare -m bash -c 'mkdir small && mount -t tmpfs -o ro tmpfs small && "
            f"cd small && {DOCTOR}'", "read-only", works=False, needs=("root", "unshare")),
    Setting("disks", "/dev/shm of 1 MB", f"unshare -m bash -c 'mount -t tmpfs -o size=1m tmpfs /dev/shm && {RUN}'",
            needs=("root", "unshare")),
    Setting("disks", "no /dev/shm to write to", f"unshare -m bash -c 'mount -t tmpfs -o ro tmpfs /dev/shm && {RUN}'",
            needs=("root", "unshare")),
    Setting("disks", "no folder for temporary files", DOCTOR, READY, variables={"TMPDIR": "/no/such/place"}),
    Setting("disks", "a file in place of the folder", f"touch there; {TRAIN} there/net.safetensors",
            "a file is in the place of the folder", works=False),
    Setting("disks", "a copy onto a file", f"touch there; {COPY} there", "that is a file|in the place", works=False),
]  # fmt: skip
MACHINES = [
    *_by_variable(
        "processors and memory",
        {
            "half a processor": {"CPU_LIMIT": "0.5"},
            "a limit that is no number": {"CPU_LIMIT": "many", "MEM_LIMIT": "lots"},
            "1.5 GB": {"MEM_LIMIT": "1500000000"},
            "64 threads asked for": {"OMP_NUM_THREADS": "64"},
            "threads that are no number": {"OMP_NUM_THREADS": "many"},
            "no threads": {"OMP_NUM_THREADS": "0"},
            "no GPU to be seen": {"CUDA_VISIBLE_DEVICES": ""},
            "GPU -1": {"CUDA_VISIBLE_DEVICES": "-1"},
            "a GPU that is not there": {"CUDA_VISIBLE_DEVICES": "7"},
        },
        DOCTOR,
        READY,
    ),
    Setting("processors and memory", "one processor", f"taskset -c 0 {RUN}", needs=("taskset",)),
    Setting("processors and memory", "few open files", f"ulimit -n 64; {RUN}"),
    Setting("processors and memory", "a small stack", f"ulimit -s 1024; {RUN}"),
    Setting("processors and memory", "no core files, low priority", f"ulimit -c 0; nice -n 19 {RUN}"),
]
SWITCHES = [
    *_by_variable(
        "switches",
        {
            f"VGG_LESSON_OFFLINE={word!r}": {"VGG_LESSON_OFFLINE": word}
            for word in ("TRUE", " on ", "0 ", "False", "no", "off", "")
        },
        DOCTOR,
        r"settings: budget smoke",
    ),
    Setting("switches", "a switch that says neither", DOCTOR,
            r"\[FAIL\] settings: VGG_LESSON_OFFLINE='perhaps' is no switch", works=False,
            variables={"VGG_LESSON_OFFLINE": "perhaps"}),
    Setting("switches", "a budget in capitals, with blanks", DOCTOR, "budget smoke",
            variables={"VGG_LESSON_BUDGET": " SMOKE "}),
    Setting("switches", "a budget that does not exist", DOCTOR, "VGG_LESSON_BUDGET='quick' is not a budget",
            works=False, variables={"VGG_LESSON_BUDGET": "quick"}),
    Setting("switches", "a variable misspelt", DOCTOR, "VGG_LESSON_DATAS is set, and nothing reads it",
            variables={"VGG_LESSON_DATAS": "x"}),
    Setting("switches", "WORLD_SIZE=zwei", f"{TRAIN} net.safetensors", "WORLD_SIZE='zwei' is no count", works=False,
            variables={"RANK": "0", "WORLD_SIZE": "zwei"}),
    Setting("switches", "an empty WORLD_SIZE", f"{TRAIN} net.safetensors", "",
            variables={"RANK": "0", "WORLD_SIZE": ""}),
    Setting("switches", "a data folder that is missing", DOCTOR, r"\[FAIL\] data: VGG_LESSON_DATA=.* is missing",
            works=False, variables={"VGG_LESSON_DATA": "/no/such/folder"}),
]  # fmt: skip
PYTHONS = _by_variable(
    "Python",
    {
        "optimised": {"PYTHONOPTIMIZE": "1"},
        "optimised twice": {"PYTHONOPTIMIZE": "2"},
        "warnings as errors": {"PYTHONWARNINGS": "error::DeprecationWarning:vgg_lesson,error::UserWarning:vgg_lesson"},
        "development mode": {"PYTHONDEVMODE": "1", "PYTHONWARNINGS": "ignore"},
        "no bytecode": {"PYTHONDONTWRITEBYTECODE": "1"},
        "another hash seed": {"PYTHONHASHSEED": "4242"},
        "no buffers": {"PYTHONUNBUFFERED": "1"},
        "no site of the user": {"PYTHONNOUSERSITE": "1"},
        "bytecode elsewhere": {"PYTHONPYCACHEPREFIX": "/no/such/place"},
        "memory traced": {"PYTHONTRACEMALLOC": "1"},
        "a fault handler": {"PYTHONFAULTHANDLER": "1"},
        "malloc checked": {"PYTHONMALLOC": "malloc"},
        "a startup file that is missing": {"PYTHONSTARTUP": "/no/such/file"},
    },
)
STYLES = [
    *_by_variable(
        "matplotlib", {f"MPLBACKEND={name}": {"MPLBACKEND": name} for name in ("agg", "svg", "TkAgg", "pdf")}
    ),
    *(
        Setting("matplotlib", name, f"mkdir -p mpl && printf '%b' \"$STYLE\" >mpl/matplotlibrc; {RUN}",
                variables={"MPLCONFIGDIR": "{here}/mpl", "STYLE": style})
        for name, style in {
            "LaTeX for all text": "text.usetex: True\\n",
            "light on dark": "figure.facecolor: black\\ntext.color: white\\naxes.labelcolor: white\\n",
            "as drawn by hand": "path.sketch: 1, 100, 2\\n",
            "a font that is missing": "font.family: No Such Font\\n",
            "letters of 40 points": "font.size: 40\\n",
            "400 dots per inch": "savefig.dpi: 400\\nfigure.dpi: 400\\n",
            "cut to the ink": "savefig.bbox: tight\\n",
            "a line that is damaged": "font.size 12\\nnonsense\\n",
            "a setting that does not exist": "no.such.setting: 1\\n",
            "transparent": "savefig.transparent: True\\naxes.grid: True\\n",
        }.items()
    ),
]  # fmt: skip
OLD_WIDGETS = (
    "mkdir -p old && printf \"__version__ = '7.7.1'\\nclass VBox:\\n    def _ipython_display_(self): pass\\n\" "
    ">old/ipywidgets.py"
)
BEFORE_LESSON = '(printf "%b" "$FIRST"; cat lesson.py) >changed.py; "$PY" changed.py'
PACKAGES = [
    Setting("packages", "ipywidgets 7", f'{OLD_WIDGETS}; PYTHONPATH="$HERE/old:$PYTHONPATH" {RUN}', quick=True),
    Setting("packages", "ipywidgets 7, looked at", f'{OLD_WIDGETS}; PYTHONPATH="$HERE/old:$PYTHONPATH" {DOCTOR}',
            r"\[FAIL\] views: become a sentence", works=False),
    Setting("packages", "no ipywidgets", "mkdir old && echo 'raise ImportError(\"none\")' >old/ipywidgets.py; "
            f'PYTHONPATH="$HERE/old:$PYTHONPATH" {RUN}'),
    Setting("packages", "an ipywidgets that breaks", "mkdir old && echo '1 / 0' >old/ipywidgets.py; "
            f'PYTHONPATH="$HERE/old:$PYTHONPATH" {RUN}'),
    Setting("packages", "no IPython", "mkdir old && echo 'raise ImportError(\"none\")' >old/IPython.py; "
            f'PYTHONPATH="$HERE/old:$PYTHONPATH" {TRAIN} net.safetensors', ""),
    Setting("packages", "a kernel of another environment", '"$PY" -m vgg_lesson doctor',
            READY, variables={"VIRTUAL_ENV": "/other", "CONDA_PREFIX": "/other", "CONDA_DEFAULT_ENV": "base"}),
    *(
        Setting("packages", name, BEFORE_LESSON, variables={"FIRST": first})
        for name, first in {
            "NumPy that raises": "import numpy; numpy.seterr(all='raise')\\n",
            "only deterministic algorithms": "import torch; torch.use_deterministic_algorithms(True)\\n",
            "a seed set before": "import random, numpy, torch; random.seed(0); numpy.random.seed(0)\\n",
            "pyplot with open figures": "import matplotlib; matplotlib.use('agg'); import matplotlib.pyplot as plt; "
            "[plt.figure() for _ in range(25)]\\n",
            "a dark style in force": "import matplotlib.pyplot as plt; plt.style.use('dark_background')\\n",
            "a recursion limit of 400": "import torch, vgg_lesson, sys; from vgg_lesson import figures, widgets; "
            "sys.setrecursionlimit(400)\\n",
            "warnings recorded": "import logging; logging.captureWarnings(True)\\n",
            "garbage collection off": "import gc; gc.disable()\\n",
        }.items()
    ),
]  # fmt: skip
FILES = [
    Setting("files", "a link as --out", f"mkdir far && touch far/net && ln -s far/net net.safetensors && {TRAIN} "
            "net.safetensors && test -L net.safetensors && test -s far/net", "", quick=True),
    Setting("files", "a link that leads to itself", f"ln -s net.safetensors net.safetensors; {TRAIN} net.safetensors",
            "leads to itself", works=False),
    Setting("files", "a card that is a folder", f"mkdir net.json; {TRAIN} net.safetensors; s=$?; ls; exit $s",
            "that is a folder", works=False),
    Setting("files", "a log to nowhere", f"{TRAIN} net.safetensors --log /dev/null && test -c /dev/null", ""),
    Setting("files", "a log to the screen", f"{TRAIN} net.safetensors --log /dev/stdout", "epoch,step,train_loss"),
    Setting("files", "a log that is a folder", f"mkdir log; {TRAIN} net.safetensors --log log && test -s net.json",
            "the epochs could not be kept"),
    Setting("files", "a name of 240 letters",
            f'N=$(printf "n%.0s" $(seq 228)).safetensors; {TRAIN} "$N" && test -s "$N"',
            ""),
    Setting("files", "a name of 300 letters", f'N=$(printf "n%.0s" $(seq 300)).safetensors; {TRAIN} "$N"',
            "too long", works=False),
    Setting("files", "a checkpoint of something else", f"echo x >net.checkpoint; {TRAIN} net.safetensors",
            "is no checkpoint", works=False),
    Setting("files", "a copy made twice", f"{COPY} copy && {COPY} copy", "up to date"),
    Setting("files", "a folder for --out that is not there",
            f"{TRAIN} a/b/net.safetensors && test -s a/b/net.json", ""),
]  # fmt: skip
GET = f"unset VGG_LESSON_DATA; {DATA} there"
NEAR = [
    Setting("data and network", name, f"mkdir fm; {make}; {DOCTOR}", rf"\[FAIL\] data: .*{told}", works=False,
            variables={"VGG_LESSON_DATA": "{here}/fm"})
    for name, make, told in (
        ("Kaggle's table", "touch fm/fashion-mnist_train.csv", "is a table"),
        ("an archive", "touch fm/archive.zip", "is an archive"),
        ("half a download", "touch fm/train-images-idx3-ubyte.gz.part", "did not end"),
        ("one folder too high", 'mkdir fm/x && cp "$ROOT"/vgg_lesson/assets/sample/* fm/x', "lies deeper"),
        ("an empty folder", "true", "holds no train-images"),
        ("folders in place of files", "mkdir fm/{train,t10k}-{images-idx3,labels-idx1}-ubyte", "is a folder"),
        ("a login page as data", "for n in train-images-idx3 train-labels-idx1; do echo '<html>'>fm/$n-ubyte; done",
         "too short"),
    )
] + [
    Setting("data and network", "one byte wrong beside a whole file",
            'cp -r "$ROOT/vgg_lesson/assets/sample" fm && echo x >fm/t10k-images-idx3-ubyte && ' + RUN,
            variables={"VGG_LESSON_DATA": "{here}/fm"}),
    *(
        Setting("data and network", f"http_proxy={proxy}", GET, "cannot be downloaded|already|is in there",
                works=os.path.isdir("/usr/share/datasets/fashion-mnist"),
                variables={"http_proxy": proxy, "VGG_LESSON_OFFLINE": "no"})
        for proxy in ("http://.proxy.de:80", "nonsense")
    ),
]  # fmt: skip
SETTINGS: tuple[Setting, ...] = (
    *LOCALES, *STREAMS, *MODES, *HOMES, *FOLDERS, *DISKS, *MACHINES, *SWITCHES, *PYTHONS, *STYLES, *PACKAGES, *FILES,
    *NEAR,
)  # fmt: skip
