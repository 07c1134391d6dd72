"""Socket.IO: sessions, their hand-over to the worker that owns them, and guards around python-engineio."""
