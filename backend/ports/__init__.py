"""What the flows need from the world, as protocols that name their failures.

An adapter raises only errors of ``backend.errors``: ``BackendUnavailable`` and ``StorageFull`` where the outside fails, and those that a
method names. Each port has one contract suite in ``tests/contract``, which runs against every adapter and against the fake in ``tests/fakes``.
"""
