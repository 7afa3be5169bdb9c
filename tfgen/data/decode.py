"""The one decoder of picture files: for data sets, single images, masks and clients.

It opens a few formats of Pillow's, by their content and never by a name, and answers whatever is
wrong with one sentence. `docs/data.md` lists what is converted and what is refused.
"""

import contextlib
import io
import pathlib
import threading
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

from tfgen.data import deep, modes, preprocess, reading, silence
from tfgen.data.modes import Colours
from tfgen.data.reading import Reading
from tfgen.errors import UserError

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
"""What is opened. Others of Pillow's start programs (EPS), or are no pictures."""

MOST_PIXELS = 178_956_970
"""Pixels of the largest picture that is decoded, as Pillow's own limit has it."""

NEW_SUBFILE_TYPE, SUBFILE_TYPE = 254, 255
"""Tags of TIFF that mark a page as a smaller copy of another, or as its mask."""

KINDS = {
    b"": "an empty file",
    b"%!PS": "PostScript",
    b"\xc5\xd0\xd3\xc6": "PostScript",
    b"%PDF": "a PDF",
    b"8BPS": "a Photoshop file",
    b"\x00\x00\x00\x0cjP": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"II*\0": "a TIFF that is damaged or of a rare kind, such as one of several bands,",
    b"MM\0*": "a TIFF that is damaged or of a rare kind, such as one of several bands,",
    b"\x89PNG": "a damaged PNG",
    b"\xff\xd8": "a damaged JPEG",
    b"GIF8": "a damaged GIF",
    b"\x93NUMPY": "a NumPy array",
    b"PK\x03\x04": "an archive",
    b"<svg": "an SVG drawing",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
    b"version https://git-lfs": "a pointer of Git LFS in the place of the file",
}
"""What is often taken for a picture, by its first bytes."""


class Decoder:
    """The decoder of the pictures of one data set, or of one request.

    Args:
        subject: what a complaint begins with, such as `dataset folder:a`.
        stated: what the user states about the pictures.

    Attributes:
        notes: what was taken for evident and is worth a word to the user; grows while pictures are
            decoded.
        evident: the samples that evidently stand for white, each with a file; grows, too.
    """

    def __init__(self, subject: str, stated: Reading = reading.PLAIN):
        self.subject = subject
        self.stated = stated
        self.notes: list[str] = []
        self.evident: dict[int, pathlib.PurePath] = {}
        self._judging = threading.Lock()

    def image(self, path: pathlib.PurePath, content: bytes) -> np.ndarray:
        """Decodes a picture.

        Args:
            path: of the file, for complaints.
            content: of the file.

        Returns:
            uint8 [h, w] for grey, or [h, w, 3].

        Raises:
            UserError: if it cannot be decoded, or if what it shows cannot be told for sure.
        """
        with self.answered(path):
            return self.opaque(path, self._colours(path, content))

    def sized(self, path: pathlib.PurePath, content: bytes) -> np.ndarray:
        """Decodes a picture, and crops and resizes it to the stated size if that can be done now.

        It cannot where numbers are yet to be mapped from a stated range.

        Args:
            path: of the file, for complaints.
            content: of the file.
        """
        found = self.image(path, content)
        if self.stated.size is None or self.stated.value_range is not None:
            return found
        return preprocess.prepare(found, self.stated.size, None)

    def mask(self, path: pathlib.PurePath, content: bytes) -> np.ndarray:
        """Decodes a picture of two greys.

        Args:
            path: of the file, for complaints.
            content: of the file.

        Returns:
            bool [h, w], True where the picture is lighter.

        Raises:
            UserError: if it cannot be decoded, is coloured or transparent, or has not two values.
        """
        with self.answered(path):
            values, alpha = self._colours(path, content)
        expected = f"{self.subject}: expected a mask of two greys, such as black and white,"
        if alpha is not None and alpha.min(initial=255) < 255:
            raise UserError(f"{expected} and found transparency in {path}; save it without alpha")
        if values.ndim == 3 and (values != values[..., :1]).any():
            raise UserError(f"{expected} and found colours, or a palette of some, in {path}")
        grey = values[..., 0] if values.ndim == 3 else values
        levels = np.unique(grey)
        if len(levels) == 1:
            raise UserError(
                f"{expected} and found the value {levels[0]} alone in {path}, which hides "
                "everything or nothing"
            )
        if len(levels) > 2:
            raise UserError(
                f"{expected} and found {len(levels)} values in {path}; save it as PNG, without "
                "smooth edges"
            )
        return grey == levels[1]

    @contextlib.contextmanager
    def answered(self, path: pathlib.PurePath) -> Iterator[None]:
        """Answers whatever Pillow raises with one sentence, and silences its warnings."""
        try:
            with silence.WARNINGS:
                yield
        except UserError:
            raise
        except Exception as error:  # damaged files raise errors of many kinds
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(
                f"{self.subject}: expected an image file and could not decode {path} ({reason})"
            ) from error

    def _open(self, path: pathlib.PurePath, content: bytes) -> ImageFile.ImageFile:
        try:
            picture = Image.open(io.BytesIO(content), formats=FORMATS)
        except UnidentifiedImageError as error:
            raise UserError(
                f"{self.subject}: expected an image file (PNG, JPEG, GIF, BMP, TIFF, WebP or PPM) "
                f"and found {_kind(content)} in {path}"
            ) from error
        width, height = picture.size
        if not 0 < width * height <= MOST_PIXELS:
            raise UserError(
                f"{self.subject}: expected 1 to {MOST_PIXELS:,} pixels and found "
                f"{width * height:,} pixels, {height}x{width}, in {path}"
            )
        return picture

    def _colours(self, path: pathlib.PurePath, content: bytes) -> Colours:
        """Decodes a picture to 8 bits, with its transparency apart."""
        picture = self._open(path, content)
        if _has_several(self._open(path, content)):
            raise UserError(
                f"{self.subject}: expected one picture a file and found several pages or frames in "
                f"{path}; save those that you want as files of their own"
            )
        extra = modes.unexplained(picture)
        if extra:
            raise UserError(
                f"{self.subject}: expected grey or colour and found {extra} beside, channels of "
                f"unknown meaning, in {path}; save it without these"
            )
        found = deep.samples(picture, content)
        if found is not None:
            return self._of_samples(path, found)
        if self.stated.size is not None and picture.format in ("JPEG", "MPO"):
            side = 2 * max(self.stated.size)
            picture.draft(None, (side, side))
        return modes.colours(picture)

    def _of_samples(self, path: pathlib.PurePath, found: deep.Samples) -> Colours:
        """Scales samples of more than 8 bits."""
        has_alpha = found.mode in ("LA", "RGBA")
        values = found.values[..., :-1] if has_alpha else found.values
        white = self._white(path, values, found.white)
        if found.inverted:
            values = white - values
        scaled = deep.to_bytes(values, white)
        if found.mode == "CMYK":
            height, width, _ = scaled.shape
            return modes.colours(Image.frombytes("CMYK", (width, height), scaled.tobytes()))
        scaled = scaled[..., 0] if scaled.shape[-1] == 1 else scaled
        if not has_alpha:
            return Colours(scaled, None)
        alpha = found.values[..., -1]
        return Colours(
            scaled, deep.to_bytes(alpha, white if alpha.max() <= white else deep.SIXTEEN)
        )

    def _white(self, path: pathlib.PurePath, values: np.ndarray, declared: int | None) -> int:
        """Returns the sample that stands for white: stated, declared, or evident."""
        largest = int(values.max(initial=0))
        if self.stated.bit_depth is not None:
            white = 2**self.stated.bit_depth - 1
            if largest > white:
                raise UserError(
                    f"{self.subject}: expected samples up to {white}, by --bit_depth, and found "
                    f"{largest} in {path}"
                )
            return white
        if declared is not None:
            return max(declared, largest)
        white = deep.evident_white(values)
        with self._judging:
            if white not in self.evident and white < deep.SIXTEEN:
                self.notes.append(f"samples of 16 bits taken for {white.bit_length()} bits")
            self.evident.setdefault(white, path)
            evident = dict(self.evident)
        deep.check_one_depth(self.subject, evident)
        return white

    def opaque(self, path: pathlib.PurePath, found: Colours) -> np.ndarray:
        """Returns the colours of a picture; lays transparent ones on the stated background.

        Args:
            path: of the file, for complaints.
            found: colours and transparency.

        Raises:
            UserError: if pixels are transparent and no background is stated.
        """
        if found.alpha is None or found.alpha.min(initial=255) == 255:
            return found.values
        if self.stated.background is None:
            share = np.mean(found.alpha < 255)
            raise UserError(
                f"{self.subject}: expected opaque pictures and found {share:.2%} of the pixels of "
                f"{path} transparent; give --background=white, grey or black to lay them on"
            )
        return modes.on_background(
            found.values, found.alpha, reading.BACKGROUNDS[self.stated.background]
        )


def image(
    subject: str, path: pathlib.PurePath, content: bytes, stated: Reading = reading.PLAIN
) -> np.ndarray:
    """Decodes a single picture; see `Decoder.image`."""
    return Decoder(subject, stated).image(path, content)


def _kind(content: bytes) -> str:
    """Returns what a file is, in words, by its first bytes."""
    if content[4:8] == b"ftyp":
        return "HEIF, AVIF or a film"
    start = content.lstrip()
    return next(
        (kind for first, kind in KINDS.items() if first and start.startswith(first)),
        "another kind of file" if content else KINDS[b""],
    )


def _has_several(picture: Image.Image) -> bool:
    """Tells whether a file has several pictures; smaller copies of a TIFF's page do not count."""
    if picture.format == "MPO":
        return False  # a photograph, with previews and maps for special screens after it
    for number in range(1, 100):
        try:
            picture.seek(number)
        except EOFError:
            return False
        if not isinstance(picture, TiffImagePlugin.TiffImageFile):
            return True
        tags = picture.tag_v2
        if not tags.get(NEW_SUBFILE_TYPE, 0) & 5 and tags.get(SUBFILE_TYPE, 1) != 2:
            return True
    return True
