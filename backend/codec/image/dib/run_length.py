"""Run-length encoded rows of a DIB (BI_RLE8, BI_RLE4): runs, literal pixels, jumps, and the ends of rows and of the picture."""

from __future__ import annotations

from backend import errors

_END_OF_ROW, _END_OF_PICTURE, _JUMP = 0, 1, 2


def decode_rows(data: bytes, bits: int, width: int, height: int) -> tuple[bytearray, bytearray]:
    """One index a pixel in the order of the file, and 255 for each pixel that was covered. Raises ``DamagedImage`` where the data ends early.

    What reaches beyond a row's end is passed over, as in browsers.
    """
    indices, covered = bytearray(width * height), bytearray(width * height)
    at = x = y = 0
    while y < height:
        if at + 2 > len(data):
            raise errors.DamagedImage(private=f"DIB: run-length data ends in row {y} of {height}")
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            pixels = _run(count, value, bits)
        elif value == _END_OF_ROW:
            x, y = 0, y + 1
            continue
        elif value == _END_OF_PICTURE:
            break
        elif value == _JUMP:
            right, down = (data[at : at + 2] + b"\0\0")[:2]
            x, y, at = x + right, y + down, at + 2
            continue
        else:
            length = (value * bits + 7) // 8
            pixels = _literal(data[at : at + length], value, bits)
            at += length + length % 2
        kept = pixels[: max(0, width - x)]
        start = y * width + x
        indices[start : start + len(kept)] = kept
        covered[start : start + len(kept)] = b"\xff" * len(kept)
        x += len(pixels)
    return indices, covered


def _run(count: int, value: int, bits: int) -> bytes:
    if bits == 8:
        return bytes((value,)) * count
    return (bytes((value >> 4, value & 15)) * ((count + 1) // 2))[:count]


def _literal(data: bytes, count: int, bits: int) -> bytes:
    if bits == 8:
        return data
    return bytes(nibble for byte in data for nibble in (byte >> 4, byte & 15))[:count]
