"""A resumable upload: what was announced (``UploadInfo``, never changes) and how far it is (``UploadState``, replaced as a whole).

::

    receiving ──▶ complete ──▶ a job

It is complete when its last byte is on disk. A partial upload stays complete: only the final one made of it becomes a job. The job's id is chosen
when the upload is created, so that the last step makes one job however often it is tried. Times are seconds since the epoch.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from backend.core import records
from backend.core.options import Options
from backend.core.protocol import OLDEST
from backend.core.tus import FINAL, PARTIAL


@dataclass(frozen=True, slots=True)
class UploadInfo:
    """``metadata`` and ``concat`` are the headers as they came; ``owner``, ``client``, ``maker``, ``webhook_url`` and ``needs`` are the job's."""

    id: str
    job_id: str
    options: Options
    filename: str = ""
    metadata: str | None = None
    concat: str | None = None
    owner: str = ""
    client: str = ""
    request_id: str = ""
    maker: str = ""
    webhook_url: str = records.added("")
    needs: int = records.added(OLDEST)

    @property
    def is_partial(self) -> bool:
        return self.concat is not None and self.concat.startswith(PARTIAL)

    @property
    def is_final(self) -> bool:
        return self.concat is not None and self.concat.startswith(FINAL)

    def to_json(self) -> str:
        return records.as_json(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> UploadInfo:
        record = json.loads(text)
        return records.read(cls, record, options=records.read(Options, record["options"]))


@dataclass(frozen=True, slots=True)
class UploadState:
    """``offset_bytes`` are on disk, synced. ``length_bytes`` is None until it is announced. ``touched_at`` is when the last progress was made."""

    touched_at: float
    offset_bytes: int = 0
    length_bytes: int | None = None
    has_job: bool = False

    @property
    def is_complete(self) -> bool:
        return self.offset_bytes == self.length_bytes

    def with_offset(self, offset_bytes: int, now: float) -> UploadState:
        return replace(self, offset_bytes=offset_bytes, touched_at=now)

    def with_length(self, length_bytes: int, now: float) -> UploadState:
        return replace(self, length_bytes=length_bytes, touched_at=now)

    def with_job(self, now: float) -> UploadState:
        return replace(self, has_job=True, touched_at=now)

    def to_line(self) -> str:
        """One line of the upload's journal, in which the last whole line counts."""
        return f"{self.offset_bytes} {'-' if self.length_bytes is None else self.length_bytes} {int(self.has_job)} {self.touched_at:.3f}\n"

    @classmethod
    def from_line(cls, line: str) -> UploadState | None:
        """None for a line that a crash left incomplete. What a later release adds at its end is left out."""
        match = _LINE.fullmatch(line)
        if match is None:
            return None
        return cls(float(match[4]), int(match[1]), None if match[2] == "-" else int(match[2]), match[3] == "1")


_LINE = re.compile(r"(\d+) (-|\d+) ([01]) (\d+\.\d{3})(?: [^\n]*)?\n", re.ASCII)
