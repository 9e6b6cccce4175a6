"""The page "VGG, live" in Chromium: it computes what the package computes, answers every hand, and asks for nothing."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.browser.conftest import OfflinePage
from tests.browser.test_accessibility import violations
from tests.marks import long
from tools import live as export
from vgg_lesson import garment_from_picture, live, load_fashion_mnist, pair_signal, trace, window
from vgg_lesson.classroom.live import FOLDER
from vgg_lesson.models import class_vgg

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

STATES = (
    "see", "stall", "count", "tour",
    *(pytest.param(state, marks=long) for state in (
        "see&image=0&with=1&show=d", "stall&init=he&depth=19&norm=1", "count&by=macs&head=gap",
    )),
)  # fmt: skip
ONLY_NARROW = ("scrollable-region-focusable", "color-contrast")  # what a narrow page can break
WEIGHTS = base64.b64encode((FOLDER / "weights.bin").read_bytes()).decode()
ROW = ("name", "kind", "shape", "params", "macs", "activations", "field", "jump", "formula")
INITS = {"default": "pytorch", "xavier": "xavier", "he": "he", "std0.1": "paper", "std0.01": "std 0.01"}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as one file."""
    return export.write_page(tmp_path_factory.mktemp("live") / "live.html")


# For the page's console: the inputs that base64 of images, 28×28 bytes each, becomes.
INPUTS = """() => {
  globalThis.inputsOf = (code) => {
    const { bytes, toInput, data } = vggLive, all = bytes(code);
    const input = (k) => toInput(all.subarray(784 * k, 784 * k + 784), data.mean, data.std);
    return Array.from({ length: all.length / 784 }, (_, k) => input(k));
  };
}"""


@pytest.fixture(scope="module")
def shared(chromium: Browser, file: Path) -> Iterator[Page]:
    """The page, opened once for what only computes."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(file.as_uri())
    page.wait_for_function("globalThis.vggLive?.parts?.see?.ready")
    page.evaluate(INPUTS)
    yield page
    context.close()


def show(offline: OfflinePage, file: Path, address: str) -> Page:
    """Open the page at an address, and wait until all of it stands."""
    page = offline.page
    page.goto("about:blank")
    page.goto(f"{file.as_uri()}#{address}")
    page.wait_for_function("globalThis.vggLive?.opened !== undefined")
    page.evaluate("globalThis.vggLive.opened")
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    page.wait_for_timeout(300)
    return page


def random_networks(count: int) -> list[dict[str, Any]]:
    """``count`` networks as arguments of `trace`, by their depth."""
    draw = np.random.default_rng(0)
    return [
        {
            "depth": int(draw.choice([11, 13, 16, 19])), "in_channels": int(draw.integers(1, 5)),
            "num_classes": int(draw.integers(2, 2000)), "image_size": int(draw.integers(32, 300)),
            "width": float(draw.choice([draw.uniform(0.01, 3), 1 / 128, 3 / 128, 0.25])),
            "batch_norm": bool(draw.integers(2)), "hidden": int(draw.integers(1, 5000)),
            "head": str(draw.choice(["fc", "gap"])),
        }
        for _ in range(count)
    ]  # fmt: skip


# It computes what the package computes.


def test_scores_of_200_images_are_pytorchs(shared: Page) -> None:
    vectors = export.vectors()
    scores = shared.evaluate(
        """({ images }) => {
          const { forward, room, parts } = vggLive, net = parts.see.net, out = room(net);
          return inputsOf(images).map((input) => [...forward(net, input, out).at(-1)]);
        }""",
        vectors,
    )
    assert np.array(scores).shape == (200, 10)
    assert np.abs(np.array(scores) - np.array(vectors["scores"])).max() < 1e-4


# The scores above are of all 200; with VGG_LESSON_PROOFS=1 so are the maps.
@pytest.mark.parametrize("count", [40, pytest.param(export.VECTORS, marks=long)])
def test_every_layers_maps_are_pytorchs(shared: Page, count: int) -> None:
    images = load_fashion_mnist("test").images[:count]
    expected = export.layers(export.half_trained(), images)
    compare = """({ name, image, values }) => {
      const { bytes, forward, room, parts } = vggLive, net = parts.see.net;
      if (globalThis.latest !== image) {
        globalThis.latest = image;
        globalThis.passed = forward(net, inputsOf(image)[0], room(net));
      }
      const mine = passed[net.layers.findIndex((layer) => layer.name === name)];
      const theirs = new Float32Array(bytes(values).buffer);
      return mine.length === theirs.length ? Math.max(...mine.map((v, i) => Math.abs(v - theirs[i]))) : Infinity;
    }"""
    names = shared.evaluate("vggLive.parts.see.net.layers.map((layer) => layer.name)")
    assert list(expected) == names
    for number, image in enumerate(images):
        code = base64.b64encode(image.numpy().tobytes()).decode()
        for name in names:
            values = base64.b64encode(expected[name][number].contiguous().numpy().tobytes()).decode()
            assert shared.evaluate(compare, {"name": name, "image": code, "values": values}) < 1e-4, (number, name)


def test_counts_formulas_and_fields_of_40_networks_are_the_packages(shared: Page) -> None:
    for asked in random_networks(40):
        rows = shared.evaluate("(asked) => vggLive.trace(asked)", asked)
        counted = trace(f"VGG-{asked['depth']}", **{key: value for key, value in asked.items() if key != "depth"})
        assert [[row[key] for key in ROW] for row in rows] == [
            [
                r.name,
                r.kind,
                list(r.output_shape),
                r.params,
                r.macs,
                r.activations,
                r.receptive_field,
                r.jump,
                r.formula,
            ]
            for r in counted.rows
        ], asked  # fmt: skip
        for r in [r for r in counted.rows if r.receptive_field][1:]:
            last = r.output_shape[1] - 1
            found = shared.evaluate(
                "({ asked, name, last }) => vggLive.reach(vggLive.trace(asked), name, last)",
                {"asked": asked, "name": r.name, "last": last},
            )
            assert (found["first"], found["side"]) == window(counted, r.name, last)


@pytest.mark.parametrize("init", INITS)
def test_fresh_weights_have_the_stated_variance(shared: Page, init: str) -> None:
    found = shared.evaluate(
        """(init) => {
          const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
          const told = ({ weight, bias }) => {
            const centre = mean(weight), squares = (values, m) => mean(Array.from(values, (v) => (v - m) ** 2));
            return [weight.length, centre, squares(weight, centre), squares(bias, 0)];
          };
          const net = (seed) => vggLive.fresh(vggLive.data, { depth: 11, init, norm: false, seed });
          return [0, 1, 2, 3, 4].map((seed) => net(seed).layers.filter((l) => l.kind !== "pool").map(told));
        }""",
        init,
    )
    model = class_vgg(batch_norm=False, hidden=1024)
    layers = [layer for layer in model.modules() if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)]
    for number, layer in enumerate(layers):
        ahead = layer.weight[0].numel()
        behind = layer.weight.shape[0] * layer.weight[0][0].numel()
        stated = {
            "default": 1 / 3 / ahead,
            "xavier": 2 / (ahead + behind),
            "he": 2 / ahead,
            "std0.1": 1e-2,
            "std0.01": 1e-4,
        }[init]
        count = sum(seed[number][0] for seed in found)
        error = 4 * (2 / count) ** 0.5  # four standard errors of a variance, and of a mean
        assert np.mean([seed[number][2] for seed in found]) == pytest.approx(stated, rel=error)
        assert abs(np.mean([seed[number][1] for seed in found])) < 4 * (stated / count) ** 0.5
        biases = np.mean([seed[number][3] for seed in found])
        assert biases == pytest.approx(stated, rel=0.5) if init == "default" else biases == 0


@pytest.mark.parametrize("norm", [False, pytest.param(True, marks=long)])
@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("depth", [11, pytest.param(19, marks=long)])
def test_the_difference_goes_as_the_package_says(shared: Page, init: str, norm: bool, depth: int) -> None:
    test = load_fashion_mnist("test")
    pair, reference = test.images[[0, 1]], test.images[: export.REFERENCE]
    code = base64.b64encode(pair.numpy().tobytes()).decode()
    mine = [
        shared.evaluate(
            """({ pair, ...wanted }) => {
              const { fresh, settle, follow, data } = vggLive, net = fresh(data, wanted);
              if (wanted.norm) for (const _ of settle(net, inputsOf(data.reference)));
              return follow(net, inputsOf(pair)).points.map((p) => Math.log(p.spread));
            }""",
            {"depth": depth, "init": init, "norm": norm, "seed": seed, "pair": code},
        )
        for seed in range(4)
    ]
    packages = [
        pair_signal(pair, reference, f"VGG-{depth}", init=INITS[init], batch_norm=norm, seed=seed)[0]
        for seed in range(8)
    ]
    theirs = [[float(np.log(signal.spread)) for signal in signals] for signals in packages]
    expected, spread = np.mean(theirs, axis=0), np.std(theirs, axis=0, ddof=1)
    assert np.allclose(mine[0][0], expected[0])
    off = np.abs(np.mean(mine, axis=0) - expected)
    # Two means of 4 and of 8 draws: their difference is within four of its own standard errors, or almost nothing.
    assert (off <= 4 * spread * (1 / 4 + 1 / 8) ** 0.5 + 0.05).all(), (off / spread).round(1)


def test_the_numbers_behind_a_cell_add_up(shared: Page) -> None:
    wrong = shared.evaluate(
        """() => {
          const { explain, parts } = vggLive, { net, sides } = parts.see, { out, input } = sides.a;
          let most = 0, cells = 0;
          net.layers.forEach((layer, i) => {
            for (let k = 0; k < 60; k++) {
              const map = (k * 37) % layer.to, row = (k * 5) % layer.grid, column = (k * 3) % layer.grid;
              const told = explain(layer, i ? out[i - 1] : input, map, row, column);
              const cell = out[i][(map * layer.grid + row) * layer.grid + column];
              const products = told.terms.flatMap((t) => t.window.map((v, j) => v * t.kernel[j]));
              const sum = products.reduce((a, b) => a + b, 0);
              most = Math.max(most, Math.abs(told.out - cell), layer.kind === "pool" ? 0 : Math.abs(sum - told.sum));
              cells++;
            }
          });
          return [most, cells];
        }"""
    )
    assert wrong[1] == 16 * 60 and wrong[0] < 1e-4


@pytest.mark.parametrize("mode", ["light ground", "dark ground", "clear ground", "faint", "coloured"])
def test_a_photo_becomes_what_notebook_07_makes_of_it(shared: Page, mode: str) -> None:
    draw = np.random.default_rng(3)
    height, width = 310, 243
    y, x = np.mgrid[:height, :width]
    thing = (abs(x - 120) < 60 + 20 * np.sin(y / 30)) & (y > 40) & (y < 280)
    base = 230 if mode != "dark ground" else 20
    shade = np.where(thing, 120 + 40 * np.sin(x / 9), base) + draw.normal(0, 2, (height, width))
    pixels = np.repeat(shade.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    if mode == "faint":
        pixels = (230 + (pixels.astype(int) - 230) // 3).astype(np.uint8)
    if mode == "coloured":  # red and green differ, the grey hardly
        pixels = np.where(thing[..., None], (210, 200, 20), (150, 200, 230)).astype(np.uint8)
    if mode == "clear ground":
        pixels = np.concatenate([pixels, (thing * 255).astype(np.uint8)[..., None]], axis=2)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    code = base64.b64encode(file.getvalue()).decode()
    found = shared.evaluate("async (code) => [...await vggLive.garmentFromFile(new Blob([vggLive.bytes(code)]))]", code)
    expected = garment_from_picture(file.getvalue()).flatten().numpy().astype(int)
    assert expected.max() > 50
    magnified = 3 if mode == "faint" else 1  # brightening makes more of a rounding
    assert np.abs(np.array(found) - expected).max() <= magnified


# It answers every hand, at every size, and asks for nothing.


@pytest.mark.parametrize("address", STATES)
def test_every_state_fits_every_screen_and_everyone(offline: OfflinePage, file: Path, address: str) -> None:
    offline.page.emulate_media(reduced_motion="reduce")
    page = show(offline, file, address)
    for width, height, rules in ((1280, 720, ()), (853, 480, ONLY_NARROW), (390, 844, ONLY_NARROW)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(150)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{width}: scrolls sideways"
        found = violations(page, *rules)
        assert not found, "\n".join(found)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(150)
    assert not violations(page, "color-contrast"), "in the dark"
    assert offline.left == offline.errors == []


def test_drawing_changes_the_answer_and_says_so(offline: OfflinePage, file: Path) -> None:
    page = show(offline, file, "see")
    before, said = page.inner_text("#answers"), page.inner_text("#status")
    box = page.locator("#pad-a").bounding_box()
    assert box and "Ankle boot" in before
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 200, steps=12)
    middle = page.inner_text("#answers")
    page.mouse.up()
    page.wait_for_timeout(500)
    assert page.inner_text("#answers") != before and middle != before, "it answers while the hand moves"
    assert page.inner_text("#status") != said and "It says" in page.inner_text("#status")
    assert len(re.search(r"image=([\w-]+)", page.url)[1]) > 1000  # type: ignore[index]
    again, address = page.inner_text("#answers"), page.url
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_function("globalThis.vggLive?.parts?.see?.ready")
    assert page.inner_text("#answers") == again, "the address brings the drawing back"
    assert offline.left == offline.errors == []


def test_keyboard_alone_draws_chooses_and_points(offline: OfflinePage, file: Path) -> None:
    page = show(offline, file, "see")
    before = page.inner_text("#answers")
    page.focus("#pad-a")
    for key in ("Space", "ArrowDown", "Space", "Shift+ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    assert page.inner_text("#cap-a") == "your drawing" and page.inner_text("#answers") != before
    page.focus("#gallery button[tabindex='0']")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    assert page.inner_text("#cap-a").startswith("Trouser")
    page.focus("#glass")
    row = page.input_value("#cell-row")
    page.keyboard.press("ArrowDown")
    assert page.input_value("#cell-row") == str(int(row) + 1)
    page.select_option("#layer", label="fc8")
    page.wait_for_timeout(400)
    assert "every pixel" in page.inner_text("#field") and "fc8" in page.inner_text("#status")


def test_a_touch_draws(chromium: Browser, file: Path) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = show(OfflinePage(context.new_page()), file, "see")
    before = page.inner_text("#answers")
    page.tap("#clear")
    page.tap("#pad-a", position={"x": 60, "y": 60})
    page.wait_for_timeout(200)
    assert page.inner_text("#cap-a") == "your drawing" and page.inner_text("#answers") != before
    context.close()


def test_comparing_shows_the_difference_of_every_layer(offline: OfflinePage, file: Path) -> None:
    page = show(offline, file, "see&image=0&with=0&show=d")
    shares = page.locator(".apart").all_inner_texts()
    assert len(shares) == 15 and all(share.startswith("0%") for share in shares)
    page = show(offline, file, "see&image=0&with=1&show=d")
    assert all(int(share.split("%")[0]) > 20 for share in page.locator(".apart").all_inner_texts())


def test_the_stall_and_its_cure_are_told(offline: OfflinePage, file: Path) -> None:
    page = show(offline, file, "stall&init=default&depth=19")
    assert "shrinks" in page.inner_text("#finding") and "2.30259" in page.inner_text("#loss")
    assert page.locator(".differ").count() == 0, "to six decimals the scores are the same"
    page.check("input[value=he]", force=True)
    page.wait_for_function("document.querySelector('#finding').textContent.includes('holds')")
    assert "init=he" in page.url
    page.check("input[value='std0.1']", force=True)
    page.wait_for_function("document.querySelector('#finding').textContent.includes('grows')")


def test_the_recordings_are_those_that_are_stored(offline: OfflinePage, file: Path) -> None:
    page = show(offline, file, "stall&step=3000")
    assert "Recordings" in page.inner_text("#about")
    last = {name: run["losses"][-1][1] for name, run in export.stored_data()["recordings"].items()}
    assert f"default {last['stalled']:.3f}, He {last['freed']:.3f}" in page.inner_text("#at")


def test_the_tour_leads_through_all_parts_and_can_be_left(offline: OfflinePage, file: Path) -> None:
    page = show(offline, file, "see")
    page.click("#tour")
    seen, steps = set(), 0
    while page.is_visible("#guide") and steps < 30:
        seen.add(page.evaluate("location.hash").split("&")[0])
        assert page.locator(".lit").count() == 1 and page.locator(".lit").is_visible()
        page.click("#guide-next")
        steps += 1
    assert seen == {"#see", "#stall", "#count"} and 8 <= steps <= 12
    page.click("#tour")
    page.keyboard.press("Escape")
    assert not page.is_visible("#guide")
    assert offline.left == offline.errors == []


# Bad input gets a sentence.


@pytest.mark.parametrize(("content", "words"), [
    (b"", "is empty"), (b"no picture at all", "no photo that this browser can read"),
    (b"\x89PNG\r\n\x1a\n cut", "no photo that this browser can read"),
])  # fmt: skip
def test_what_is_no_photo_is_named(offline: OfflinePage, file: Path, content: bytes, words: str) -> None:
    page = show(offline, file, "see")
    page.set_input_files("#photo", {"name": "boot.png", "mimeType": "image/png", "buffer": content})
    page.wait_for_selector("#notice:not([hidden])")
    assert words in page.inner_text("#notice") and "boot.png" in page.inner_text("#notice")


def test_a_photo_in_which_nothing_stands_out_is_named(offline: OfflinePage, file: Path) -> None:
    page = show(offline, file, "see")
    plain = io.BytesIO()
    Image.new("RGB", (50, 40), (90, 90, 90)).save(plain, "PNG")
    page.set_input_files("#photo", {"name": "wall.png", "mimeType": "image/png", "buffer": plain.getvalue()})
    page.wait_for_selector("#notice:not([hidden])")
    assert "Nothing stands out" in page.inner_text("#notice")


@pytest.mark.parametrize(("address", "words"), [
    ("draw", "There is no part draw"), ("see&image=99999", "no test image 99999"),
    ("see&layer=conv9_9", "no layer conv9_9"), ("stall&depth=12", "depth=12 is unknown"),
    ("stall&init=zeros", "init=zeros is unknown"), ("count&width=7", "width=7 is unknown"),
    (f"see&image={'x' * 200}", "drawing in this address is damaged"),
])  # fmt: skip
def test_a_wrong_address_is_named(offline: OfflinePage, file: Path, address: str, words: str) -> None:
    page = show(offline, file, address)
    assert words in page.inner_text("#notice")
    assert page.locator(".part:visible").count() == 1
    assert offline.errors == []


# Ids, for else the weights would be in the names of the tests.
@pytest.mark.parametrize(("old", "new", "words"), [
    (WEIGHTS, "", "carries no weights"),
    (WEIGHTS[:4000], "", "weights on this page are damaged"),
    ('"network":', '"network"', "data on this page are damaged"),
], ids=["no weights", "cut weights", "broken data"])  # fmt: skip
def test_a_broken_page_says_so(
    offline: OfflinePage, file: Path, tmp_path: Path, old: str, new: str, words: str
) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / "broken.html").write_text(text.replace(old, new), encoding="utf-8")
    page = offline.open(tmp_path / "broken.html")
    page.wait_for_selector("#notice:not([hidden])")
    assert words in page.inner_text("#notice") and offline.errors == []


def test_without_scripts_a_picture_and_a_sentence_stand_there(chromium: Browser, file: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert "scripts are switched off" in page.locator("noscript").inner_text()
    assert page.locator("noscript img").is_visible()
    context.close()


def test_a_frame_in_a_notebook_opens_its_state(offline: OfflinePage, tmp_path: Path) -> None:
    cell = live("stall&init=he&depth=13")._repr_html_()
    (tmp_path / "cell.html").write_text(f'<!DOCTYPE html><html lang="en"><body>{cell}', encoding="utf-8")
    page = offline.open(tmp_path / "cell.html")
    frame = page.frame_locator("iframe")
    frame.locator("#finding").filter(has_text="holds").wait_for()
    assert frame.locator("input[value='13'][name=depth]").is_checked()
    assert offline.left == offline.errors == []
