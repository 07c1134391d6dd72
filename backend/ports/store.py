"""The store: sources, results, and how each job ended. It is the truth; Redis can be rebuilt from it at any time."""

from __future__ import annotations

from typing import Protocol

from backend.ports.delivery_records import DeliveryRecords
from backend.ports.housekeeping import Housekeeping
from backend.ports.job_records import JobRecords
from backend.ports.result_files import ResultFiles
from backend.ports.source_files import SourceFiles


class Store(SourceFiles, ResultFiles, JobRecords, DeliveryRecords, Housekeeping, Protocol):
    """One adapter has all five capabilities: they share folders or a bucket. A caller that needs one of them may ask for that alone."""
