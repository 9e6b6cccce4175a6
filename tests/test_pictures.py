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
from PIL import Image, ImageDraw, ImageFilter, PngImagePlugin, features

from vgg_lesson import load_fashion_mnist
from vgg_lesson.data import pictures
from vgg_lesson.data.pictures import (
    DIM,
    FAINT,
    HOLLOW,
    NOTHING,
    PIECES,
    UNEVEN,
    garment_and_remark,
    garment_from_picture,
    open_picture,
)

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
@pytest.mark.filterwarnings("ignore:nothing stands out")
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


def test_a_picture_of_too_many_bytes_is_told_how_many() -> None:
    with pytest.raises(ValueError, match="source has 23 MB; at most 20 MB are read"):
        garment_from_picture(bytes(23_000_000))


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


# --- backgrounds that are not white, and what must be said


def shirt(ground: Any, thing: Any, pocket: Any = None) -> Image.Image:
    """A shirt off the middle, perhaps with a pocket."""
    image = Image.new("RGB", (400, 300), ground)
    draw = ImageDraw.Draw(image)
    draw.polygon(OUTLINE, fill=thing)
    if pocket:
        draw.rectangle((210, 110, 245, 150), fill=pocket)
    return image


OUTLINE = [
    (130, 60), (170, 40), (230, 40), (270, 60), (320, 120), (285, 145), (262, 120), (262, 270), (138, 270), (138, 120),
    (115, 145), (80, 120),
]  # fmt: skip


def before(ground: np.ndarray, thing: Any) -> Image.Image:
    """The shirt on any background, (300, 400, 3)."""
    image = Image.fromarray(ground.clip(0, 255).astype(np.uint8))
    ImageDraw.Draw(image).polygon(OUTLINE, fill=thing)
    return image


def iou(garment: torch.Tensor) -> float:
    """How much of the shirt, and nothing else, is lit."""
    wanted = garment_from_picture(shirt("white", "black")) > 60
    lit = garment > 60
    return float((lit & wanted).sum() / (lit | wanted).sum())


def grey_of(level: int) -> tuple[int, int, int]:
    return level, level, level


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (shirt(grey_of(215), grey_of(255)), DIM),
        (shirt(grey_of(60), grey_of(5)), DIM),
        (shirt(grey_of(120), grey_of(20)), ""),
        (shirt(grey_of(128), "white", "black"), ""),
        (shirt((30, 40, 180), (190, 30, 30)), ""),
        (shirt((200, 40, 40), (40, 140, 40)), ""),
        (shirt((60, 150, 60), (190, 40, 40), "yellow"), ""),
        (shirt(grey_of(200), (255, 192, 203)), DIM),
        (shirt("white", (40, 40, 90)), ""),
        (shirt("black", (40, 160, 90)), ""),
    ],
)
def test_the_whole_garment_on_any_plain_background(image: Image.Image, told: str) -> None:
    garment, remark = garment_and_remark(open_picture(image))
    assert remark == told and iou(garment) > 0.9
    assert garment[garment > 0].float().quantile(0.9) >= FAINT


ROWS, COLUMNS = np.mgrid[0:300, 0:400]
RANDOM = np.random.default_rng(0)
RINGS = ((COLUMNS - 200) / 200) ** 2 + ((ROWS - 150) / 150) ** 2
BUSY = RANDOM.integers(0, 255, (30, 40, 3), dtype=np.uint8).repeat(10, axis=0).repeat(10, axis=1)
CHECKS = np.where(((ROWS // 30 + COLUMNS // 30) % 2)[..., None], grey_of(90), grey_of(255))
VIGNETTE = (245 * (1 - 0.35 * RINGS))[..., None] * np.ones(3)
WOOD = np.array([160, 110, 70]) + 25 * np.sin(ROWS / 6 + 3 * np.sin(COLUMNS / 90))[..., None]


def framed() -> Image.Image:
    image = Image.new("RGB", (400, 300), (60, 40, 30))
    image.paste(shirt("white", (30, 30, 60)).resize((340, 250)), (30, 25))
    return image


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (before(BUSY, grey_of(20)), UNEVEN),
        (before(CHECKS, (200, 30, 30)), UNEVEN),
        (before(VIGNETTE, (40, 40, 90)), UNEVEN),
        (before(WOOD, (230, 230, 235)), UNEVEN),
        (shirt("white", (40, 60, 120)).crop((120, 70, 290, 260)), UNEVEN),
        (shirt("white", (40, 60, 120)).crop((140, 70, 260, 260)), NOTHING),
        (shirt("white", (252, 250, 250)), NOTHING),
        (framed(), HOLLOW),
        (shirt("white", "white", "black").transpose(Image.Transpose.ROTATE_90), ""),
    ],
)
def test_an_honest_word_where_it_cannot_be_done_well(image: Image.Image, told: str) -> None:
    assert garment_and_remark(open_picture(image))[1] == told
    if told:
        with pytest.warns(UserWarning, match=told[:20]):
            garment_from_picture(image)


def test_a_garment_of_which_only_pieces_stand_out() -> None:
    image = Image.new("RGB", (400, 300), "white")
    for left in (60, 180, 300):
        ImageDraw.Draw(image).rectangle((left, 100, left + 30, 200), fill=(60, 60, 60))
    assert garment_and_remark(open_picture(image))[1] == PIECES


@pytest.mark.parametrize("top", [255, 1023, 4095, 16_383, 65_535])
def test_as_many_bits_as_a_camera_has(top: int) -> None:
    values = (np.asarray(photo(255, 30, mode="L")).astype(np.float64) * top / 255).round().astype(np.uint16)
    assert_is_the_thing(garment_from_picture(saved(Image.fromarray(values))))


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow was built without AVIF")
def test_avif() -> None:
    assert_is_the_thing(garment_from_picture(saved(photo(), "AVIF")))


XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" {}</rdf:Description></rdf:RDF></x:xmpmeta>'
)
IN_ATTRIBUTE, IN_SINGLE, IN_ELEMENT = (
    'tiff:Orientation="{}">', "tiff:Orientation = '{}'>", "><tiff:Orientation>{}</tiff:Orientation>"
)  # fmt: skip


def as_text(kind: str, content: bytes) -> str:
    """As ImageMagick writes a profile into a PNG."""
    digits = content.hex()
    lines = "\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    return f"\n{kind}\n{len(content):8}\n{lines}\n"


def noted(where: str, orientation: int) -> PngImagePlugin.PngInfo:
    exif = Image.Exif()
    exif[0x0112] = orientation
    info = PngImagePlugin.PngInfo()
    if where in ("exif", "APP1"):
        info.add_text(f"Raw profile type {where}", as_text(where, exif.tobytes()))
    elif where == "xmp as text":
        content = b"http://ns.adobe.com/xap/1.0/\0" + XMP.format(IN_ATTRIBUTE.format(orientation)).encode()
        info.add_text("Raw profile type APP1", as_text("APP1", content))
    else:
        form = {"attribute": IN_ATTRIBUTE, "single": IN_SINGLE, "element": IN_ELEMENT}[where]
        info.add_itxt("XML:com.adobe.xmp", XMP.format(form.format(orientation)))
    return info


@pytest.mark.parametrize("where", ["exif", "APP1", "xmp as text", "attribute", "single", "element"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(("orientation", "turned"), [(3, 180), (6, 90), (8, 270)])
def test_orientation_from_wherever_it_is_stored(where: str, bits: int, orientation: int, turned: int) -> None:
    image = photo(230, 60, mode="L").rotate(turned, expand=True)
    if bits == 16:
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    content = saved(image, pnginfo=noted(where, orientation))
    assert_is_the_thing(garment_from_picture(content))
    assert open_picture(content).size == (400, 300)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_in_sixteen_bits(orientation: int) -> None:
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    turn = pictures.TURNS.get(inverse)
    image = photo(230, 60, mode="L")
    image = image.transpose(turn) if turn is not None else image
    exif = Image.Exif()
    exif[0x0112] = orientation
    wide = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    for content in (saved(wide, exif=exif), saved(wide, "TIFF", exif=exif), saved(image, exif=exif)):
        assert_is_the_thing(garment_from_picture(content))


@pytest.mark.parametrize(
    "note", ["tiff:Orientation='99'", "<tiff:Orientation>x", "\n\nexif\n 9\nzz", "\nAPP1\n 8\n4578"]
)
def test_a_damaged_note_on_orientation_is_passed_over(note: str) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Raw profile type APP1", note)
    info.add_text("Raw profile type exif", note)
    info.add_itxt("XML:com.adobe.xmp", note)
    assert_is_the_thing(garment_from_picture(saved(photo(), pnginfo=info)))


def test_a_picture_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    photo().save(tmp_path / "shirt.png")
    assert_is_the_thing(garment_from_picture("~/shirt.png"))


def test_a_frame_of_a_single_pixel_is_hollow_and_a_broken_one_is_not() -> None:
    frame = torch.full((12, 10), 200, dtype=torch.uint8)
    frame[1:-1, 1:-1] = 0
    assert pictures._is_hollow(frame) and not pictures._is_hollow(torch.full((12, 10), 200, dtype=torch.uint8))
    for side in (0, -1):
        broken = frame.clone()
        broken[side] = 0
        assert not pictures._is_hollow(broken) and not pictures._is_hollow(broken.T)


@pytest.mark.parametrize(("apart", "uneven"), [(pictures.HAZE, False), (pictures.STANDS_OUT, True), (27, False)])
def test_what_is_neither_ground_nor_thing_makes_a_ground_uneven(apart: float, uneven: bool) -> None:
    picture = torch.zeros(40, 40)
    picture[10:30, 10:30] = apart
    assert pictures._is_uneven(picture) is uneven


@pytest.mark.parametrize(("lit", "uneven"), [(8, False), (9, True)])
def test_a_quarter_of_the_rim_may_differ(lit: int, uneven: bool) -> None:
    picture = torch.zeros(10, 10)  # 36 pixels of rim, corners counted twice: 40
    picture[1 : lit + 1, 0] = picture[3:5, 9] = 200
    assert pictures._is_uneven(picture) is uneven


@pytest.mark.parametrize(("bright", "brightened"), [(FAINT, False), (FAINT - 1, True)])
def test_what_is_bright_enough_is_left_as_it_is(bright: int, brightened: bool) -> None:
    small, told = pictures._brightened(torch.full((4, 4), bright, dtype=torch.uint8))
    assert told is brightened and int(small.min()) == (pictures.BRIGHT if brightened else 80)


def test_the_extent_reaches_from_the_first_lit_place_to_the_last() -> None:
    assert pictures._extent(torch.tensor([0, 1, 0, 1, 0]) > 0, 10) == slice(2, 8)
    assert pictures._extent(torch.tensor([0, 1, 0]) > 0, 10) == slice(3, 7)


@pytest.mark.parametrize(("size", "in_pieces"), [(5, True), (6, False)])
def test_most_of_a_thing_in_one_piece_is_enough(size: int, in_pieces: bool) -> None:
    inside = torch.zeros(12, 3, dtype=torch.bool)
    inside[:size, 0] = inside[size + 1 : 11, 0] = True
    assert int(inside.sum()) == 10 and pictures._is_in_pieces(inside) is in_pieces
