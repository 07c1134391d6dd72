"""The WebP Gateway: images in, WebP out, every percent of the way live.

Data goes one way: ingest, job, queue, encoder, store, deliver; only events come back. ``docs/explain/architecture.md`` is the map.
"""

__version__ = "1.0.0"
