"""The frames of RFC 6455 as bytes: headers, masks, close codes. Nothing here touches a socket."""

from __future__ import annotations

import struct
from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
CONTROL_OPCODES = (CLOSE, PING, PONG)
MESSAGES = (TEXT, BINARY)
OPCODES = (CONTINUATION, TEXT, BINARY, *CONTROL_OPCODES)
CONTROL_PAYLOAD_BYTES = 125

NORMAL, PROTOCOL_ERROR, NOT_UTF8, POLICY_VIOLATION, TOO_BIG = 1000, 1002, 1007, 1008, 1009


Frame = tuple[int, str | bytes]
"""Opcode and content."""


class Violation(Exception):
    """The peer broke the protocol. ``code`` is the close code that answers it (RFC 6455 §7.4.1)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Header(NamedTuple):
    is_final: bool
    opcode: int
    length: int
    mask: bytes


def encode_header(opcode: int, length: int) -> bytes:
    first = 0x80 | opcode
    if length < 126:
        return bytes((first, length))
    if length < 1 << 16:
        return struct.pack("!BBH", first, 126, length)
    return struct.pack("!BBQ", first, 127, length)


def frame(opcode: int, payload: bytes) -> bytes:
    return encode_header(opcode, len(payload)) + payload


def message_frame(message: str | bytes) -> bytes:
    return frame(TEXT, message.encode()) if isinstance(message, str) else frame(BINARY, message)


def close_payload(code: int | None, reason: str | bytes) -> bytes:
    """Of a close frame. The reason is cut to fit, between two characters."""
    text = reason if isinstance(reason, str) else bytes(reason).decode(errors="replace")
    tail = text.encode()[: CONTROL_PAYLOAD_BYTES - 2].decode(errors="ignore").encode()
    return b"" if code is None else struct.pack("!H", code) + tail


def close_code(payload: bytes) -> int | None:
    """The code in a peer's close frame; None for an empty one (RFC 6455 §5.5.1, §7.4). Raises ``Violation``."""
    if not payload:
        return None
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or not (1000 <= code <= 1003 or 1007 <= code <= 1011 or 3000 <= code <= 4999):
        raise Violation(PROTOCOL_ERROR)
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise Violation(NOT_UTF8) from None
    return code


def unmask(data: bytes, mask: bytes, offset: int = 0) -> bytes:
    """XOR ``data``, which begins at ``offset`` of its frame, with the frame's mask: one operation on two big integers."""
    turn = offset % 4
    key = ((mask[turn:] + mask[:turn]) * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(len(data), "little")
