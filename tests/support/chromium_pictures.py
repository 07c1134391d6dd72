"""Chromium as a judge of pictures: what a browser shows for a file, frame by frame, as sRGB pixels with straight alpha.

One headless Chromium lives as long as the judge. Its page asks a small server for batches of files and sends their pixels back;
``http://127.0.0.1`` is a secure origin, which WebCodecs' ``ImageDecoder`` needs.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import queue
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

Pixels = NDArray[numpy.uint8]

SCRIPT = Path(__file__).with_suffix(".mjs")
PAGE = b'<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/judge.mjs"></script>'
ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-breakpad", "--force-color-profile=srgb", "--mute-audio"),
)
BATCH_FILES = 50
BATCH_BYTES = 32 << 20
READY_S = 60.0
SHORT_MS, PLAYED_MS = 10, 100
"""A browser plays a frame of at most 10 ms for 100 ms (Chromium: DeferredImageDecoder::FrameDurationAtIndex)."""
MEDIA_TYPES = (
    (b"\x89PNG", "image/png"),
    (b"GIF8", "image/gif"),
    (b"\xff\xd8", "image/jpeg"),
    (b"RIFF", "image/webp"),
    (b"BM", "image/bmp"),
    (b"\0\0\1\0", "image/x-icon"),
)


@dataclass(frozen=True)
class Frame:
    pixels: Pixels
    """Height × width × RGBA, straight alpha."""
    declared_ms: float
    """What the file says; 0 for a still picture."""
    is_exact: bool
    """False where Chromium gives half-transparent pixels only through premultiplied alpha: compare with ``difference``."""

    @property
    def duration_ms(self) -> float:
        """What a browser plays."""
        return PLAYED_MS if self.declared_ms <= SHORT_MS else self.declared_ms

    def pixel(self, x: int, y: int) -> tuple[int, int, int, int]:
        red, green, blue, alpha = (int(each) for each in self.pixels[y, x])
        return red, green, blue, alpha


@dataclass(frozen=True)
class Animation:
    """What ``ImageDecoder`` plays. A still picture is an animation of one frame, which is what <img> shows."""

    width: int
    height: int
    frames: tuple[Frame, ...]
    plays: int
    """How often it is played; 0 is for ever, as in a WebP file."""
    is_whole: bool = True
    """False where Chromium failed at the frame after the last one here."""

    @property
    def durations_ms(self) -> list[float]:
        return [each.duration_ms for each in self.frames]


@dataclass(frozen=True)
class Picture:
    """What <img> shows at first: turned by EXIF, in sRGB."""

    width: int
    height: int
    frame: Frame

    @property
    def pixels(self) -> Pixels:
        return self.frame.pixels

    def pixel(self, x: int, y: int) -> tuple[int, int, int, int]:
        return self.frame.pixel(x, y)


def difference(one: Pixels, other: Pixels) -> NDArray[numpy.float32]:
    """Per pixel and channel, in steps of 255: colours as they are seen, that is multiplied by alpha, and alpha itself."""
    distance: NDArray[numpy.float32] = numpy.abs(_premultiplied(one) - _premultiplied(other))
    return distance


def _premultiplied(pixels: Pixels) -> NDArray[numpy.float32]:
    result = pixels.astype(numpy.float32)
    result[..., :3] *= result[..., 3:] / 255
    return result


def media_type(data: bytes) -> str:
    """By the first bytes; AVIF and HEIC by their brand."""
    if data[4:8] == b"ftyp":
        return "image/avif" if b"avi" in data[8:32] else "image/heic"
    return next((name for start, name in MEDIA_TYPES if data.startswith(start)), "application/octet-stream")


def chromium_binary() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class ChromiumJudge:
    """Use it in ``with``, or ``close()`` it. ``TimeoutError`` when a batch takes longer than ``timeout_s``; the next one starts Chromium anew."""

    def __init__(self, binary: str, timeout_s: float = 60.0) -> None:
        self._binary, self._timeout_s = binary, timeout_s
        self._folder = tempfile.mkdtemp(prefix="judge-")
        self._browser: _Browser | None = None

    def __enter__(self) -> ChromiumJudge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def frames(self, files: Sequence[bytes], types: Sequence[str] | None = None) -> list[Animation | None]:
        """Each file's frames; None where the browser shows none of it. ICO is read by ``shown`` alone."""
        return [_animation(each) for each in self._answers("frames", files, types)]

    def shown(self, files: Sequence[bytes], types: Sequence[str] | None = None) -> list[Picture | None]:
        """Each file's first picture as <img> shows it; None where it is a broken image."""
        return [_picture(each) for each in self._answers("shown", files, types)]

    def close(self) -> None:
        self._stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self, way: str, files: Sequence[bytes], types: Sequence[str] | None) -> list[_Answer]:
        names = types or [media_type(each) for each in files]
        found: list[_Answer] = []
        batch: list[tuple[bytes, str]] = []
        for each in zip(files, names, strict=True):
            if len(batch) == BATCH_FILES or sum(len(data) for data, _ in batch) + len(each[0]) > BATCH_BYTES:
                found += self._ask(way, batch)
                batch = []
            batch.append(each)
        return found + (self._ask(way, batch) if batch else [])

    def start(self) -> None:
        """Does nothing where Chromium runs. The first question does this too."""
        self._running().wait_for_page()

    def _running(self) -> _Browser:
        if self._browser is None or self._browser.has_ended():
            self._stop()
            self._browser = _Browser(self._binary, tempfile.mkdtemp(dir=self._folder))
        return self._browser

    def _ask(self, way: str, batch: list[tuple[bytes, str]]) -> list[_Answer]:
        try:
            return _unpacked(self._running().ask(_packed(way, batch), self._timeout_s))
        except TimeoutError:
            self._stop()
            raise

    def _stop(self) -> None:
        if self._browser is not None:
            self._browser.close()
            self._browser = None


@dataclass(frozen=True)
class _Answer:
    head: dict[str, Any]
    frames: tuple[Frame, ...]


def _packed(way: str, batch: list[tuple[bytes, str]]) -> bytes:
    head = json.dumps({"way": way, "files": [{"type": name, "size": len(data)} for data, name in batch]}).encode()
    return b"".join((struct.pack(">I", len(head)), head, *(data for data, _ in batch)))


def _unpacked(body: bytes) -> list[_Answer]:
    (length,) = struct.unpack(">I", body[:4])
    heads, at = json.loads(body[4 : 4 + length]), 4 + length
    found = []
    for head in heads:
        frames = []
        for each in head.get("frames", ()):
            size = each["width"] * each["height"] * 4
            pixels = numpy.frombuffer(body, numpy.uint8, size, at).reshape(each["height"], each["width"], 4)
            frames.append(Frame(pixels, (each.get("duration_us") or 0) / 1000, each["exact"]))
            at += size
        found.append(_Answer(head, tuple(frames)))
    return found


def _animation(answer: _Answer) -> Animation | None:
    head = answer.head
    if "error" in head or not answer.frames:
        return None
    plays = 1 if len(answer.frames) == 1 else head["repetitions"] + 1
    return Animation(head["width"], head["height"], answer.frames, plays, head.get("whole", True))


def _picture(answer: _Answer) -> Picture | None:
    head = answer.head
    return None if "error" in head or not answer.frames else Picture(head["width"], head["height"], answer.frames[0])


class _Browser:
    """One Chromium and the server that its page asks: holds one batch until the page has fetched it, and its answers until the judge has them."""

    def __init__(self, binary: str, profile: str) -> None:
        self.batches: queue.Queue[bytes | None] = queue.Queue()
        self.answers: queue.Queue[bytes] = queue.Queue()
        self.is_asked_for_more = threading.Event()
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()
        command = [binary, *ARGUMENTS, f"--user-data-dir={profile}", f"http://127.0.0.1:{self._http.server_port}/"]
        quiet, environment = subprocess.DEVNULL, {**os.environ, "TMPDIR": profile}
        self._process = subprocess.Popen(command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def ask(self, batch: bytes, timeout_s: float) -> bytes:
        """The answers, once the page waits for the next batch: so it holds one connection, however often it is asked."""
        self.wait_for_page()
        self.is_asked_for_more.clear()
        self.batches.put(batch)
        try:
            answers = self.answers.get(timeout=timeout_s)
        except queue.Empty:
            raise TimeoutError(f"Chromium gave no answer within {timeout_s} s") from None
        self.wait_for_page()
        return answers

    def wait_for_page(self) -> None:
        if not self.is_asked_for_more.wait(READY_S):
            raise TimeoutError(f"Chromium's page asked for nothing within {READY_S} s")

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.batches.put(None)
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def _handler(browser: _Browser) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing: the tests' output is for failures."""

        def do_GET(self) -> None:
            if self.path == "/batch":
                self._give_batch()
            elif self.path == "/judge.mjs":
                self._answer(200, "text/javascript", SCRIPT.read_bytes())
            else:
                self._answer(200, "text/html", PAGE)

        def do_POST(self) -> None:
            browser.answers.put(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(204)

        def _give_batch(self) -> None:
            browser.is_asked_for_more.set()
            batch = browser.batches.get()
            if batch is not None:  # else Chromium has ended
                self._answer(200, "application/octet-stream", batch)

        def _answer(self, status: int, kind: str = "", body: bytes = b"") -> None:
            self.send_response(status)
            if kind:
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
