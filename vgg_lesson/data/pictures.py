"""Any photo as the garment picture that a network of this lesson expects: 28×28, grey, bright on black.

The steps are those that made FashionMNIST from a shop's photos (Xiao et al., 2017, https://arxiv.org/abs/1708.07747,
figure 1): trim, longest side to 28, centre, negate, grey; the sharpening is left out.
"""

from __future__ import annotations

import io
import re
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from PIL import Image, features
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d

from vgg_lesson.data.datasets import SIDE
from vgg_lesson.support.files import user_path

MAX_BYTES = 20_000_000
MAX_PIXELS = 60_000_000
WORKING_SIZE, ROUGH_SIZE = 560, 140  # pixels of the longer side: enough to show, and to find what stands out
STANDS_OUT, HAZE = 26, 13  # of 255: what differs less from the background belongs to it; what is left of its noise
FAINT, BRIGHT = 80, 160  # of 255: a garment whose brighter part is below the one is brightened to the other
COLOUR_COUNTS = 0.75  # a difference in one colour beside one in grey, where they are compared with `STANDS_OUT`
UNEVEN_RIM, UNEVEN_AREA, WHOLE = 0.25, 0.08, 0.6  # shares of the rim, of the picture, of what stands out
NOTHING = "nothing stands out from the background"
UNEVEN = "the background is not plain, so that some of it may be taken for the thing: a plain sheet behind it helps"
HOLLOW = "what stands out is hollow, as a sheet in a frame is: cut the picture so that only the sheet is on it"
PIECES = "what stands out is in several pieces, of which some may be missing: another background helps"
DIM = "what stands out is faint, and was brightened: a darker or lighter background helps"
# Formats that are decoded by Pillow itself and that a phone or a browser saves; EPS, say, would start a program.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
NAMES = "PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF"
WHITE, BLACK, LIGHT = 255, 0, 128
LUMA = torch.tensor([0.299, 0.587, 0.114])  # the eye's weights of red, green and blue, ITU-R BT.601
ORIENTATION = 0x0112  # of EXIF: which side of what the sensor saw is up
_IN_XMP = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])")
_RAW_PROFILES = ("exif", "APP1", "xmp")

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip

Source = bytes | bytearray | memoryview | str | Path | Image.Image


def garment_from_picture(source: Source) -> Tensor:
    """Turn a photo of one thing before a plain background into a picture like those of FashionMNIST.

    Returns:
        uint8 (28, 28), the background black (0). All zeros if nothing stands out from the background. A warning
        says when the picture is of a kind that this cannot be done well with.

    Raises:
        ValueError, TypeError: see `open_picture`.
    """
    garment, remark = garment_and_remark(open_picture(source))
    if remark:
        warnings.warn(remark, stacklevel=2)
    return garment


def open_picture(source: Source) -> Image.Image:
    """Decode a picture: upright, at most 560 pixels on its longer side, mode "RGB" or "RGBA"; of several, the first.

    Args:
        source: the content of a file, its path, or a Pillow image.

    Raises:
        ValueError: no picture, a damaged one, more than 20 MB or more than 60 million pixels.
        TypeError: something else than these.
    """
    image = source if isinstance(source, Image.Image) else _opened(_content(source))
    width, height = image.size
    if not width * height:
        raise ValueError(f"source is a picture of {width}×{height} pixels; at least one pixel is needed")
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"source has {width:,}×{height:,} pixels; at most {MAX_PIXELS // 1_000_000} million are read: "
            "make the picture smaller first"
        )
    try:
        if image is source:
            image = image.copy()
        return _prepared(image)
    except Exception as error:  # a decoder that is given a damaged file may raise anything
        raise ValueError(f"source starts like a picture but cannot be read to its end ({error})") from error


def garment_and_remark(picture: Image.Image) -> tuple[Tensor, str]:
    """The garment picture, uint8 (28, 28), of a decoded one, and what must be said about it; "" if all is well.

    The background is what the rim of the picture shows. Whatever differs from it counts, be it lighter, darker or of
    another colour, and is brighter the more it differs.
    """
    values = _colours(picture)
    rough = _rough(values)
    ground = torch.cat([rough[0], rough[-1], rough[:, 0], rough[:, -1]]).median(dim=0).values
    apart = torch.maximum(((rough - ground) @ LUMA).abs(), COLOUR_COUNTS * (rough - ground).abs().amax(dim=-1))
    inside = _without_specks(apart > STANDS_OUT)
    garment = torch.zeros(SIDE, SIDE, dtype=torch.uint8)
    if not inside.any():
        return garment, NOTHING
    content = _brightness(values, ground)[_extent(inside.any(dim=1), len(values)), :]
    content = content[:, _extent(inside.any(dim=0), values.shape[1])]
    scale = SIDE / max(content.shape)
    height, width = (max(1, round(side * scale)) for side in content.shape)
    small = _tensor(
        Image.fromarray(content.round().to(torch.uint8).numpy()).resize((width, height), Image.Resampling.BOX)
    )
    small, is_dim = _brightened(torch.where(small < HAZE, 0, small))
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    garment[top : top + height, left : left + width] = small
    remarks = (
        (_is_hollow(small), HOLLOW), (_is_uneven(apart), UNEVEN), (_is_in_pieces(inside), PIECES), (is_dim, DIM),
    )  # fmt: skip
    return garment, next((remark for holds, remark in remarks if holds), "")


def _colours(picture: Image.Image) -> Tensor:
    """Red, green and blue, float (H, W, 3), 0 to 255; what is transparent gets a ground that it stands out from."""
    colours = _tensor(picture.convert("RGB")).float()
    if picture.mode != "RGBA":
        return colours
    alpha = _tensor(picture.getchannel("A")).float()[..., None] / 255
    visible = (colours @ LUMA * alpha[..., 0]).sum() / alpha.sum().clamp(min=1e-6)
    return colours * alpha + (BLACK if visible >= LIGHT else WHITE) * (1 - alpha)


def _brightness(values: Tensor, ground: Tensor) -> Tensor:
    """How much every pixel, (H, W), differs from the background, 0 to 255: in grey, or at least by half in a colour."""
    grey, grey_ground = values @ LUMA, float(ground @ LUMA)
    colour = (values - ground).abs().amax(dim=-1) / 2
    return torch.maximum((grey - grey_ground).abs(), colour) * 255 / max(grey_ground, 255 - grey_ground)


def _brightened(small: Tensor) -> tuple[Tensor, bool]:
    """Stretched so that the brighter part is as bright as a garment's, and whether that was needed."""
    bright = float(small[small > 0].float().quantile(0.9)) if small.any() else 0.0
    if bright >= FAINT:
        return small, False
    return (small * (BRIGHT / max(bright, 1.0))).clamp(max=255).to(torch.uint8), True


def _is_uneven(apart: Tensor) -> bool:
    """Whether the rim differs in itself, or much of the picture is neither background nor clearly apart from it."""
    rim = torch.cat([apart[0], apart[-1], apart[:, 0], apart[:, -1]])
    between = (apart > HAZE) & (apart <= STANDS_OUT)
    return bool((rim > HAZE).float().mean() > UNEVEN_RIM or between.float().mean() > UNEVEN_AREA)


def _is_hollow(small: Tensor) -> bool:
    """Whether the edges of what was cut out are bright all around and its middle is not, as of a sheet in a frame."""
    height, width = small.shape
    if min(height, width) < 8:
        return False
    edge = torch.cat([small[0], small[-1], small[:, 0], small[:, -1]]).float()
    middle = small[height // 4 : -(height // 4), width // 4 : -(width // 4)].float()
    return bool((edge > HAZE).float().mean() > 0.9 and middle.mean() < 0.75 * edge.mean())


def _is_in_pieces(inside: Tensor) -> bool:
    """Whether the largest connected piece is not most of what stands out."""
    left, largest = inside.clone(), 0
    while left.any():
        piece = torch.zeros_like(left)
        row, column = left.nonzero()[0].tolist()
        piece[row, column] = True
        size = 0
        while (grown := int(piece.sum())) > size:
            size = grown
            piece = (max_pool2d(piece[None].float(), 3, stride=1, padding=1)[0] > 0) & left
        largest = max(largest, size)
        left &= ~piece
        if largest >= int(left.sum()):
            break
    return largest < WHOLE * int(inside.sum())


def _rough(values: Tensor) -> Tensor:
    """So small that most noise is averaged away."""
    image = Image.fromarray(values.round().to(torch.uint8).numpy())
    image.thumbnail((ROUGH_SIZE, ROUGH_SIZE), Image.Resampling.BOX)
    return _tensor(image).float()


def _without_specks(lit: Tensor) -> Tensor:
    """Dust and noisy pixels stand alone; a part of a garment has a neighbour."""
    around = avg_pool2d(lit[None].float(), 3, stride=1, padding=1, divisor_override=1)[0]
    return lit & (around > 1.5)


def _extent(lit: Tensor, length: int) -> slice:
    """From the first to the last that is lit, on an axis of ``length`` pixels."""
    places = lit.nonzero().flatten().tolist()
    return slice(places[0] * length // len(lit), -(-(places[-1] + 1) * length // len(lit)))


def _content(source: object) -> bytes:
    if isinstance(source, str | Path):
        path = user_path(source)
        if not path.is_file():
            raise ValueError(f"source={str(source)!r} is not a file; the path of a picture is expected")
        _check_bytes(path.stat().st_size)
        return path.read_bytes()
    if not isinstance(source, bytes | bytearray | memoryview):
        raise TypeError(f"source is {type(source).__name__}; a file's content, a path or a Pillow image is expected")
    content = bytes(source)
    _check_bytes(len(content))
    return content


def _check_bytes(count: int) -> None:
    if not count:
        raise ValueError("source is empty; a picture is expected")
    if count > MAX_BYTES:
        raise ValueError(f"source has {count / 1e6:.0f} MB; at most {MAX_BYTES // 1_000_000} MB are read")


def _opened(content: bytes) -> Image.Image:
    """Only the header is read here, so that the size is known before anything is decoded."""
    try:
        formats = (*FORMATS, "AVIF") if "avif" in features.modules and features.check("avif") else FORMATS
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limits are lower than Pillow's
            return Image.open(io.BytesIO(content), formats=formats)
    except Image.DecompressionBombError as error:
        raise ValueError(
            f"source unfolds to far more pixels than the {MAX_PIXELS // 1_000_000} million that are read"
        ) from error
    except Exception as error:  # as above: whatever it is, it is no picture to us
        raise ValueError(f"source is no picture that can be read; a {NAMES} file is expected") from error


def _prepared(image: Image.Image) -> Image.Image:
    image.seek(0)
    image.draft("RGB", (WORKING_SIZE, WORKING_SIZE))  # lets JPEG skip detail that is not needed
    image.load()
    turn, clear = TURNS.get(_orientation(image)), image.has_transparency_data
    if image.mode[0] in "IF":
        image, clear = _eight_bits(image), False
    if image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("RGBA" if clear else "RGB")
    image.thumbnail((WORKING_SIZE, WORKING_SIZE))
    image = image.convert("RGBA" if clear else "RGB")
    return image.transpose(turn) if turn is not None else image


def _orientation(image: Image.Image) -> int:
    """From wherever it is stored: EXIF, XMP, or one of them as text, as some programs put them into a PNG."""
    with suppress(Exception):  # what a damaged note says does not matter
        if found := image.getexif().get(ORIENTATION):
            return int(found)
    notes = [value for value in image.info.values() if isinstance(value, str | bytes)]
    notes += [_unwrapped(str(image.info.get(f"Raw profile type {kind}", ""))) for kind in _RAW_PROFILES]
    for note in notes:
        content = note.encode(errors="replace") if isinstance(note, str) else note
        if found := _IN_XMP.search(content):
            return int(found[1])
        if content.startswith(b"Exif\0\0"):
            exif = Image.Exif()
            with suppress(Exception):
                exif.load(content)
                return int(exif.get(ORIENTATION, 1))
    return 1


def _unwrapped(profile: str) -> bytes:
    """What ImageMagick writes as a name, a length and hexadecimal digits."""
    with suppress(ValueError):
        return bytes.fromhex("".join(profile.split()[2:]))
    return b""


def _eight_bits(image: Image.Image) -> Image.Image:
    """16 bits, 32 bits or fractions to 8 bits; white is the largest that as many bits hold as the picture uses."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0).clip(min=0)
    largest = float(values.max())
    top = 2.0 ** max(8, int(largest).bit_length()) - 1 if image.mode[0] == "I" else largest or 1.0
    return Image.fromarray((values * 255 / top).round().astype(np.uint8))


def _tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image))
