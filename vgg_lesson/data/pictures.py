"""Any photo as the garment picture that a network of this lesson expects: 28×28, grey, bright on black.

The steps are those that made FashionMNIST from a shop's photos (Xiao et al., 2017, https://arxiv.org/abs/1708.07747,
figure 1): trim, longest side to 28, centre, negate, grey; the sharpening is left out.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn.functional import avg_pool2d

from vgg_lesson.data.datasets import SIDE

MAX_BYTES = 20_000_000
MAX_PIXELS = 60_000_000
WORKING_SIZE, ROUGH_SIZE = 560, 140  # pixels of the longer side: enough to show, and to find what stands out
STANDS_OUT, HAZE = 26, 13  # of 255: what differs less from the background belongs to it; what is left of its noise
# Formats that are decoded by Pillow itself and that a phone or a browser saves; EPS, say, would start a program.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
NAMES = "PNG, JPEG, WebP, GIF, BMP or TIFF"
WHITE, BLACK, LIGHT = 255, 0, 128

Source = bytes | bytearray | memoryview | str | Path | Image.Image


def garment_from_picture(source: Source) -> Tensor:
    """Turn a photo of one thing before a plain background into a picture like those of FashionMNIST.

    Returns:
        uint8 (28, 28), the background black (0). All zeros if nothing stands out from the background.

    Raises:
        ValueError, TypeError: see `open_picture`.
    """
    return garment_from_grey(grey(open_picture(source)))


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


def grey(picture: Image.Image) -> Tensor:
    """The brightness of a picture, uint8 (H, W); what is transparent gets the background that it stands out from."""
    if picture.mode != "RGBA":
        return _tensor(picture.convert("L"))
    light, alpha = _tensor(picture.convert("RGB").convert("L")).float(), _tensor(picture.getchannel("A")).float() / 255
    visible = (light * alpha).sum() / alpha.sum().clamp(min=1e-6)
    ground = BLACK if visible >= LIGHT else WHITE
    return (light * alpha + ground * (1 - alpha)).round().to(torch.uint8)


def garment_from_grey(values: Tensor) -> Tensor:
    """The garment picture, uint8 (28, 28), of brightness ``values``, uint8 (H, W): see `garment_from_picture`."""
    inside = _without_specks(_on_black(_rough(values).float()) > STANDS_OUT)
    garment = torch.zeros(SIDE, SIDE, dtype=torch.uint8)
    if not inside.any():
        return garment
    content = _on_black(values.float())[_extent(inside.any(dim=1), len(values)), :]
    content = content[:, _extent(inside.any(dim=0), values.shape[1])]
    scale = SIDE / max(content.shape)
    height, width = (max(1, round(side * scale)) for side in content.shape)
    small = Image.fromarray(content.round().to(torch.uint8).numpy()).resize((width, height), Image.Resampling.BOX)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    garment[top : top + height, left : left + width] = _tensor(small)
    garment[garment < HAZE] = 0
    return garment


def _rough(values: Tensor) -> Tensor:
    """So small that most noise is averaged away."""
    image = Image.fromarray(values.numpy())
    image.thumbnail((ROUGH_SIZE, ROUGH_SIZE), Image.Resampling.BOX)
    return _tensor(image)


def _without_specks(lit: Tensor) -> Tensor:
    """Dust and noisy pixels stand alone; a part of a garment has a neighbour."""
    around = avg_pool2d(lit[None].float(), 3, stride=1, padding=1, divisor_override=1)[0]
    return lit & (around > 1.5)


def _extent(lit: Tensor, length: int) -> slice:
    """From the first to the last that is lit, on an axis of ``length`` pixels."""
    places = lit.nonzero().flatten().tolist()
    return slice(places[0] * length // len(lit), -(-(places[-1] + 1) * length // len(lit)))


def _on_black(values: Tensor) -> Tensor:
    """Brightness as distance from the background, 0 to 255: negated where the rim of the picture is light."""
    rim = torch.cat([values[0], values[-1], values[:, 0], values[:, -1]])
    ground = rim.median().item()
    if ground >= LIGHT:
        return (ground - values).clamp(min=0) * 255 / ground
    return (values - ground).clamp(min=0) * 255 / (255 - ground)


def _content(source: object) -> bytes:
    if isinstance(source, str | Path):
        path = Path(source)
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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower
            return Image.open(io.BytesIO(content), formats=FORMATS)
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
    clear = image.has_transparency_data
    if image.mode[0] in "IF":
        image, clear = _eight_bits(image), False
    if image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("RGBA" if clear else "RGB")
    image.thumbnail((WORKING_SIZE, WORKING_SIZE))
    return ImageOps.exif_transpose(image.convert("RGBA" if clear else "RGB"))


def _eight_bits(image: Image.Image) -> Image.Image:
    """16 bits, 32 bits or fractions to 8 bits; white is the largest that 16 bits can hold, or that there is."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0).clip(min=0)
    largest = float(values.max())
    top = max(largest, 65_535.0) if image.mode[0] == "I" else largest or 1.0
    result = Image.fromarray((values * 255 / top).round().astype(np.uint8))
    result.info = {key: value for key, value in image.info.items() if key == "exif"}
    return result


def _tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image))
