"""Readers that share no code with what wrote a file: libvips by pyvips, and the command-line tools of each format."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import pyvips

from tests.unit.codec.image.test_colour_difference import ciede2000, lab

PACKAGES = {"djpeg": "libjpeg-turbo-progs", "pngcheck": "pngcheck"}
INTERPRETATIONS = {1: "b-w", 2: "b-w", 3: "srgb", 4: "srgb"}
SIXTEEN_BITS = {1: "grey16", 2: "grey16", 3: "rgb16", 4: "rgb16"}
Samples = np.ndarray


def tool(name: str) -> str:
    found = shutil.which(name)
    if not found:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name} is not installed (Debian: {PACKAGES[name]})")
    return found


def vips_samples(data: bytes) -> Samples:
    """Height, width and bands, as the file has them."""
    image = pyvips.Image.new_from_buffer(data, "", fail_on="warning")
    kind = {"uchar": np.uint8, "ushort": np.uint16}[image.format]
    return np.ndarray(buffer=image.write_to_memory(), dtype=kind, shape=(image.height, image.width, image.bands))


def vips_image(samples: Samples) -> pyvips.Image:
    height, width, bands = samples.shape
    is_deep = samples.dtype == np.uint16
    image = pyvips.Image.new_from_memory(samples.tobytes(), width, height, bands, "ushort" if is_deep else "uchar")
    return image.copy(interpretation=(SIXTEEN_BITS if is_deep else INTERPRETATIONS)[bands])


def apart(one: bytes, other: bytes) -> float:
    """Mean ΔE2000 between two files, read by libvips; grey counts as colour, and transparency lies on white."""
    first, second = (_colours(vips_samples(each)) for each in (one, other))
    assert first.shape == second.shape
    return float(ciede2000(lab(first), lab(second)).mean())


def _colours(samples: Samples) -> Samples:
    shares = samples / (65535 if samples.dtype == np.uint16 else 255)
    bands = shares.shape[2]
    colours = shares[:, :, :3] if bands > 2 else np.repeat(shares[:, :, :1], 3, axis=2)
    return 1 - (1 - colours) * shares[:, :, -1:] if bands in (2, 4) else colours


def check_png(data: bytes, folder: Path) -> str:
    """What pngcheck says of it, chunk by chunk. Fails where anything is wrong."""
    file = folder / "result.png"
    file.write_bytes(data)
    done = subprocess.run([tool("pngcheck"), "-v", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
