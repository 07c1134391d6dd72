"""The codec's speed, the price of its seal and of its percent, and its memory; each beside a bare loop in the same run.

    python -m bench.codec $PHOTOS/*.jpg [--rounds 5] [--processes N] [--width 1600] [--method 4] [--unconverted]

``bare``    libjpeg-turbo decodes, libwebp encodes, in a loop: no percent, no child, no seal, no file. A profile that moves colours (Display P3) is
            converted by LittleCMS, as the codec must; with ``--unconverted`` the loop leaves the colours wrong.
``kept``    the same with a heap that is never given back, as only a process that lives on and forgets nothing can have it.
``pillow``  the same through Pillow's ``open`` and ``save``.
``codec``   the encoder process: an order, a sealed child, percent reported, the result in a file and checked.

Each runs in as many processes as there are cores; every process takes every image once a round, and the kinds take turns. Ratios are of the
same round; the machine's foreign processor time is shown beside them, and a round with more than a tenth of it is left out.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import io
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from PIL import Image

from backend.codec import seal
from backend.codec.encoders.webp import bitstream
from backend.codec.image import colour
from backend.codec.image.decode import reduction
from backend.codec.native import arrow_buffer
from backend.codec.sealed import SealedCodec
from backend.core.conversion import Conversion
from backend.core.limits import Limits
from backend.core.options import Options
from tests.unit.codec.conftest import declared

LIMITS = Limits(pixels=200_000_000)
FOREIGN = 0.1
KINDS = ("pillow", "bare", "kept", "codec")
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


def open_image(path: Path, width: int | None) -> Image.Image:
    """Decoded, and scaled if ``width`` is smaller, with the reduced decode that the codec uses."""
    image = Image.open(path)
    if not width or image.width <= width:
        image.load()
        return image
    size = width, round(image.height * width / image.width)
    scale = reduction(image.size, size)
    drafted = image.draft(image.mode, (image.width // scale, image.height // scale)) if scale > 1 else None
    box = drafted[1] if drafted else None
    return image.resize(size, Image.Resampling.LANCZOS, box)


def pillow(path: Path, options: Options) -> None:
    with open_image(path, options.width) as image:
        image.save(io.BytesIO(), "WEBP", quality=options.quality, method=options.method)


def bare(path: Path, options: Options, *, is_converted: bool = True) -> None:
    with open_image(path, options.width) as opened_image:
        profile = opened_image.info.get("icc_profile") if is_converted else None
        image = colour.to_srgb(opened_image, profile, lambda _share: None)
        config = bitstream.config_for(options, float(options.quality))
        with bitstream.import_picture(image, argb=False) as picture:
            image.close()
            encode_without_percent(picture, config)


def encode_without_percent(picture, config) -> int:
    """An encode without the hook."""
    library, writer = bitstream.libwebp.encoder(), bitstream.libwebp.MemoryWriter()
    library.WebPMemoryWriterInit(ctypes.byref(writer))
    picture.writer = ctypes.cast(library.WebPMemoryWrite, ctypes.c_void_p)
    picture.custom_ptr = ctypes.addressof(writer)
    assert library.WebPEncode(ctypes.byref(config), ctypes.byref(picture))
    size = writer.size
    library.WebPMemoryWriterClear(ctypes.byref(writer))
    return size


def convert(codec: SealedCodec, path: Path, shape, options: Options) -> None:
    with path.open("rb") as source, tempfile.TemporaryFile() as result:
        conversion = Conversion(shape, options, LIMITS)
        codec.convert(source.fileno(), result.fileno(), conversion, on_progress=lambda _: None, should_stop=lambda: False)


def keep_heap() -> None:
    """glibc gives large buffers back and faults them in again."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(M_TRIM_THRESHOLD, 1 << 30)


def worker(kind: str, paths: list[Path], options: Options, is_converted: bool, start, done) -> None:
    codec = SealedCodec()
    if kind == "codec":
        codec.start()
    if kind != "pillow":
        arrow_buffer.allocate_in_one_block()
    if kind == "kept":
        keep_heap()
    shapes = {path: declared(path.read_bytes(), LIMITS) for path in paths}
    while start.get():
        began = time.monotonic()
        for path in paths:
            if kind == "codec":
                convert(codec, path, shapes[path], options)
            elif kind == "pillow":
                pillow(path, options)
            else:
                bare(path, options, is_converted=is_converted)
        done.put(time.monotonic() - began)
    codec.close()


class Crew:
    """Processes of one kind, each with the images in another order."""

    def __init__(self, kind: str, paths: list[Path], options: Options, count: int, *, is_converted: bool = True) -> None:
        context = multiprocessing.get_context("spawn")
        self._queues = [(context.Queue(), context.Queue()) for _ in range(count)]
        self._processes = []
        for number, queues in enumerate(self._queues):
            turned = paths[number:] + paths[:number]
            self._processes.append(context.Process(target=worker, args=(kind, turned, options, is_converted, *queues)))
            self._processes[-1].start()

    def round(self) -> tuple[float, float, float]:
        """Seconds; processor seconds; the share of the machine that others took meanwhile."""
        own, all_of_it, began = processor_s(), machine_s(), time.monotonic()
        for start, _done in self._queues:
            start.put(True)
        for _start, done in self._queues:
            done.get()
        seconds, own = time.monotonic() - began, processor_s() - own
        return seconds, own, max(0.0, machine_s() - all_of_it - own) / seconds / (os.cpu_count() or 1)

    def end(self) -> None:
        for (start, _done), process in zip(self._queues, self._processes, strict=True):
            start.put(False)
            process.join()


def machine_s() -> float:
    times = psutil.cpu_times()
    return times.user + times.nice + times.system


def processor_s() -> float:
    """Processor seconds of this process and all below it, with those that ended. A child that waits for an order may end at any time."""
    total = 0.0
    for each in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(each.cpu_times()[:4])
    return total


def throughput(paths: list[Path], options: Options, rounds: int, processes: int, *, is_converted: bool) -> None:
    crews = {kind: Crew(kind, paths, options, processes, is_converted=is_converted) for kind in KINDS}
    took: dict[str, list[float]] = {kind: [] for kind in KINDS}
    used_s: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(-1, rounds):  # the first is not counted
        ran = {kind: crew.round() for kind, crew in crews.items()}
        foreign = max(share for _seconds, _own, share in ran.values())
        is_quiet = foreign <= FOREIGN
        columns = [f"{kind} {seconds:.2f} s, {own:.2f} of processors" for kind, (seconds, own, _share) in ran.items()]
        print(*columns, f"foreign {foreign:.0%}{'' if is_quiet else ', not counted'}", sep="  ", flush=True)
        if number >= 0:
            for kind, (seconds, own, _share) in ran.items():
                used_s[kind].append(own)
                if is_quiet:
                    took[kind].append(seconds)
    for crew in crews.values():
        crew.end()
    compare("processor time", used_s)
    compare("throughput", took)


def compare(what: str, took: dict[str, list[float]]) -> None:
    """Over ``bare``; more is better."""
    if not took["bare"]:
        print(f"{what}: every round was disturbed by others")
        return
    for kind in KINDS:
        ratios = sorted(one / other for one, other in zip(took["bare"], took[kind], strict=True))
        median = statistics.median(ratios)
        print(f"{what}, {kind}: {statistics.median(took[kind]):.2f} s a round, {median:.3f} of bare ({ratios[0]:.3f}–{ratios[-1]:.3f})")


def price_of_the_seal(count: int = 100) -> float:
    """Milliseconds of a fork with the seal over one without; medians."""

    def lifetime(work: Callable[[], object]) -> float:
        began = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            work()
            os._exit(0)
        os.waitpid(pid, 0)
        return 1000 * (time.perf_counter() - began)

    def sealed() -> None:
        seal.set_limits({"CPU": 10, "AS": 1 << 32, "CORE": 0})
        seal.seal_process("prefer")

    pairs = [(lifetime(lambda: None), lifetime(sealed)) for _ in range(count)]
    return statistics.median(after - before for before, after in pairs)


def price_of_percent(path: Path, options: Options, count: int = 8) -> float:
    """Share of an encode's processor time; alternating, median. The reports go into a socket, as a child's do."""
    from backend.codec.messages import pack, progress_message
    from backend.codec.progress import curves
    from backend.codec.progress.meter import Meter

    arrow_buffer.allocate_in_one_block()
    config, ratios = bitstream.config_for(options, float(options.quality)), []
    ours, theirs = socket.socketpair()
    threading.Thread(target=lambda: [None for _ in iter(lambda: ours.recv(4096), b"")], daemon=True).start()

    def encode(with_percent: bool) -> float:
        with open_image(path, options.width) as image, bitstream.import_picture(image, argb=False) as picture:
            curve = curves.curve_for(options, image.width * image.height, has_alpha=False)
            meter = Meter({"encode": 1.0}, lambda progress: theirs.sendall(pack(progress_message(progress))))
            began = time.thread_time()
            if with_percent:
                with bitstream.encode(picture, config, lambda percent: meter.advance("encode", curve(percent))) as webp:
                    len(webp)
            else:
                encode_without_percent(picture, config)
            return time.thread_time() - began

    for number in range(count):
        first = encode(number % 2 == 0)
        second = encode(number % 2 != 0)
        ratios.append(first / second if number % 2 == 0 else second / first)
    theirs.close()
    return statistics.median(ratios) - 1


def peak_mib(kind: str, path: Path, options: Options) -> float:
    """The most that the process which does the work ever holds."""
    if kind == "pillow":
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_pillow_peak, args=(path, options, theirs))
        process.start()
        peak = ours.recv()
        process.join()
        return peak / 1024
    codec, most, over = SealedCodec(), [0], threading.Event()
    codec.start()
    zygote = psutil.Process().children()[-1]

    def watch() -> None:
        while not over.wait(0.001):
            for child in zygote.children():
                most[0] = max(most[0], _high_water_kib(child.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _again in range(50):  # a small job is over before anybody looks
        convert(codec, path, declared(path.read_bytes(), LIMITS), options)
        if most[0]:
            break
    over.set()
    watcher.join()
    codec.close()
    return most[0] / 1024


def _pillow_peak(path: Path, options: Options, end) -> None:
    pillow(path, options)
    end.send(_high_water_kib(os.getpid()))


def _high_water_kib(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--width", type=int)
    parser.add_argument("--method", type=int, default=4)
    parser.add_argument("--unconverted", action="store_true")
    wanted = parser.parse_args()
    options = Options(width=wanted.width, method=wanted.method)
    throughput(wanted.paths, options, wanted.rounds, wanted.processes, is_converted=not wanted.unconverted)
    each_ms = price_of_the_seal()
    print(f"the seal: {each_ms:.2f} ms a job; the percent: {price_of_percent(wanted.paths[0], options):.2%} of an encode ({wanted.paths[0].name})")
    with tempfile.NamedTemporaryFile(suffix=".jpg") as small:
        Image.new("RGB", (64, 64)).save(small, "JPEG")
        idle = {kind: peak_mib(kind, Path(small.name), options) for kind in ("codec", "pillow")}
    for path in wanted.paths:
        with Image.open(path) as image:
            megapixels = image.width * image.height / 1e6
        ours, theirs = ((peak_mib(kind, path, options) - idle[kind]) / megapixels for kind in ("codec", "pillow"))
        print(f"peak memory, {path.name}, {megapixels:.1f} megapixels: {ours:.1f} MiB a megapixel, Pillow {theirs:.1f}")


if __name__ == "__main__":
    main()
