"""A folder of watermarks as an operator has it: seen by clients, changed while the gateway runs, broken and mended."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image, ImageSequence

from tests.support.running import ROOT, Gateway, free_port, running, wait_for

pytestmark = pytest.mark.e2e
PLACE = 'place = "centre"\nscale = 0.5\nmargin = 0\n'
MIDDLE = (160, 100)


def png(colour: str, size: tuple[int, int] = (64, 64)) -> bytes:
    return saved([Image.new("RGB", size, colour)], "PNG")


def saved(frames: list[Image.Image], image_format: str) -> bytes:
    out = io.BytesIO()
    frames[0].save(out, image_format, **({"save_all": True, "append_images": frames[1:]} if len(frames) > 1 else {}))
    return out.getvalue()


def put(folder: Path, name: str, data: bytes) -> None:
    """As the page says: beside it, and renamed."""
    (folder / "new").write_bytes(data)
    os.replace(folder / "new", folder / name)


def frames_of(gateway: Gateway, job_id: str) -> list[tuple[int, ...]]:
    """The middle of each frame."""
    with Image.open(io.BytesIO(gateway.result(job_id))) as image:
        return [each.convert("RGB").getpixel(MIDDLE) for each in ImageSequence.Iterator(image)]


def near(found: tuple[int, ...], colour: tuple[int, int, int]) -> bool:
    return max(abs(one - other) for one, other in zip(found, colour, strict=True)) < 12


def shown(gateway: Gateway, image: bytes, **options: Any) -> tuple[int, ...]:
    job = gateway.ended(gateway.upload(image, **options)["id"])
    assert job["state"] == "succeeded", job
    return frames_of(gateway, job["id"])[0]


def test_a_folder_of_marks_serves_clients_and_is_mended_while_the_gateway_runs(tmp_path: Path) -> None:
    folder = tmp_path / "marks"
    folder.mkdir()
    for name, colour in (("red.png", "red"), ("水印.png", "lime")):
        put(folder, name, png(colour))
        put(folder, f"{Path(name).stem}.toml", PLACE.encode())
    ground = png("white", (320, 200))
    settings = {"GATEWAY_WATERMARKS_DIR": str(folder), "GATEWAY_SHARE_RESULTS": "on", "GUNICORN_WORKERS": "1", "GATEWAY_ENCODERS": "1"}
    with running(tmp_path / "data", **settings) as gateway:
        assert requests.get(f"{gateway.url}/api/capabilities", timeout=10).json()["watermarks"] == ["red", "水印"]
        for options, colour in (({}, (255, 255, 255)), ({"watermark": "red"}, (255, 0, 0)), ({"watermark": "水印", "format": "png"}, (0, 255, 0))):
            assert near(shown(gateway, ground, **options), colour)
        moving = saved([Image.new("RGB", (320, 200), colour) for colour in ("white", "black", "blue")], "GIF")
        frames = frames_of(gateway, gateway.ended(gateway.upload(moving, watermark="red")["id"])["id"])
        assert len(frames) == 3 and all(near(each, (255, 0, 0)) for each in frames)

        refused = requests.post(f"{gateway.url}/api/jobs?watermark=../red", data=ground, timeout=10)
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_option")
        assert str(folder) not in refused.text and "水印" in refused.text

        again = gateway.upload(ground, watermark="red")
        assert again["state"] == "succeeded", "equal images with the same mark share an encode"
        put(folder, "red.png", png("blue"))
        assert near(shown(gateway, ground, watermark="red"), (0, 0, 255)), "the new file counts at once"
        put(folder, "red.toml", f"{PLACE}opacity = 0.5".encode())
        assert near(shown(gateway, ground, watermark="red"), (128, 128, 255))

        broken_while_waiting(gateway, folder, ground)


def broken_while_waiting(gateway: Gateway, folder: Path, ground: bytes) -> None:
    """A PNG whose sums are right and whose data are not passes the gateway. The encoder's child finds it; the job waits until the file is mended."""
    whole = (folder / "水印.png").read_bytes()
    put(folder, "水印.png", undecodable(whole))
    job = gateway.upload(png("silver", (320, 200)), watermark="水印")
    wait_for(lambda: "is put off" in gateway.log.read_text(), 20, "for the job to be put off")
    put(folder, "水印.png", whole[:-20])
    refused = requests.post(f"{gateway.url}/api/jobs?watermark=水印", data=ground, timeout=10)
    assert (refused.status_code, refused.json()["code"]) == (503, "backend_unavailable") and refused.headers["Retry-After"]
    assert near(shown(gateway, png("gray", (320, 200))), (128, 128, 128)), "others are not kept waiting"
    assert gateway.job(job["id"])["state"] in ("queued", "running")
    put(folder, "水印.png", whole)
    assert near((gateway.ended(job["id"])["state"] == "succeeded" and frames_of(gateway, job["id"])[0]) or (), (0, 255, 0))
    assert "水印.png" in gateway.log.read_text()


def undecodable(whole: bytes) -> bytes:
    import zlib

    at = whole.index(b"IDAT")
    body = b"IDAT" + zlib.compress(b"too little")
    return whole[: at - 4] + (len(body) - 4).to_bytes(4) + body + zlib.crc32(body).to_bytes(4) + whole[-12:]


def test_a_start_with_a_wrong_folder_ends_with_a_line_for_each_file(tmp_path: Path) -> None:
    folder = tmp_path / "marks"
    for prepare, lines in (
        (lambda: None, ["readable_folder"]),
        (folder.mkdir, []),
    ):
        prepare()
        if folder.exists():
            put(folder, "logo.png", png("red")[:-5])
            put(folder, "logo.toml", b"place = 'corner'")
        environment = {**os.environ, "API_PORT": str(free_port()), "GATEWAY_DATA_DIR": str(tmp_path / "data"), "GATEWAY_WATERMARKS_DIR": str(folder)}
        ended = subprocess.run([ROOT / "start.sh"], env=environment, capture_output=True, text=True, timeout=60, check=False)
        told = [line for line in (ended.stdout + ended.stderr).splitlines() if "GATEWAY_WATERMARKS_DIR" in line]
        assert ended.returncode == 2
        if lines:
            assert len(told) == 1 and "expected the path of a folder that can be read" in told[0]
        else:
            assert len(told) == 2 and "logo.png: expected a still PNG" in told[0] and "logo.toml place='corner': expected one of" in told[1]
