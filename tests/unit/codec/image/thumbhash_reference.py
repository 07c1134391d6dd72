"""The judge of ThumbHashes: the reference implementation in JavaScript, which hashes pixels and draws hashes."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

MODULES = Path(__file__).resolve().parents[3] / "page" / "node_modules"
SCRIPT = Path(__file__).with_name("thumbhash_judge.mjs")


def hash_all(images: list[Image.Image]) -> list[str]:
    """Of RGBA pixels, 100 × 100 at most."""
    return [each["hash"] for each in _ask([{"w": each.width, "h": each.height, "rgba": _text(each.convert("RGBA").tobytes())} for each in images])]


def draw_all(hashes: list[str]) -> list[Image.Image]:
    return [Image.frombytes("RGBA", (each["w"], each["h"]), base64.b64decode(each["rgba"])) for each in _ask([{"hash": each} for each in hashes])]


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _ask(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    node = shutil.which("node")
    if node is None or not (MODULES / "thumbhash").exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("node or tests/page/node_modules/thumbhash is missing")
    lines = "".join(json.dumps(each) + "\n" for each in questions)
    answered = subprocess.run([node, str(SCRIPT), str(MODULES)], input=lines, check=True, capture_output=True, text=True, timeout=60)
    return [json.loads(line) for line in answered.stdout.splitlines()]
