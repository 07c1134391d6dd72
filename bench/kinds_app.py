"""An application of a tuning manual: one path that waits, one that computes, one that does neither. For ``bench/tuning.py kinds``."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable
from typing import Any

from PIL import Image

IMAGE = Image.effect_noise((512, 512), 60).convert("RGB")
WAIT_S = 0.05


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/wait":
        time.sleep(WAIT_S)
    elif path == "/compute":
        IMAGE.save(io.BytesIO(), "WEBP", quality=80)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
