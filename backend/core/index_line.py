"""What the index knows of a stored job, and a rebuild needs of one that has ended. It is a part of the manifest."""

from __future__ import annotations

from dataclasses import dataclass

from backend.core.job import Manifest


@dataclass(frozen=True, slots=True)
class IndexLine:
    """``lister`` may list the job, '' for nobody. ``webhook_subject``: the id of the job or batch of whose end a webhook tells, '' for no webhook."""

    id: str
    created_at: float
    expires_at: float
    lister: str = ""
    webhook_subject: str = ""


def index_line(manifest: Manifest) -> IndexLine:
    subject = (manifest.batch or manifest.id) if manifest.webhook_url else ""
    return IndexLine(manifest.id, manifest.created_at, manifest.expires_at, manifest.lister, subject)
