"""The child's life and death: whatever becomes of it, the job ends with the right word, and nothing is left."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image, ImageChops

from backend import errors
from backend.codec.host import zygote_process
from backend.codec.sandbox.warm_up import MAX_TOUCHED_BYTES
from backend.codec.seal import kernel
from backend.codec.sealed import ATTEMPTS, SealedCodec
from backend.core.conversion import ChildDied, Conversion, Converted, Progress, Stopped
from backend.core.limits import Limits
from backend.core.options import Options
from tests.fakes.waiting import until
from tests.unit.codec.conftest import declared, picture, saved

TUNABLES = {f"glibc.malloc.{name}" for name in ("mmap_threshold", "trim_threshold")}
SLOW = Options(method=6, quality=95)


def big(image_format: str = "JPEG", width: int = 3000, height: int = 2000) -> bytes:
    return saved(picture(width, height), image_format, quality=90)


def moving() -> bytes:
    """Forty large frames."""
    first = picture(1200, 900)
    return saved(first, "GIF", save_all=True, append_images=[ImageChops.offset(first, 20 * number, 0) for number in range(1, 40)])


def zygote() -> psutil.Process:
    return next(each for each in psutil.Process().children() if any("zygote" in part for part in each.cmdline()))


def at_work(zygote: psutil.Process) -> list[psutil.Process]:
    return [each for each in zygote.children() if not is_waiting(each)]


def child() -> psutil.Process:
    """The one at work."""
    return at_work(zygote())[0]


def is_waiting(process: psutil.Process) -> bool:
    """For an order: it has not sealed itself, since it has seen no image yet (proc(5): the seccomp mode)."""
    try:
        return "Seccomp:\t0" in Path(f"/proc/{process.pid}/status").read_text()
    except OSError:  # it has ended meanwhile
        return False


def waiting() -> psutil.Process:
    """The child that is there for the next order, once it is there alone."""
    deadline = time.monotonic() + 30
    while len(born := zygote().children()) != 1 or not is_waiting(born[0]):
        assert time.monotonic() < deadline
    return born[0]


class Run:
    """One conversion with something done to it once the encode is under way."""

    def __init__(self, codec: SealedCodec, *, during: Callable[[Run], None] = lambda run: None, timeout_s: float = 60.0) -> None:
        self._codec, self._during, self._timeout_s = codec, during, timeout_s
        self.reports: list[Progress] = []
        self.stop_asked_s: float | None = None
        self.polls = 0

    def stop(self) -> None:
        self.stop_asked_s = time.monotonic()

    def __call__(self, source: bytes | None = None, options: Options = SLOW, *, is_busy: bool = False) -> tuple[Converted, bytes]:
        source = source or big()
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result:
            given.write(source)
            given.flush()
            conversion = Conversion(declared(source), options, Limits(), self._timeout_s, is_busy=is_busy)
            converted = self._codec.convert(
                given.fileno(), result.fileno(), conversion, on_progress=self._heard, should_stop=self._asked, tick_s=0.05
            )
            return converted, os.pread(result.fileno(), converted.bytes + 1, 0)

    def _heard(self, progress: Progress) -> None:
        is_first = progress.stage == "encode" and not any(each.stage == "encode" for each in self.reports)
        self.reports.append(progress)
        if is_first:
            self._during(self)

    def _asked(self) -> bool:
        self.polls += 1
        return self.stop_asked_s is not None


def test_a_stop_ends_the_child_within_a_tick(codec: SealedCodec) -> None:
    run = Run(codec, during=lambda run: run.stop())
    with pytest.raises(Stopped):
        run()
    assert run.stop_asked_s is not None
    assert time.monotonic() - run.stop_asked_s < 0.3
    assert all(is_waiting(each) for each in zygote().children())
    assert len(zygote().children()) <= 1


@pytest.mark.parametrize(
    ("stage", "kind", "options"),
    [
        ("decode", "JPEG", Options()),
        ("decode", "PNG", Options()),
        ("transform", "PNG", Options(width=2500)),
        ("encode", "JPEG", Options(method=6)),
        ("encode", "JPEG", Options(lossless=True)),
        ("encode", "JPEG", Options(target_bytes=200_000)),
        ("encode", "JPEG", Options(quality="auto")),
        ("encode", "PNG", Options(quality="auto", lossless="auto")),
        ("encode", "GIF", Options()),
    ],
    ids=["decode jpeg", "decode png", "scale", "encode", "lossless", "a size", "a look", "both kinds", "animation"],
)
def test_a_stop_ends_any_stage_within_300_ms(codec: SealedCodec, stage: str, kind: str, options: Options) -> None:
    asked: list[float] = []

    def hear(progress: Progress) -> None:
        if progress.stage == stage and not asked:
            asked.append(time.monotonic())

    data = moving() if kind == "GIF" else big(kind, 5000, 4000)
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as result:
        given.write(data)
        given.flush()
        conversion = Conversion(declared(data), options, Limits(), 60.0)
        with pytest.raises(Stopped):
            codec.convert(given.fileno(), result.fileno(), conversion, on_progress=hear, should_stop=lambda: bool(asked))
        assert time.monotonic() - asked[0] < 0.3
    assert all(is_waiting(each) for each in zygote().children())


@pytest.fixture
def mortal_codec() -> Iterator[SealedCodec]:
    """One of its own, for a test that kills its zygote."""
    codec = SealedCodec()
    yield codec
    codec.close()


def own_zygote(codec: SealedCodec) -> psutil.Process:
    assert codec._client._process is not None
    return psutil.Process(codec._client._process.pid)


@pytest.mark.parametrize("victim", [lambda zygote: at_work(zygote)[0], lambda zygote: zygote], ids=["child", "zygote"])
def test_a_kill_from_outside_costs_time_and_no_result(mortal_codec: SealedCodec, victim: Callable[[psutil.Process], psutil.Process]) -> None:
    killed: list[int] = []

    def kill(_run: Run) -> None:
        killed.append(victim(own_zygote(mortal_codec)).pid)
        os.kill(killed[0], signal.SIGKILL)

    run = Run(mortal_codec, during=kill)
    converted, data = run()
    percents = [each.percent for each in run.reports]
    assert (converted.width, converted.bytes) == (3000, len(data))
    assert percents == sorted(percents)
    assert not psutil.pid_exists(killed[0])


def test_a_child_that_is_killed_again_is_given_up(codec: SealedCodec) -> None:
    def kill_each_time(run: Run) -> None:
        for each in zygote().children():  # none, when this hears what the last one said before it died
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        run.reports.clear()

    with pytest.raises(ChildDied) as caught:
        Run(codec, during=kill_each_time)()
    assert caught.value.times == ATTEMPTS


def test_a_zygote_that_cannot_be_started_is_the_machines_fault_and_not_the_images(mortal_codec: SealedCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(zygote_process, "LAUNCH", "raise SystemExit(1) #")
        with pytest.raises(errors.BackendUnavailable) as caught:
            Run(mortal_codec)()
        assert caught.value.params == {"part": "encoders"}
    converted, data = Run(mortal_codec)()
    assert converted.bytes == len(data)


def test_a_descriptor_that_cannot_be_had_is_the_machines_fault_and_not_the_images(mortal_codec: SealedCodec) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    conversion = Conversion(declared(big()), SLOW, Limits(), 60.0)
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as result:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            with pytest.raises(errors.BackendUnavailable):
                mortal_codec.convert(source.fileno(), result.fileno(), conversion, on_progress=lambda _: None, should_stop=lambda: False)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("fault", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
def test_a_crash_is_the_images_fault(codec: SealedCodec, fault: int) -> None:
    with pytest.raises(errors.DamagedImage):
        Run(codec, during=lambda _run: os.kill(child().pid, fault))()


def test_too_much_processor_time_is_a_timeout(codec: SealedCodec) -> None:
    with pytest.raises(errors.EncodeTimeout):
        Run(codec, during=lambda _run: os.kill(child().pid, signal.SIGXCPU))()


def test_the_clock_ends_a_child_that_stands_still(codec: SealedCodec) -> None:
    run = Run(codec, during=lambda _run: os.kill(child().pid, signal.SIGSTOP), timeout_s=1.0)
    with pytest.raises(errors.EncodeTimeout) as caught:
        run()
    assert caught.value.params == {"limit_s": 1.0}
    assert run.polls >= 15
    assert all(is_waiting(each) for each in zygote().children())
    assert len(zygote().children()) <= 1


def test_a_full_disk_is_named(codec: SealedCodec) -> None:
    with open("/dev/full", "wb") as full, tempfile.TemporaryFile() as given:
        source = saved(picture(), "PNG")
        given.write(source)
        given.flush()
        conversion = Conversion(declared(source), Options(), Limits())
        with pytest.raises(errors.StorageFull):
            codec.convert(given.fileno(), full.fileno(), conversion, on_progress=lambda _: None, should_stop=lambda: False)


def test_the_zygote_has_no_secrets_and_no_descriptor_of_ours(codec: SealedCodec) -> None:
    environment = Path(f"/proc/{zygote().pid}/environ").read_bytes().decode().split("\0")  # glibc cuts its tunables' line up where it lies
    assert {each.split("=")[0] for each in environment if each} <= {"LC_ALL", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES"} | TUNABLES
    held = [os.readlink(f"/proc/{zygote().pid}/fd/{fd}") for fd in os.listdir(f"/proc/{zygote().pid}/fd")]
    assert all(each == "/dev/null" or each.startswith(("socket:", "pipe:")) for each in held)
    assert len(held) <= 7


def test_nothing_is_left_after_many_jobs_of_all_kinds(codec: SealedCodec) -> None:
    def held() -> tuple[int, int]:
        waiting()
        return psutil.Process().num_fds(), zygote().num_fds()

    Run(codec)(saved(picture(), "PNG"), Options())
    before = held()
    for number in range(30):
        source = saved(picture(), "PNG")
        try:
            Run(codec)(source[: len(source) - 30 * (number % 3)], Options())
        except errors.DamagedImage:
            pass
    assert held() == before
    assert all(is_waiting(each) for each in zygote().children())
    assert len(zygote().children()) <= 1


def test_a_child_that_was_killed_as_it_waited_is_replaced(codec: SealedCodec) -> None:
    Run(codec)(saved(picture(), "PNG"), Options())
    killed = waiting()
    killed.kill()
    assert Run(codec)(saved(picture(), "PNG"), Options())[0].width == 320
    assert waiting() != killed


@pytest.mark.skipif(not kernel.IS_LINUX, reason="only Linux tells which memory is a process' own")
def test_a_child_warms_up_unless_others_wait_for_the_processor(codec: SealedCodec) -> None:
    own_bytes = {}
    for is_busy in (True, False):
        Run(codec)(big(), Options(method=0), is_busy=is_busy)
        until(lambda: "NoNewPrivs:\t1" in Path(f"/proc/{waiting().pid}/status").read_text())
        own_bytes[is_busy] = waiting().memory_full_info().uss
    assert own_bytes[True] < MAX_TOUCHED_BYTES < own_bytes[False]


def test_no_child_waits_before_the_first_order_nor_after_a_rest(mortal_codec: SealedCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    rest = "import backend.codec.sandbox.zygote as own; own.REST_S = 3.0; main("
    monkeypatch.setattr(zygote_process, "LAUNCH", zygote_process.LAUNCH.replace("main(", rest))
    mortal_codec.start()
    assert not own_zygote(mortal_codec).children()
    for _ in range(2):
        assert Run(mortal_codec)(saved(picture(), "PNG"), Options())[0].width == 320
        until(lambda: any(map(is_waiting, own_zygote(mortal_codec).children())))
        until(lambda: not own_zygote(mortal_codec).children())


def test_a_child_has_dropped_its_privileges_before_its_order_comes(codec: SealedCodec) -> None:
    Run(codec)(saved(picture(), "PNG"), Options())
    until(lambda: "NoNewPrivs:\t1" in Path(f"/proc/{waiting().pid}/status").read_text())


def test_each_job_has_a_child_of_its_own(codec: SealedCodec) -> None:
    seen = set()
    for _ in range(3):
        Run(codec)(saved(picture(), "PNG"), Options())
        seen.add(waiting())
    assert len(seen) == 3


POOL = """
import os, sys, tempfile
from backend.codec.sealed import SealedCodec
from backend.core.conversion import Conversion, Shape
from backend.core.limits import Limits
from backend.core.options import Options
codec = SealedCodec()
with open(sys.argv[1], "rb") as source, tempfile.TemporaryFile() as result:
    codec.convert(source.fileno(), result.fileno(), Conversion(Shape("jpeg", 3000, 2000), Options(method=6), Limits()),
        on_progress=lambda progress: print(progress.stage, flush=True), should_stop=lambda: False)
"""


def test_a_killed_pool_process_takes_zygote_and_child_with_it(tmp_path: Path) -> None:
    (tmp_path / "big.jpg").write_bytes(big())
    with subprocess.Popen([sys.executable, "-c", POOL, tmp_path / "big.jpg"], stdout=subprocess.PIPE, text=True) as pool:
        assert pool.stdout is not None
        while pool.stdout.readline().strip() != "encode":
            pass
        family = psutil.Process(pool.pid).children(recursive=True)
        pool.kill()
    assert len(family) == 3, "the zygote, the child at work, the one that waits"
    assert psutil.wait_procs(family, timeout=2.0)[1] == []


def test_require_is_refused_where_the_seal_is_not_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = SealedCodec(sandbox="require")
    monkeypatch.setattr("backend.codec.sealed.FULL", 4)
    with pytest.raises(errors.SettingsError):
        codec.start()
    codec.close()


def test_off_still_converts_and_says_so() -> None:
    codec = SealedCodec(sandbox="off")
    try:
        assert codec.seal_level()["level"] == 0
        assert Run(codec)(saved(picture(), "PNG"), Options())[0].width == 320
    finally:
        codec.close()


def test_a_result_that_is_not_what_the_child_claims_is_refused(codec: SealedCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.codec.host.verify.shape_of", lambda _fd, _output: None)
    with pytest.raises(errors.DamagedImage):
        Run(codec)(saved(Image.new("RGB", (9, 9)), "PNG"), Options())
