"""What the flows need from the world, as protocols that name their failures.

An adapter raises only errors of ``backend.errors``: ``StorageFull`` and ``BackendUnavailable`` where the outside fails, and what a
method names. Each port has one contract suite in ``tests/ports`` that every adapter passes, the memory twins among them.
"""
