"""What only threads have: who waits for whom."""

from __future__ import annotations

from collections.abc import Callable

import gevent
from gevent.monkey import get_original

from backend.adapters.file_store import FileStore
from backend.adapters.gathered import BATCH_BYTES, MOST_BYTES, TOGETHER_BYTES, Gathered
from backend.adapters.threaded_store import THREADS, ThreadedStore
from backend.adapters.threads import Threads

allocate_lock = get_original("_thread", "allocate_lock")


def test_health_does_not_wait_for_uploads_that_are_being_synced(file_store: FileStore) -> None:
    store, gate = ThreadedStore(file_store), allocate_lock()
    gate.acquire()
    held = [gevent.spawn(store._run, lambda: gate.acquire() and gate.release()) for _ in range(2 * THREADS)]
    gevent.sleep(0)
    with gevent.Timeout(30):
        store.check()
    assert not any(each.dead for each in held)
    gate.release()
    gevent.joinall(held, raise_error=True)
    store.close()


def test_however_many_send_to_a_disk_that_stands_still_little_memory_is_held() -> None:
    """The loop waits with a batch of each upload in hand once all of them together hold enough; nothing is lost or changes places."""
    threads, gate, written = Threads(4), allocate_lock(), [bytearray() for _ in range(40)]
    gate.acquire()

    def sink(into: bytearray) -> Callable[[bytes], None]:
        def write(data: bytes) -> None:
            with gate:
                into.extend(data)

        return write

    uploads = [Gathered(threads, [sink(each)]) for each in written]
    begun_bytes = Gathered.together_bytes

    def send(number: int) -> None:
        for piece in range(48):
            uploads[number].add(bytes([number, piece]) * (BATCH_BYTES // 4))
            gevent.sleep(0)
        uploads[number].flush()

    senders = [gevent.spawn(send, number) for number in range(40)]
    for _ in range(200):  # more turns than anybody takes who does not wait
        gevent.sleep(0)
    assert not any(each.dead for each in senders)
    assert Gathered.together_bytes - begun_bytes <= TOGETHER_BYTES + 40 * BATCH_BYTES < 40 * MOST_BYTES
    gate.release()
    gevent.joinall(senders, raise_error=True)
    assert Gathered.together_bytes == begun_bytes
    assert written == [b"".join(bytes([number, piece]) * (BATCH_BYTES // 4) for piece in range(48)) for number in range(40)]
    threads.close()
