"""One gateway for the tests that leave it as they found it; tests that break it start their own."""

from __future__ import annotations

from tests.e2e.conftest import data_dir, gateway

__all__ = ["data_dir", "gateway"]
