"""Everything that a store lists, for tests that look at all of it."""

from __future__ import annotations

from backend.core.job import Manifest
from backend.ports.job_records import JobRecords, ListedJob


def listed(store: JobRecords, limit: int = 500) -> list[ListedJob]:
    found: list[ListedJob] = []
    place: str | None = ""
    while place is not None:
        page = store.job_page(place, limit)
        found += page.jobs
        place = page.next_place
    return found


def manifests(store: JobRecords) -> list[Manifest]:
    """Of every job that can be read."""
    return list(store.manifests([each.id for each in listed(store)]).found)
