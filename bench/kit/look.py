"""The reference SSIMULACRA2 (PyPI ``ssimulacra2``: slow, 1.2 s and 0.5 GB a megapixel), its answers kept on disk under ``var/ssimulacra2``."""

from __future__ import annotations

import hashlib
import io
import tempfile
from pathlib import Path

from PIL import Image
from ssimulacra2 import compute_ssimulacra2

KEPT = Path(__file__).resolve().parents[2] / "var" / "ssimulacra2"


def reference_score(source: bytes, coded: bytes) -> float:
    """Of two image files."""
    KEPT.mkdir(parents=True, exist_ok=True)
    known = KEPT / hashlib.sha256(hashlib.sha256(source).digest() + coded).hexdigest()
    if not known.exists():
        known.write_text(repr(_computed(source, coded)))
    return float(known.read_text())


def _computed(source: bytes, coded: bytes) -> float:
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (("one", source), ("other", coded)):
            with Image.open(io.BytesIO(data)) as image:
                image.convert("RGB").save(f"{folder}/{name}.png", compress_level=1)
        return float(compute_ssimulacra2(f"{folder}/one.png", f"{folder}/other.png"))
