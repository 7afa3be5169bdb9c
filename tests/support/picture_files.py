"""Picture files of kinds that programs write and Pillow alone does not."""

import io
import struct
import zlib

import numpy as np
import tifffile
from PIL import Image

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)
"""Colours of 8 bits."""

DEEP = np.random.default_rng(1).integers(0, 2**16, (6, 5, 4), np.uint16)
"""Samples of 16 bits."""


def saved(pixels, kind, **options):
    """Returns the content of a picture file that Pillow writes, of an array or a picture."""
    picture = Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def tiff(pixels, **options):
    """Returns the content of a TIFF that tifffile writes."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def png(samples, transparent=b""):
    """Returns the content of a PNG of 16 bits.

    Args:
        samples: [h, w, c] of 1 to 4 channels.
        transparent: the colour that is, as the file has it.
    """
    height, width, channels = samples.shape
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    chunks = [_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b"")]
    if transparent:
        chunks.insert(1, _chunk(b"tRNS", transparent))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def netpbm(samples, white, plain=False):
    """Returns the content of a PGM or PPM.

    Args:
        samples: [h, w, c] of 1 or 3 channels, at most `white`.
        white: the declared largest sample.
        plain: write numbers in words.
    """
    height, width, channels = samples.shape
    magic = {(1, True): 2, (3, True): 3, (1, False): 5, (3, False): 6}[channels, plain]
    header = f"P{magic}\n# a comment\n{width} {height}\n{white}\n".encode()
    if plain:
        return header + " ".join(map(str, samples.ravel())).encode()
    return header + samples.astype(">u2" if white > 255 else np.uint8).tobytes()


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
