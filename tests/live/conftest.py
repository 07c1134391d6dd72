"""The live tests share the whole gateway of the end-to-end tests."""

from tests.e2e.conftest import data_dir, gateway

__all__ = ["data_dir", "gateway"]
