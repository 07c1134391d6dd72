"""Gunicorn without its command line, for a program that carries the gateway inside itself (``python run.py``, PyInstaller)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.util import import_app

CONFIGURATION = Path(__file__).resolve().parents[2] / "gunicorn.conf.py"


class Standalone(BaseApplication):  # type: ignore[misc]
    def __init__(self, uri: str) -> None:
        self.uri = uri
        super().__init__()

    def load_config(self) -> None:
        """From ``gunicorn.conf.py``, as Gunicorn's command line does."""
        namespace: dict[str, Any] = {"__file__": str(CONFIGURATION)}
        exec(compile(CONFIGURATION.read_bytes(), str(CONFIGURATION), "exec"), namespace)
        for name, value in namespace.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """Gunicorn calls this in each worker after the fork, since greenlets and connections belong to one process."""
        return import_app(self.uri)


def serve(uri: str) -> None:
    """``uri`` as on Gunicorn's command line: ``module:name``. Returns at SIGTERM or SIGINT."""
    Standalone(uri).run()
