"""The adapters' own tests share the stores and the live state of the contract suites."""

from __future__ import annotations

from tests.contract.conftest import file_store, gevent_hub, live, redis_live, s3_server, s3_servers, s3_store, store

__all__ = ["file_store", "gevent_hub", "live", "redis_live", "s3_server", "s3_servers", "s3_store", "store"]
