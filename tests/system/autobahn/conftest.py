"""Autobahn's suite runs against the same sample application as the server's unit tests."""

from __future__ import annotations

from tests.unit.server.conftest import gateway, start_gateway

__all__ = ["gateway", "start_gateway"]
