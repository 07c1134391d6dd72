"""WebSocket: the upgrade and bounded frames."""
