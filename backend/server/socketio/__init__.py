"""Socket.IO sessions, and their hand-over to the worker that owns them."""
