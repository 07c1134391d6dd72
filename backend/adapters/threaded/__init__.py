"""Blocking adapters run in threads, so that gevent's loop never waits for a disk."""
