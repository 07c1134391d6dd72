"""A child that the image has taken over: whatever it says or does, its job fails once, by a definite code, and the host stays as it was."""

from __future__ import annotations

import io
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from backend import errors
from backend.codec.host import zygote_process
from backend.codec.seal import thread_budget
from backend.codec.sealed import SealedCodec
from backend.core.conversion import Conversion, Converted, Progress
from backend.core.limits import Limits
from backend.core.options import Options
from backend.core.watermark import Placement, Watermark
from tests.unit.codec.conftest import declared, picture, saved
from tests.unit.codec.host import hostile_zygote

SMALL = saved(picture(64, 48), "PNG")
LARGE = saved(picture(2400, 2000), "JPEG")
"""Its result goes straight to the file, and not through memory that the kernel seals."""

OWN_FILE = """
data = source.read_at(0, source.size_bytes)
os.pwrite(result_fd, data, 0)
m = {'done': {'bytes': len(data), 'width': 64, 'height': 48, 'frames': 1, 'facts': {'original': True}}}
"""
LIES = {
    # The result's other members, which facts came before
    "an address": "say(done(facts={'url': 'javascript:alert(1)'}))",
    "a digest": "say(done(facts={'sha256': '0' * 64}))",
    "a size among the facts": "say(done(facts={'bytes': 1}))",
    "markup in a fact": "say(done(facts={'quality': '<img src=x onerror=alert(1)>'}))",
    "an unknown fact": "say(done(facts={'thumbhash': 'x'}))",
    "a ThumbHash that ends the header": "say(done(facts={'thumbhash': 'AAAAAAA=:, x=1'}))",
    "a style in a colour": "say(done(facts={'color': '#fff;background:url(//evil.example)'}))",
    # Types that once cost three attempts
    "seconds that are a number": "say(done(facts={'seconds': 5}))",
    "seconds that are words": "say(done(facts={'seconds': {'encode': 'soon'}}))",
    "seconds of no stage": "say(done(facts={'seconds': {'<b>': 1}}))",
    "seconds below zero": "say(done(facts={'seconds': {'encode': -1}}))",
    "endless seconds": 'say(b\'{"done":{"bytes":1,"width":64,"height":48,"frames":1,"facts":{"seconds":{"encode":1e999}}}}\\n\')',
    "notes that are no list": "say(done(facts={'dropped': 5}))",
    "a note that no result lacks": "say(done(facts={'dropped': ['<script>']}))",
    "notes in a list of lists": "say(done(facts={'dropped': [['exif']]}))",
    "an original that nobody asked for": "say(done(facts={'original': True}))",
    "the source's own file, which nobody asked for": OWN_FILE + "say(m)",
    "facts in a list": "say(done(facts=[1]))",
    "a score beyond the best": "say(done(facts={'score': 101}))",
    "many facts": "say(done(facts={str(n): n for n in range(600)}))",
    # The file
    "another width": "say(done(width=63))",
    "a true width": "say(done(width=True))",
    "a width with a fraction": "say(done(width=64.0))",
    "a width beyond the format": "say(done(width=16384))",
    "a height in words": "say(done(height='48'))",
    "no height": "say(done(height=0))",
    "more frames": "say(done(frames=2))",
    "more frames than allowed": "say(done(frames=1 << 40))",
    "fewer bytes": "say(done(bytes=3))",
    "bytes below zero": "say(done(bytes=-1))",
    "more bytes than a result may have": "say(done(bytes=1 << 60))",
    "a number of 4000 digits": "say(b'{\"done\":{\"bytes\":' + b'9' * 4000 + b'}}\\n')",
    "no file": "say({'done': {'bytes': 100, 'width': 64, 'height': 48, 'frames': 1, 'facts': {}}})",
    "a PNG": "m = done(); os.pwrite(result_fd, b'\\x89PNG\\r\\n\\x1a\\n', 0); say(m)",
    "a page": "m = done(); os.pwrite(result_fd, b'<!doctype html><script>', 0); say(m)",
    "a longer file": "m = done(); os.pwrite(result_fd, b'x' * 100, m['done']['bytes']); m['done']['bytes'] += 100; say(m)",
    "another picture than it says": "m = done(); os.pwrite(result_fd, b'\\x00\\x01', 26); say(m)",
    "a result and a member more": "say({**done(), 'more': 1})",
    "a result with a member more": "say(done(url='x'))",
    "half a result": "m = done(); del m['done']['facts']; say(m)",
    # Order and form
    "two ends": "say(2 * (json.dumps(done()).encode() + b'\\n'))",
    "an end and an error": "say(json.dumps(done()).encode() + b'\\n' + json.dumps(failed()).encode() + b'\\n')",
    "an error and an end": "say(failed(), done())",
    "progress after the end": 'say(json.dumps(done()).encode() + b\'\\n{"at":["encode",100]}\\n\')',
    "progress that falls": "say({'at': ['decode', 10]}, {'at': ['decode', 9]}, done())",
    "a stage again": "say({'at': ['encode', 10]}, {'at': ['decode', 10]}, done())",
    "the encoder's own stage": "say({'at': ['store', 10]}, done())",
    "an unknown stage": "say({'at': ['<b>', 10]}, done())",
    "a percent too many": "say({'at': ['decode', 100.01]}, done())",
    "a percent below zero": "say({'at': ['decode', -0.1]}, done())",
    "a percent that is no number": 'say(b\'{"at":["decode",NaN]}\\n\', done())',
    "a true percent": "say({'at': ['decode', True]}, done())",
    "a longer report": "say({'at': ['decode', 1, 2]}, done())",
    "nothing in a line": "say(b'\\n', done())",
    "no JSON": "say(b'hello\\n', done())",
    "no object": "say([1], done())",
    "another encoding": "say(json.dumps({'at': ['decode', 1]}).encode('utf-16') + b'\\n', done())",
    "a deep nest": "say(b'[' * 8000 + b'\\n', done())",
    "half a line": "say(b'{\"at\":')",
    "a zygote's message": "say({'ended': 0, 'number': 1}, done())",
    "an order": "say({'stop': True}, done())",
    # Errors
    "an error that is not its own": "say(failed(code='unauthorized', status=401))",
    "an unknown error": "say(failed(code='<b>'))",
    "an error whose code is a list": "say(failed(code=['damaged_image']))",
    "an error of another status": "say(failed(status=200))",
    "an error of an unknown variant": "say(failed(variant='detail'))",
    "an error whose variant is a list": "say(failed(variant=[]))",
    "an error with a parameter": "say(failed(params={'option': '<b>'}))",
    "a parameter of another type": "say(failed(code='too_many_frames', params={'limit': '<b>'}))",
    "a parameter that is missing": "say(failed(code='too_many_pixels', params={'limit': 1}))",
    "markup in a parameter": "say(failed(code='unsupported_format', status=415, variant='variant', params={'format': '<b>', 'base': 'PNG'}))",
    "a page in a parameter": "say(failed(code='unsupported_format', status=415, variant='variant', params={'format': 'x' * 500, 'base': 'PNG'}))",
    "an unknown format": "say(failed(code='unsupported_format', status=415, variant='variant', params={'format': 'x', 'base': 'x'}))",
    "a long private word": "say({**failed(), 'private': 'x' * 501})",
    "a private object": "say({**failed(), 'private': {}})",
    # More than a child ever says
    "a line without an end": "say(b'x' * (1 << 20))",
    "a flood without an end": "\nwhile True: say(b'x' * 65536)",
    "reports without an end": "\nwhile True: say({'at': ['decode', 1]})",
    "empty lines without an end": "\nwhile True: say(b'\\n' * 65536)",
    "an end and a flood": "say(json.dumps(done()).encode() + b'\\n' + b'x' * 9000)",
}

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux can seal a process")


@pytest.fixture(scope="module")
def hostile_codec() -> Iterator[SealedCodec]:
    yield from codec_of("prefer")


@pytest.fixture(scope="module")
def unsealed_codec() -> Iterator[SealedCodec]:
    yield from codec_of("off")


def codec_of(sandbox: str) -> Iterator[SealedCodec]:
    codec = SealedCodec(sandbox=sandbox)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zygote_process, "LAUNCH", hostile_zygote.LAUNCH)
        codec.start()
    yield codec
    codec.close()


def convert(
    codec: SealedCodec,
    code: str,
    image: bytes = SMALL,
    timeout_s: float = 20.0,
    on_progress: Callable[[Progress], None] = lambda _: None,
    options: Options = Options(),
    mark: Watermark | None = None,
) -> tuple[Converted, bytes]:
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result:
        given.write(hostile_zygote.hostile(image, code))
        given.flush()
        conversion = Conversion(declared(image), options, Limits(), timeout_s, watermark=mark)
        converted = codec.convert(given.fileno(), result.fileno(), conversion, on_progress=on_progress, should_stop=lambda: False, tick_s=0.02)
        return converted, os.pread(result.fileno(), converted.bytes + 1, 0)


def zygote_of(codec: SealedCodec) -> psutil.Process:
    assert codec._client._process is not None
    return psutil.Process(codec._client._process.pid)


@pytest.fixture
def orders(hostile_codec: SealedCodec, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One for each child that an image was given to."""
    given: list[int] = []
    send = hostile_codec._client.send_order

    def send_and_count(*order: object) -> None:
        given.append(1)
        send(*order)  # type: ignore[arg-type]

    monkeypatch.setattr(hostile_codec._client, "send_order", send_and_count)
    return given


def test_the_same_child_can_be_honest(hostile_codec: SealedCodec) -> None:
    converted, data = convert(hostile_codec, "say({'at': ['decode', 0]}, {'at': ['encode', 50]}, done())")
    assert (converted.width, converted.height, len(data)) == (64, 48, converted.bytes)


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_ends_the_child_and_the_job_fails_once(hostile_codec: SealedCodec, orders: list[int], lie: str) -> None:
    begun = time.monotonic()
    with pytest.raises(errors.DamagedImage):
        convert(hostile_codec, LIES[lie])
    assert len(orders) == 1
    assert time.monotonic() - begun < 10, "long before its time limit"


@pytest.mark.parametrize(
    "code",
    ["say(done(facts={'original': True}))", OWN_FILE + "m['done']['width'] = 63; say(m)", OWN_FILE + "m['done']['frames'] = 2; say(m)"],
    ids=["a WebP", "another width", "more frames"],
)
def test_an_original_that_is_none_is_refused(hostile_codec: SealedCodec, code: str) -> None:
    with pytest.raises(errors.DamagedImage):
        convert(hostile_codec, code, options=Options(never_larger=True))


def test_an_original_that_was_asked_for_is_taken(hostile_codec: SealedCodec) -> None:
    converted, data = convert(hostile_codec, OWN_FILE + "say(m)", options=Options(never_larger=True))
    assert converted.facts == {"original": True}
    assert data.startswith(SMALL)


def test_a_flood_does_not_grow_the_host(hostile_codec: SealedCodec) -> None:
    before = psutil.Process().memory_info().rss
    for lie in ("a flood without an end", "reports without an end", "empty lines without an end"):
        with pytest.raises(errors.DamagedImage):
            convert(hostile_codec, LIES[lie])
    assert psutil.Process().memory_info().rss - before < 8 << 20


@pytest.mark.parametrize("code", ["hang()", "\nwhile True: pass", "say(b'{\"at\":'); hang()", "channel.close(); hang()"])
def test_a_child_that_never_ends_is_ended_by_the_clock(hostile_codec: SealedCodec, orders: list[int], code: str) -> None:
    with pytest.raises(errors.EncodeTimeout):
        convert(hostile_codec, code, timeout_s=0.5)
    assert len(orders) == 1


CHANGES_IT = """
message = done()
{first}
say(message)
while True:
    {then}
"""
WAYS_TO_CHANGE = {
    "writing": ("pass", "os.pwrite(result_fd, b'<script>', 0)"),
    "appending": ("pass", "os.pwrite(result_fd, b'<script>', message['done']['bytes'])"),
    "mapping": ("view = map_result(4096)", "view[:8] = b'<script>'"),
}


@pytest.mark.parametrize("image", [SMALL, LARGE], ids=["in memory", "in the file"])
@pytest.mark.parametrize("way", WAYS_TO_CHANGE)
def test_a_result_does_not_change_after_it_was_checked(hostile_codec: SealedCodec, image: bytes, way: str) -> None:
    first, then = WAYS_TO_CHANGE[way]
    code = CHANGES_IT.format(first=first, then=f"\n    try: {then}\n    except OSError: pass".strip())
    try:
        converted, data = convert(hostile_codec, code, image=image, timeout_s=1.0)
    except (errors.EncodeTimeout, errors.DamagedImage):
        return
    assert (len(data), data[:4], data[8:12]) == (converted.bytes, b"RIFF", b"WEBP")
    assert Image.open(io.BytesIO(data)).size == (converted.width, converted.height)


def test_the_file_is_judged_as_it_is_kept(hostile_codec: SealedCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory can be changed until it is copied."""
    copy = "backend.codec.host.result_memory.ResultMemory.copy_to"

    def copy_another(_memory: object, file_fd: int, _size_bytes: int) -> None:
        os.pwrite(file_fd, b"<!doctype html><script>" + bytes(300), 0)

    monkeypatch.setattr(copy, copy_another)
    with pytest.raises(errors.DamagedImage):
        convert(hostile_codec, "say(done())")


def test_a_child_holds_its_own_three_descriptors_and_no_other(hostile_codec: SealedCodec) -> None:
    held: dict[str, str] = {}
    zygotes_own = links(zygote_of(hostile_codec).pid).values()

    def look(_progress: Progress) -> None:
        pid = max(each.pid for each in zygote_of(hostile_codec).children() if "Seccomp:\t2" in Path(f"/proc/{each.pid}/status").read_text())
        held.update(links(pid))

    with pytest.raises(errors.EncodeTimeout):
        convert(hostile_codec, "say({'at': ['decode', 1]}); hang()", timeout_s=1.0, on_progress=look)
    others = sorted(link for number, link in held.items() if int(number) > 2)
    assert [held[number] for number in "012"] == [os.devnull] * 3
    assert len(others) == 3
    assert others[0].startswith("/memfd:result")
    assert others[1].startswith("/tmp/") or "deleted" in others[1]
    assert others[2].startswith("socket:") and others[2] not in zygotes_own, "the channel, and not the zygote's control"


def test_a_watermark_comes_as_a_fourth_descriptor_that_no_child_can_change(hostile_codec: SealedCodec) -> None:
    """The next job gets its own, and none where it has none."""
    mark, options = Watermark(Placement(), saved(picture(40, 30), "PNG")), Options(watermark="logo")
    held: list[str] = []

    def look(_progress: Progress) -> None:
        pid = max(each.pid for each in zygote_of(hostile_codec).children() if "Seccomp:\t2" in Path(f"/proc/{each.pid}/status").read_text())
        held.extend(link for number, link in links(pid).items() if int(number) > 2)

    with pytest.raises(errors.EncodeTimeout):
        convert(hostile_codec, "say({'at': ['decode', 1]}); hang()", timeout_s=1.0, on_progress=look, options=options, mark=mark)
    assert len(held) == 4 and sorted(held)[1].startswith("/memfd:watermark")
    change = (
        "tried = 0\n"
        "for attempt in (lambda: os.pwrite(mark._fd, b'x', 0), lambda: os.ftruncate(mark._fd, 0), lambda: mark._fd / (LIBC.mmap(None, 9, 3, 1, "
        "mark._fd, 0) != ctypes.c_void_p(-1).value)):\n"
        "    try:\n        attempt()\n    except (OSError, ZeroDivisionError):\n        tried += 1\n"
        "say(done() if tried == 3 and mark.read_at(0, 4) == b'\\x89PNG' else failed())"
    )
    assert convert(hostile_codec, change, options=options, mark=mark)[0].bytes
    assert convert(hostile_codec, "say(done() if mark is None else failed())")[0].bytes


def links(pid: int) -> dict[str, str]:
    return {number: os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")}


def test_a_descriptor_that_comes_back_ends_the_child(unsealed_codec: SealedCodec) -> None:
    """The seal forbids sending one; without it, the host takes none."""
    before = psutil.Process().num_fds()
    with pytest.raises(errors.DamagedImage):
        convert(unsealed_codec, 'socket.send_fds(channel, [b\'{"at":["decode",1]}\\n\'], [result_fd] * 9); say(done())')
    assert psutil.Process().num_fds() == before


def test_a_grandchild_that_keeps_the_channel_does_not_hold_the_host(unsealed_codec: SealedCodec) -> None:
    """Only a machine without seccomp lets a child fork."""
    begun = time.monotonic()
    code = "m = done()\nif os.fork() == 0:\n    time.sleep(8)\n    os._exit(0)\nsay(m)"
    converted, _data = convert(unsealed_codec, code, image=LARGE)
    assert converted.width == 2400
    assert time.monotonic() - begun < 8


def test_a_result_beyond_its_bound_is_never_written(hostile_codec: SealedCodec) -> None:
    """RLIMIT_FSIZE: the order's bound, 5 bytes a pixel and 1 MiB. The kernel ends a child that goes on."""
    sizes: list[int] = []

    def look(_progress: Progress) -> None:
        for each in zygote_of(hostile_codec).children():
            for link in Path(f"/proc/{each.pid}/fd").iterdir():
                if stat.S_ISREG(link.stat().st_mode):
                    sizes.append(link.stat().st_size)

    code = "\ntry:\n    os.pwrite(result_fd, b'x', 1 << 40)\nexcept OSError:\n    say({'at': ['decode', 1]})\n    hang()"
    with pytest.raises((errors.EncodeTimeout, errors.GatewayError)):
        convert(hostile_codec, code, timeout_s=1.0, on_progress=look)
    assert max(sizes, default=0) < 2 << 20


def test_an_honest_result_is_the_same_as_ever(hostile_codec: SealedCodec, codec: SealedCodec) -> None:
    """The harness changes nothing else: what it gives equals the product's own."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result:
        given.write(SMALL)
        given.flush()
        own = codec.convert(
            given.fileno(), result.fileno(), Conversion(declared(SMALL), Options(), Limits()), on_progress=lambda _: None, should_stop=lambda: False
        )
        data = os.pread(result.fileno(), own.bytes, 0)
    assert convert(hostile_codec, "say(done())")[1] == data


HEIC = saved(picture(64, 48), "HEIF")
MOST_THREADS = 16
"""Twice ``thread_budget.MAX_THREADS``: each that lives may be let in with another on its way."""


@pytest.mark.parametrize("image", [SMALL, HEIC], ids=["no threads at all", "HEIC, which decodes in a thread"])
def test_a_child_makes_no_flood_of_threads(hostile_codec: SealedCodec, image: bytes) -> None:
    """Also as root, for whom RLIMIT_NPROC does not count."""
    threads, said = [1], [0.0]

    def look(progress: Progress) -> None:
        threads.extend(each.num_threads() for each in zygote_of(hostile_codec).children())
        said.append(progress.percent)

    code = "made = make_threads()\nsay({'at': ['decode', min(100, made)]}, failed())"
    with pytest.raises(errors.DamagedImage):
        convert(hostile_codec, code, image=image, on_progress=look)
    assert max(threads) <= MOST_THREADS
    assert 1 + max(said) == (thread_budget.MAX_THREADS if image is HEIC else 1)


@pytest.mark.parametrize("image", [SMALL, HEIC], ids=["no threads at all", "HEIC, which decodes in a thread"])
def test_a_child_makes_no_process(hostile_codec: SealedCodec, image: bytes) -> None:
    code = "try: os.fork()\nexcept OSError as error: say(failed()) if error.errno == 1 else hang()"
    with pytest.raises(errors.DamagedImage):
        convert(hostile_codec, code, image=image, timeout_s=3.0)
