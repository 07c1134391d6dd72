"""How many frames a peer may send. Each costs processor time, however empty it is; what is beyond the budget costs the peer its connection."""

from __future__ import annotations

from backend.server.connection_limits import ConnectionLimits
from backend.server.websocket.frames import CONTROL_OPCODES, POLICY_VIOLATION, Header, Violation
from backend.server.window_rate import WindowRate


class FrameBudget:
    """Of one WebSocket."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._frames = WindowRate(limits.websocket_frames, limits.websocket_frames_window_s)
        self._control_frames = WindowRate(limits.websocket_control_frames, limits.websocket_frames_window_s)

    def spend(self, header: Header) -> None:
        """Raises ``Violation``."""
        is_over = self._frames.is_exceeded_by_one_more()
        if header.opcode in CONTROL_OPCODES:
            is_over = self._control_frames.is_exceeded_by_one_more() or is_over
        if is_over:
            raise Violation(POLICY_VIOLATION)
