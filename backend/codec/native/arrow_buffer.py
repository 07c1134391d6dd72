"""A Pillow image's memory, lent to other libraries without a copy, through the Arrow C data interface that Pillow exports (since 11.3)."""

from __future__ import annotations

import ctypes as c
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, _imaging

LAYOUTS = {"RGB": "RGBX", "RGBA": "RGBA", "RGBX": "RGBX", "CMYK": "CMYK", "L": "L"}
"""How Pillow keeps each mode in memory, a byte for each letter."""


@dataclass(frozen=True, slots=True)
class LentBuffer:
    """An image's pixels in memory; valid inside ``lend`` only."""

    layout: str
    address: int
    stride_bytes: int
    is_copy: bool = False


class _ArrowArray(c.Structure):
    """https://arrow.apache.org/docs/format/CDataInterface.html"""


_ArrowArray._fields_ = [
    ("length", c.c_int64),
    ("null_count", c.c_int64),
    ("offset", c.c_int64),
    ("n_buffers", c.c_int64),
    ("n_children", c.c_int64),
    ("buffers", c.POINTER(c.c_void_p)),
    ("children", c.POINTER(c.POINTER(_ArrowArray))),
]

_capsule_pointer = c.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype, _capsule_pointer.argtypes = c.c_void_p, [c.py_object, c.c_char_p]


def allocate_in_one_block() -> None:
    """Have Pillow allocate each image as one block from now on; otherwise large images cannot be lent."""
    _imaging.set_use_block_allocator(1)


@contextmanager
def lend(image: Image.Image) -> Iterator[LentBuffer]:
    """The image's own memory, or a copy where it lies in several blocks. Raises ``KeyError`` for a mode that is not in ``LAYOUTS``."""
    layout = LAYOUTS[image.mode]
    try:
        _schema, capsule = image.__arrow_c_array__()
    except ValueError:  # several blocks
        copy = image.tobytes("raw", layout)
        buffer = c.create_string_buffer(copy, len(copy))
        yield LentBuffer(layout, c.addressof(buffer), len(layout) * image.width, is_copy=True)
        return
    array = _ArrowArray.from_address(_capsule_pointer(capsule, b"arrow_array"))
    holder = array.children[0].contents if array.n_children else array
    yield LentBuffer(layout, holder.buffers[1] or 0, len(layout) * image.width)
