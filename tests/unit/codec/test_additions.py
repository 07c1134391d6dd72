"""An output format and an option, each added to a copy of the backend in two files: nothing else has to know them."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageFilter

from tests.unit.codec.conftest import picture, saved

ROOT = Path(__file__).resolve().parents[3]

ROW = '    "png": OutputFormat("png", "image/png", "png", 65535, has_alpha=True, has_animation=False),\n'
OPAQUE_ROW = ROW.replace("has_alpha=True", "has_alpha=False")
ENCODER = '''
"""PNG through Pillow."""

import io
from contextlib import contextmanager

from backend.codec.encoders.encoder import Encoded, Encoder
from backend.codec.encoders.registry import register


class PngEncoder(Encoder):
    @contextmanager
    def encode_still(self, image, metadata, options, on_share):
        file = io.BytesIO()
        image.save(file, "PNG")
        on_share(1.0)
        yield Encoded([file.getbuffer()])


register("png", PngEncoder())
'''
OPTION = "    blur: int | None = _option(_integer(1, 100), None)\n"
STEP = '''
"""``blur``: Gaussian, its radius in pixels of the result."""

from PIL import ImageFilter

from backend.codec.image.steps.step import Step


class Blur(Step):
    name, place = "blur", 60

    def is_idle(self, traits, plan):
        return plan.options.blur is None

    def apply(self, image, plan, on_share):
        return image.filter(ImageFilter.GaussianBlur(plan.options.blur))
'''
CONVERT = """
import sys, json
sys.path.insert(0, sys.argv[1])
from backend.codec.sealed import SealedCodec
from backend.core import options
from backend.core.conversion import Conversion
from backend.core.formats import sniff
from backend.core.image_headers import read_shape
from backend.core.limits import Limits
source = open(sys.argv[2], "rb")
data = source.read()
shape = read_shape(sniff(data), lambda at, length: data[at : at + length], len(data), Limits())
chosen = options.parse(json.loads(sys.argv[4]).items())
codec = SealedCodec()
with open(sys.argv[3], "w+b") as result:
    codec.convert(source.fileno(), result.fileno(), Conversion(shape, chosen, Limits()), on_progress=lambda _: None, should_stop=lambda: False)
codec.close()
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "backend", tmp_path / "backend", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def insert(path: Path, after: str, text: str) -> None:
    source = path.read_text("utf-8")
    assert source.count(after) == 1
    path.write_text(source.replace(after, after + text), "utf-8")


def convert(copy: Path, source: bytes, chosen: str) -> Image.Image:
    (copy / "source").write_bytes(source)
    command = [sys.executable, "-c", CONVERT, copy, copy / "source", copy / "result", chosen]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=copy)
    assert done.returncode == 0, done.stderr
    return Image.open(io.BytesIO((copy / "result").read_bytes()))


def add_format(copy: Path, row: str) -> None:
    insert(copy / "backend/core/formats.py", 'OutputFormat("webp", "image/webp", "webp", 16383, has_alpha=True, has_animation=True),\n', row)
    (copy / "backend/codec/encoders/png.py").write_text(ENCODER)


def test_an_output_format_is_a_row_and_a_file(copy: Path) -> None:
    add_format(copy, ROW)
    for image in (picture(), picture(mode="RGBA")):
        result = convert(copy, saved(image, "PNG"), '{"format": "png"}')
        assert (result.format, result.tobytes()) == ("PNG", image.tobytes())
    assert convert(copy, saved(picture(), "JPEG"), '{"format": "png", "width": 100}').size == (100, 62)
    assert convert(copy, saved(picture(), "JPEG"), "{}").format == "WEBP"


def test_what_a_format_cannot_have_is_taken_away_before_it_is_encoded(copy: Path) -> None:
    add_format(copy, OPAQUE_ROW)
    result = convert(copy, saved(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), "PNG"), '{"format": "png"}')
    assert (result.mode, result.getpixel((0, 0))) == ("RGB", (255, 255, 255))
    frames = [picture(), picture().transpose(Image.Transpose.ROTATE_180)]
    moving = saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    assert convert(copy, moving, '{"format": "png"}').tobytes() == picture().tobytes()


def test_an_option_is_a_field_and_a_step_and_takes_a_jpeg_off_the_fast_path(copy: Path) -> None:
    insert(copy / "backend/core/options.py", "    flop: bool = _option(_boolean(), False)\n", OPTION)
    (copy / "backend/codec/image/steps/blur.py").write_text(STEP)
    source = saved(picture(), "JPEG")
    with Image.open(io.BytesIO(source)) as image:
        blurred = image.filter(ImageFilter.GaussianBlur(3))
    assert ImageChops.difference(convert(copy, source, '{"blur": 3, "lossless": true}'), blurred).getbbox() is None
    lossy = convert(copy, source, '{"blur": 3}')
    assert lossy.tobytes() == Image.open(io.BytesIO(saved(blurred, "WEBP", quality=80, method=4))).tobytes()
    assert lossy.tobytes() != convert(copy, source, "{}").tobytes()
