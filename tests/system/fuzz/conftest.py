"""The fuzz tests drive the same codec as the unit tests."""

from __future__ import annotations

from tests.unit.codec.conftest import codec, convert

__all__ = ["codec", "convert"]
