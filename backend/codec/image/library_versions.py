"""Versions of the libraries that read and write images."""

from __future__ import annotations

import PIL
from PIL import features

LIBRARIES = {"libwebp": "webp", "libjpeg-turbo": "libjpeg_turbo", "libavif": "avif", "zlib": "zlib", "libtiff": "libtiff"}
"""Name → Pillow's name for it (``PIL.features``)."""


def library_versions() -> dict[str, str]:
    """Those that are there."""
    found = {name: features.version(feature) for name, feature in LIBRARIES.items()}
    return {"pillow": PIL.__version__} | {name: version for name, version in found.items() if version}
