"""Any photo becomes a garment picture; what is no photo is refused in one sentence."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter

from vgg_lesson import load_fashion_mnist
from vgg_lesson.data import pictures
from vgg_lesson.data.pictures import garment_from_picture, open_picture

RED, DARK, PALE = (170, 40, 30), (30, 30, 40), (235, 235, 225)


def saved(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """The content of the file that Pillow writes."""
    file = io.BytesIO()
    image.save(file, format=format, **options)
    return file.getvalue()


def photo(ground: Any = PALE, thing: Any = RED, size: tuple[int, int] = (400, 300), mode: str = "RGB") -> Image.Image:
    """A thing 100 wide and 200 high, off the centre, with a notch at its top right."""
    image = Image.new(mode, size, ground)
    draw = ImageDraw.Draw(image)
    draw.rectangle((220, 50, 319, 249), fill=thing)
    draw.rectangle((270, 50, 319, 99), fill=ground)
    return image


def assert_is_the_thing(garment: torch.Tensor) -> None:
    """14 wide, 28 high, in the middle, the notch at the top right, black around it."""
    assert garment.dtype == torch.uint8 and garment.shape == (28, 28)
    lit = garment > 60
    assert lit[1:27].any(dim=1).all()
    columns = lit.any(dim=0).nonzero().flatten()
    assert 6 <= columns[0] <= 8 and 19 <= columns[-1] <= 21
    assert lit[1:5, 8:13].all() and not lit[:5, 15:].any() and lit[10:, 8:19].all()
    assert garment[:, :5].max() == 0 and garment[:, 23:].max() == 0


@pytest.mark.parametrize(
    "image",
    [
        photo(), photo(DARK, PALE), photo((255, 255, 255), (0, 0, 0)), photo((0, 0, 0), (255, 255, 255)),
        photo(230, 60, mode="L"), photo(1, 0, mode="1"), photo((20, 15, 10, 5), (40, 200, 200, 60), mode="CMYK"),
        photo().convert("P"), photo().convert("LAB"), photo(60_000, 9_000, mode="I"), photo(1.0, 0.1, mode="F"),
    ],
    ids=lambda image: image.mode,
)  # fmt: skip
def test_a_thing_before_a_plain_background_in_every_mode(image: Image.Image) -> None:
    before = image.tobytes()
    assert_is_the_thing(garment_from_picture(image))
    assert image.tobytes() == before


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_format(format: str, tmp_path: Path) -> None:
    content = saved(photo(), format)
    assert_is_the_thing(garment_from_picture(content))
    assert_is_the_thing(garment_from_picture(memoryview(content)))
    (tmp_path / "picture").write_bytes(content)
    assert_is_the_thing(garment_from_picture(tmp_path / "picture"))
    assert_is_the_thing(garment_from_picture(str(tmp_path / "picture")))


def test_sixteen_bits_cmyk_and_palette_from_files() -> None:
    values = np.asarray(photo(230, 60, mode="L")).astype(np.uint16) * 257
    assert_is_the_thing(garment_from_picture(saved(Image.fromarray(values))))
    assert_is_the_thing(garment_from_picture(saved(photo((20, 15, 10, 5), (40, 200, 200, 60), mode="CMYK"), "JPEG")))
    assert_is_the_thing(garment_from_picture(saved(photo().convert("P", palette=Image.Palette.ADAPTIVE))))


@pytest.mark.parametrize("thing", [(0, 0, 0), (250, 250, 250), RED])
@pytest.mark.parametrize("hidden", [(0, 0, 0), (255, 255, 255)])
def test_what_is_transparent_is_background_whatever_colour_it_hides(thing: Any, hidden: Any) -> None:
    assert_is_the_thing(garment_from_picture(saved(photo((*hidden, 0), (*thing, 255), mode="RGBA"))))
    palette = photo((*hidden, 0), (*thing, 255), mode="RGBA").quantize(8)
    assert_is_the_thing(garment_from_picture(saved(palette)))


def test_noise_and_blur_of_a_camera() -> None:
    noise = np.random.default_rng(0).normal(0, 12, (300, 400, 3))
    shot = np.asarray(photo().filter(ImageFilter.GaussianBlur(2)), dtype=float) + noise
    speck = shot.clip(0, 255).astype(np.uint8)
    speck[5, 5] = 0
    assert_is_the_thing(garment_from_picture(saved(Image.fromarray(speck), "JPEG")))


def test_only_the_first_picture_of_an_animation_counts() -> None:
    frames = [photo(), photo(thing=PALE), photo(PALE, DARK).rotate(90)]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)
    assert_is_the_thing(garment_from_picture(content))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_a_camera_held_sideways(format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise to be upright
    assert_is_the_thing(garment_from_picture(saved(photo().rotate(90, expand=True), format, exif=exif)))


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (3000, 2), (2, 3000), (28, 28)])
@pytest.mark.parametrize("value", [0, 127, 128, 255])
def test_any_size_and_nothing_to_see(size: tuple[int, int], value: int) -> None:
    garment = garment_from_picture(Image.new("L", size, value))
    assert garment.shape == (28, 28) and not garment.any()


@pytest.mark.parametrize("size", [(900, 30), (30, 900)])
def test_tall_and_wide_things_keep_their_shape(size: tuple[int, int]) -> None:
    image = Image.new("L", size, 255)
    ImageDraw.Draw(image).rectangle((5, 5, size[0] - 6, size[1] - 6), fill=0)
    lit = garment_from_picture(image) > 60
    sides = lit.any(dim=0).sum(), lit.any(dim=1).sum()
    assert max(sides) == 28 and min(sides) == 1


def test_the_picture_is_upright_and_small() -> None:
    assert open_picture(photo().resize((4000, 3000))).size == (560, 420)
    assert open_picture(saved(photo().resize((4000, 3000)), "JPEG")).size == (560, 420)
    assert open_picture(photo()).size == (400, 300)


def test_a_garment_of_the_data_set_comes_back() -> None:
    from_edge_to_edge = [image for image in load_fashion_mnist("test").images[:60] if max(sides(image)) == 28]
    assert len(from_edge_to_edge) >= 5
    for image in from_edge_to_edge:
        sheet = Image.new("L", (500, 400), 255)
        sheet.paste(Image.fromarray(255 - image.numpy()).resize((224, 224), Image.Resampling.NEAREST), (200, 90))
        again = garment_from_picture(sheet).float()
        # Not every garment of the data set stands exactly in the middle.
        moved = [image.float().roll((down, right), (0, 1)) for down in range(-4, 5) for right in range(-4, 5)]
        assert min((again - other).abs().mean() for other in moved) < 20


def sides(image: torch.Tensor) -> tuple[int, int]:
    """How many rows and columns a garment spans."""
    rows, columns = (image > 26).nonzero().T
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1


def bomb(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


def broken_chunk() -> bytes:
    content = bytearray(saved(photo()))
    content[60] ^= 0xFF
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (lambda: b"", "empty"),
        (lambda: b"My favourite shirt is blue.", "no picture"),
        (lambda: b"%PDF-1.7 not a picture", "no picture"),
        (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "no picture"),
        (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
        (lambda: saved(photo())[:400], "cannot be read"),
        (lambda: saved(photo(), "JPEG")[:2000], "cannot be read"),
        (lambda: saved(photo())[:20], "picture"),
        (broken_chunk, "cannot be read"),
        (lambda: bomb(30_000, 3_000), "60 million"),
        (lambda: bomb(100_000, 100_000), "60 million"),
        (lambda: bomb(0, 5), "picture"),
        (lambda: bomb(200, 200), "cannot be read"),
        (lambda: b"\x89PNG\r\n\x1a\n", "picture"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(content: Callable[[], bytes], told: str, tmp_path: Path) -> None:
    renamed = tmp_path / "holiday.png"
    renamed.write_bytes(content())
    for source in (content(), renamed):
        with pytest.raises(ValueError, match=f"^source.*{told}"):
            garment_from_picture(source)


def test_limits_are_checked_before_anything_is_decoded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content = saved(photo())
    monkeypatch.setattr(pictures, "MAX_PIXELS", 400 * 300 - 1)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(ValueError, match="400×300 pixels"):
        garment_from_picture(content)
    monkeypatch.setattr(pictures, "MAX_BYTES", len(content) - 1)
    path = tmp_path / "large.png"
    path.write_bytes(content)
    for source in (content, path):
        with pytest.raises(ValueError, match="MB are read"):
            garment_from_picture(source)


def test_a_picture_just_within_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    content = saved(photo())
    monkeypatch.setattr(pictures, "MAX_PIXELS", 400 * 300)
    monkeypatch.setattr(pictures, "MAX_BYTES", len(content))
    assert_is_the_thing(garment_from_picture(content))


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="is not a file"):
        garment_from_picture("no/such/file.png")
    for source in (None, 5, torch.zeros(28, 28)):
        with pytest.raises(TypeError, match="a path or a Pillow image"):
            garment_from_picture(source)  # type: ignore[arg-type]
