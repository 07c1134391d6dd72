"""The encoder of each output format, found by the format's name: ``encoders/<name>`` calls ``register`` when it is imported."""

from __future__ import annotations

import importlib

from backend.codec.encoders.encoder import Encoder
from backend.core.formats import OUTPUT, OutputFormat

_encoders: dict[str, Encoder] = {}


def register(name: str, encoder: Encoder) -> None:
    _encoders[name] = encoder


def encoder_for(output: OutputFormat) -> Encoder:
    """Raises ``ImportError`` where the format has a row and no module."""
    if output.name not in _encoders:
        importlib.import_module(f"{__package__}.{output.name}")
    return _encoders[output.name]


def preload() -> None:
    """Every encoder with its libraries."""
    for output in OUTPUT.values():
        encoder_for(output).preload()
