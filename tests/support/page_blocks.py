"""The blocks of code in the documentation, and what the comment above each says about who runs it.

``<!-- example: name -->``  run as it stands, beside a ``cat.jpg``, against a gateway (``tests/system/examples``); a name that begins with ``keys-``
                            against one that has API keys
``<!-- run -->``            run on a fresh clone, in the order of the page
``<!-- redis -->``          run with a Redis
``<!-- hosts: name -->``    run on the hosts of ``tests/system/hosts``
``<!-- bench -->``          run with small pictures
``<!-- page -->``           opened in Chromium on a site of another origin
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(
    r"(?:^<!-- (?P<marker>[a-z]+)(?:: (?P<name>[\w-]+))? -->\n)?^ *```(?P<language>\w*)\n(?P<text>.*?)^ *```$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    page: str
    marker: str
    name: str
    language: str
    text: str


def blocks(page: str) -> list[Block]:
    """All of them, in order; an empty ``marker`` where none stands above."""
    text = (ROOT / page).read_text("utf-8")
    return [Block(page, each["marker"] or "", each["name"] or "", each["language"], each["text"]) for each in BLOCK.finditer(text)]


def marked(page: str, marker: str) -> list[Block]:
    return [each for each in blocks(page) if each.marker == marker]
