"""The texts that stand in the frontend's pages, which the gateway sets before any script runs, are the page's own."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from backend import texts
from tests.texts.used import FRONTEND, keys_of_the_pages

HERE = keys_of_the_pages()
PRINT = (
    "const all = await Promise.all(process.argv.slice(1).map((path) => import(path))); console.log(JSON.stringify(all.map((each) => each.default)))"
)


@pytest.mark.parametrize("key", HERE)
def test_the_english_in_the_html_is_the_english_text(key: str) -> None:
    assert HERE[key] == texts.text(f"pages.{key}", "en")


@pytest.mark.skipif(shutil.which("node") is None, reason="the page's catalogues are JavaScript")
@pytest.mark.parametrize("language", texts.languages())
def test_the_pages_own_catalogue_says_the_same(language: str) -> None:
    paths = [str(FRONTEND / "i18n" / name) for name in (f"{language}.js", f"status-{language}.js")]
    told = subprocess.run(["node", "--input-type=module", "-e", PRINT, *paths], check=True, capture_output=True, text=True, timeout=60)
    catalogue = {key: text for part in json.loads(told.stdout) for key, text in part.items()}
    assert {key: catalogue[key] for key in HERE} == {key: texts.text(f"pages.{key}", language) for key in HERE}
