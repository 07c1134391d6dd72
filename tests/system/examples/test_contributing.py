"""The worked examples of CONTRIBUTING.md, each applied to a copy of the tree exactly as the page says.

Each touches few files, does what the page promises, and leaves the suites of its rooms green.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from tests.conftest import missing
from tests.unit.codec.conftest import picture, saved

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
EXAMPLES: dict[str, str] = dict(re.findall(r"^<!-- example: (\w+) -->\n(.*?)^<!-- /example -->", PAGE, re.DOTALL | re.MULTILINE))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILES = {"option": (2, 3), "format": (2,), "store": (2,), "route": (1,), "event": (1,), "language": (2,)}
"""How many files each addition may touch."""
SUITES = {
    "option": "core codec/image/test_steps.py codec/image/test_transform.py codec/image/test_jpeg_fast_path.py web/openapi",
    "format": "core codec/image/test_steps.py codec/image/test_pipeline.py codec/encoders/test_still.py web/openapi web/routes/test_plain.py",
    "store": "core test_settings.py ../contract/test_store.py",
    "route": "web texts",
    "event": "core web/routes web/socketio",
    "language": "texts test_settings.py test_supervisor.py web/request web/routes/test_plain.py",
}
"""Below ``tests/unit``: the tests of the rooms that an addition is in, and of those that show it."""
CONVERT = """
import json, sys
from backend.codec.sealed import SealedCodec
from backend.core import options
from backend.core.conversion import Conversion
from backend.core.formats import sniff
from backend.core.image_headers import read_shape
from backend.core.limits import Limits
source = open(sys.argv[1], "rb")
data = source.read()
shape = read_shape(sniff(data), lambda at, length: data[at : at + length], len(data), Limits())
chosen = options.parse(json.loads(sys.argv[3]).items())
codec = SealedCodec()
with open(sys.argv[2], "w+b") as result:
    codec.convert(source.fileno(), result.fileno(), Conversion(shape, chosen, Limits()), on_progress=lambda _: None, should_stop=lambda: False)
codec.close()
"""


@dataclass(frozen=True)
class Copy:
    """A copy of the tree with additions. ``touched`` are the files that are new or changed, by their paths in the tree."""

    root: Path
    touched: frozenset[str] = frozenset()

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """A command that runs in the copy, on its own modules."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
        return subprocess.run(command, cwd=self.root, env=environment, check=False, capture_output=True, text=True)

    def answer_of(self, *command: str | Path) -> str:
        """What a command says that must succeed."""
        done = self.run(*command)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
        return done.stdout

    def python(self, code: str, *arguments: str | Path) -> str:
        return self.answer_of(sys.executable, "-c", code, *arguments)

    def failure_of(self, *suites: str) -> str:
        """The end of what pytest says; empty where all tests pass."""
        options = ["-p", "no:cacheprovider", f"--basetemp={self.root.parent / self.root.name}-temporary", "-m", "not slow", "-k", "not (s3 or fake)"]
        done = self.run(sys.executable, "-m", "pytest", *options, *suites)
        return "" if done.returncode == 0 else (done.stdout + done.stderr)[-5000:]

    def convert(self, source: bytes, **chosen: Any) -> bytes:
        given, result = self.root / "given", self.root / "result"
        given.write_bytes(source)
        self.python(CONVERT, given, result, json.dumps(chosen))
        return result.read_bytes()


Applied = Callable[[str], Copy]


def copy_tree(to: Path) -> None:
    """What git has or would add; neither environments nor data."""
    if shutil.which("git") is None:
        missing("git is not installed")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def apply(text: str, root: Path) -> None:
    """Every block of an example, in order: a diff is applied, a shell script is run."""
    for kind, block in BLOCK.findall(text):
        command = {"diff": ["git", "apply", "-"], "sh": ["sh", "-e"]}[kind]
        environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(root.parent)}
        done = subprocess.run(command, cwd=root, env=environment, input=block, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{done.stderr}\n{block}"


def apply_to_copy(root: Path, *names: str) -> Copy:
    copy_tree(root)
    before = contents(root)
    for name in names:
        apply(EXAMPLES[name], root)
    after = contents(root)
    return Copy(root, frozenset(path for path in before.keys() | after.keys() if before.get(path) != after.get(path)))


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Applied:
    """The copy that has one example, by its name."""
    known: dict[str, Copy] = {}

    def copy(name: str) -> Copy:
        if name not in known:
            known[name] = apply_to_copy(tmp_path_factory.mktemp("copy", numbered=True), name)
        return known[name]

    return copy


def test_the_page_has_the_six_examples() -> None:
    assert list(EXAMPLES) == list(FILES)


@pytest.mark.parametrize("name", FILES)
def test_an_addition_touches_few_files_and_the_page_names_them(name: str, applied: Applied) -> None:
    touched = applied(name).touched
    (named,) = re.findall(r"^Files?: (.*?)\n\n", EXAMPLES[name], re.DOTALL | re.MULTILINE)
    assert set(re.findall(r"`([^`]+)`", named)) == touched
    assert len(touched) in FILES[name]


def test_the_suites_of_their_rooms_stay_green(applied: Applied) -> None:
    """Two at a time: each is one process, and a machine has two cores at least."""

    def failure(name: str) -> str:
        return applied(name).failure_of(*(f"tests/unit/{suite}" for suite in SUITES[name].split()))

    with ThreadPoolExecutor(2) as pool:
        failures = dict(zip(SUITES, pool.map(failure, SUITES), strict=True))
    assert failures == dict.fromkeys(SUITES, "")


def test_all_of_them_together_are_in_the_style_of_the_house(tmp_path: Path) -> None:
    together = apply_to_copy(tmp_path / "copy", *FILES)
    together.answer_of(sys.executable, "-m", "ruff", "check", "--no-cache", ".")
    together.answer_of(sys.executable, "-m", "mypy", "--cache-dir", tmp_path / "mypy")
    assert together.failure_of("tests/architecture/test_arrows.py", "tests/architecture/test_sizes.py") == ""


def test_an_example_that_does_not_fit_any_more_is_seen(tmp_path: Path) -> None:
    copy_tree(tmp_path)
    with pytest.raises(AssertionError, match="patch does not apply"):
        apply(EXAMPLES["event"].replace('JobEvent("job"', 'JobEvent("jobs"'), tmp_path)


def bands_of(data: bytes) -> np.ndarray[Any, Any]:
    """Rows, columns and bands, as libvips reads them."""
    return np.asarray(pyvips.Image.new_from_buffer(data, "").numpy(), dtype=np.int64)


def test_the_option_makes_a_picture_grey(applied: Applied) -> None:
    copy, image = applied("option"), picture(mode="RGBA")
    grey, given = bands_of(copy.convert(saved(image, "PNG"), grayscale=True, lossless=True)), np.asarray(image, dtype=np.int64)
    seen = given[..., 3] > 0
    luma = given[..., :3] @ (299, 587, 114) / 1000  # Rec. 601
    assert all(np.abs(grey[..., band] - luma)[seen].max() <= 1 for band in range(3))
    assert (grey[..., 3] == given[..., 3]).all()


def test_the_option_is_obeyed_where_a_jpeg_would_have_taken_the_fast_path(applied: Applied) -> None:
    def colourfulness(**chosen: Any) -> int:
        bands = bands_of(applied("option").convert(saved(picture(), "JPEG"), **chosen))
        return int((bands.max(axis=2) - bands.min(axis=2)).max())

    assert (colourfulness(grayscale=True) <= 2, colourfulness() > 100) == (True, True)


def test_the_format_is_written_without_loss_with_all_metadata(applied: Applied) -> None:
    copy, notes = applied("format"), Image.Exif()
    notes[0x8298] = "somebody"
    for image in (picture(), picture(mode="RGBA")):
        result = copy.convert(saved(image, "PNG", exif=notes), format="tiff", metadata="all")
        assert pyvips.Image.new_from_buffer(result, "").get("vips-loader") == "tiffload_buffer"
        assert (bands_of(result) == np.asarray(image)).all()
        assert Image.open(io.BytesIO(result)).getexif()[0x8298] == "somebody"
    photograph = copy.convert(saved(picture(), "JPEG", xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"), format="tiff", metadata="all")
    assert b"adobe:ns:meta/" in photograph
    assert bands_of(copy.convert(saved(picture(), "JPEG"), format="tiff", width=100)).shape == (62, 100, 3)
    assert copy.convert(saved(picture(), "JPEG"))[8:12] == b"WEBP"


def test_what_a_format_cannot_have_is_taken_away_before_it_is_encoded(tmp_path: Path) -> None:
    copy = apply_to_copy(tmp_path / "copy", "format")
    table = copy.root / "backend/core/formats.py"
    table.write_text(table.read_text("utf-8").replace('("tiff", 65535)', '("tiff", 65535, has_alpha=False)'), "utf-8")
    opaque = bands_of(copy.convert(saved(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "PNG"), format="tiff"))
    assert (opaque == 255).all() and opaque.shape == (8, 8, 3)
    frames = [picture(), picture().transpose(Image.Transpose.ROTATE_180)]
    moving = saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    assert (bands_of(copy.convert(moving, format="tiff")) == np.asarray(frames[0])).all()


FILL = """
import pathlib, sys
from backend import errors
from backend.adapters.stores import open_store
from backend.settings import Settings
folder = pathlib.Path(sys.argv[1])
settings = Settings.from_environment({"GATEWAY_STORAGE_URL": f"quota://1{folder}"})
assert settings.store_dir == folder
def store():
    opened = open_store(settings.storage_url, settings.store_dir, min_free_bytes=0)
    opened.prepare()
    return opened
store().create_upload().discard()
large = folder / "large"
with large.open("wb") as file:
    file.truncate(1 << 30)
try:
    store().create_upload()
except errors.StorageFull as error:
    print("full")
large.unlink()
store().create_upload().discard()
print("room again")
"""


def test_the_store_takes_nothing_while_it_holds_its_quota(applied: Applied, tmp_path: Path) -> None:
    assert applied("store").python(FILL, tmp_path / "store").split("\n")[:2] == ["full", "room again"]


def test_a_folder_that_cannot_be_made_is_told_by_the_setting_that_names_it(applied: Applied) -> None:
    check = ["env", "GATEWAY_STORAGE_URL=quota://1/proc/images", sys.executable, "-m", "backend.cli", "check", "gateway"]
    done = applied("store").run(*check)
    assert done.returncode == 1 and "GATEWAY_STORAGE_URL" in done.stderr


CHECKSUM = """
import json
from tests.unit.web.conftest import Web
web = Web()
waiting, job = web.upload()["id"], web.finished()
answer = web.get(f"/api/jobs/{job['id']}/checksum")
shown = web.get("/api/openapi.json").json["paths"]["/api/jobs/{job_id}/checksum"]["get"]
result = web.get(job["result"]["url"])
name = answer.text.split("  ")[1].strip()
open(name, "wb").write(result.data)
print(json.dumps({"line": answer.text, "summary": shown["summary"], "unknown": web.get("/api/jobs/x/checksum").status_code}))
"""


def test_the_route_answers_what_sha256sum_reads(applied: Applied) -> None:
    copy = applied("route")
    told = json.loads(copy.python(CHECKSUM))
    (copy.root / "SHA256SUMS").write_text(told["line"], "utf-8")
    assert copy.answer_of("sha256sum", "--check", "SHA256SUMS").strip().endswith(".webp: OK")
    assert (told["summary"], told["unknown"]) == ("The SHA-256 of a result and its name, as `sha256sum --check` reads them.", 404)


STREAM = """
from tests.unit.web.conftest import Web
web = Web()
job = web.finished()
print(web.get(f"/api/jobs/{job['id']}/events?after=1").text)
"""


def test_the_event_arrives_once_and_after_the_state_that_it_is_about(applied: Applied) -> None:
    blocks = [block.split("\n") for block in applied("event").python(STREAM).split("\n\n") if "data: " in block]
    names = [next((line.removeprefix("event: ") for line in block if line.startswith("event: ")), "") for block in blocks]
    assert names == [""] * (len(blocks) - 1) + ["ended"]
    last, ended = (json.loads(block[-1].removeprefix("data: ")) for block in blocks[-2:])
    assert ended == {"ended": last["id"], "state": "succeeded"}


ASK = """
import json, sys
from tests.unit.web.conftest import Web
from backend import settings, texts
web = Web()
answers = {path: web.get(path, headers={"Accept-Language": "qaa, de-AT;q=0.8, zh;q=0.5"}) for path in sys.argv[1:]}
told = {path: [answer.headers.get("Content-Language"), answer.text] for path, answer in answers.items()}
print(json.dumps({"languages": texts.languages(), "told": told, "rows": settings.rows("de"), "line": texts.in_every_language("start.no_redis")}))
"""
SHOWN = [
    ("/", '<html lang="de"'),
    ("/", ">✓ Bilder auswählen<"),
    ("/status", ">✓ The gateway at work<"),
    ("/problems/gone", "<h2>✓ What to do</h2><p>✓ Look at the job"),
    ("/api/jobs/AAAAAAAAAAAAAAAAAAAAAA", '"title": "✓ Nicht gefunden"'),
    ("/plain/jobs/AAAAAAAAAAAAAAAAAAAAAA", "<strong>✓ Nicht gefunden</strong>"),
]


@pytest.fixture(scope="module")
def answers(applied: Applied, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a gateway says whose new language is complete: a mark stands before each of its sentences."""
    copy = Copy(tmp_path_factory.mktemp("language") / "copy")
    shutil.copytree(applied("language").root, copy.root)
    page, texts = copy.root / "frontend/i18n/de.json", copy.root / "backend/texts/de.toml"
    parts = json.loads(page.read_text("utf-8"))
    page.write_text(json.dumps({part: {key: f"✓ {text}" for key, text in each.items()} for part, each in parts.items()}), "utf-8")
    texts.write_text(re.sub(r"(?m)^([\w.]+ = (?:\"{3}\n|[\"']))", r"\1✓ ", texts.read_text("utf-8")), "utf-8")
    return dict(json.loads(copy.python(ASK, *sorted({path for path, _ in SHOWN}))))


def test_the_language_is_one_of_the_gateways(answers: dict[str, Any]) -> None:
    assert answers["languages"] == ["en", "de", "zh-CN"]


@pytest.mark.parametrize(("path", "shown"), SHOWN)
def test_whoever_asks_for_the_language_reads_it(answers: dict[str, Any], path: str, shown: str) -> None:
    language, text = answers["told"][path]
    assert shown in text
    assert language in ("de", None)


def test_the_operator_reads_the_language_too(answers: dict[str, Any]) -> None:
    assert {meaning[:2] for _, _, meaning in answers["rows"]} == {"✓ "}
    assert answers["line"].count("Redis 6.2+") == 3 and "✓ No Redis 6.2+" in answers["line"]


def test_the_pages_own_test_finds_the_language_complete(applied: Applied) -> None:
    if shutil.which("node") is None:
        missing("Node is not installed")
    applied("language").answer_of("node", "--test", "tests/page/i18n.test.mjs")
