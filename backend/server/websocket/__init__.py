"""WebSocket (RFC 6455): the upgrade, frames, messages, and one socket."""
