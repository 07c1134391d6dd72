"""The operator's page's samples as one JSON file. It is not synced: a machine that fails loses some seconds of them."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.ports.history import Sample

log = logging.getLogger(__name__)
MOST_BYTES = 1 << 20
"""Ten times what a full history has; a longer file is not ours."""


class FileHistory:
    """``run`` calls a function in a thread, since a disk may hang."""

    def __init__(self, path: Path, run: Callable[..., Any]) -> None:
        self._path, self._run = path, run

    def load(self) -> list[Sample]:
        return list(self._run(self._load))

    def save(self, samples: Sequence[Mapping[str, Any]]) -> None:
        self._run(self._save, json.dumps(list(samples), separators=(",", ":")))

    def _load(self) -> list[Sample]:
        try:
            if self._path.stat().st_size > MOST_BYTES:
                return []
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return []
        return [each for each in found if isinstance(each, dict) and isinstance(each.get("at"), (int, float))] if isinstance(found, list) else []

    def _save(self, text: str) -> None:
        staged = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            staged.write_text(text, "utf-8")
            staged.replace(self._path)
        except OSError as error:
            log.info("the history of the operator's page is not on disk: %s", error.strerror)
