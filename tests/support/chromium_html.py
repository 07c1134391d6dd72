"""Chromium as a judge of HTML: which elements and attributes a page has once a browser has parsed it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update")
TIMEOUT_S = 60.0
SCRIPT = """<!doctype html><meta charset="utf-8"><pre id="found"></pre><script>
const outline = (html) => {
  const page = new DOMParser().parseFromString(html, 'text/html');
  const elements = [...page.querySelectorAll('*')].map((each) => [each.localName, [...each.attributes].map(({ name, value }) => [name, value])]);
  return { elements, text: page.documentElement.textContent };
};
document.getElementById('found').textContent = JSON.stringify(PAGES.map(outline));
</script>"""


@dataclass(frozen=True)
class Outline:
    """Elements in their order, each with its attributes; and all text."""

    elements: list[tuple[str, list[tuple[str, str]]]]
    text: str

    def skeleton(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(name, tuple(attribute for attribute, _value in attributes)) for name, attributes in self.elements]

    def values(self, *names: str) -> list[str]:
        return [value for _name, attributes in self.elements for attribute, value in attributes if attribute in names]


def is_there() -> bool:
    return shutil.which("chromium") is not None


def outlines(pages: Sequence[str], folder: Path) -> list[Outline]:
    """What a browser makes of each page; no script in them is run."""
    escaped = json.dumps(list(pages)).replace("<", "\\u003c").replace("\u2028", "\\u2028")
    page = folder / "judge.html"
    page.write_text(SCRIPT.replace("PAGES", escaped, 1), "utf-8")
    command = ["chromium", *ARGUMENTS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", page.as_uri()]
    dumped = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=True).stdout.decode("utf-8")
    found = re.search(r'<pre id="found">(.*?)</pre>', dumped, re.DOTALL)
    assert found
    text = found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u00a0").replace("&amp;", "&")
    return [
        Outline([(name, [tuple(each) for each in attributes]) for name, attributes in each["elements"]], each["text"]) for each in json.loads(text)
    ]
