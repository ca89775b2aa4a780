"""The wire between a virtual reader and a software card: what vpcd sends, and what it wants back.

The reader's driver listens, the card connects. Every message is a length of two bytes, big-endian, and as
many bytes. One byte is a control: 00 power off, 01 power on, 02 reset, none of them answered; 04 asks for the
answer to reset. Anything else is a command APDU. The driver asks for the answer to reset again and again,
also without power: that is how it sees that a card is there.
"""

from __future__ import annotations

import socket
from enum import IntEnum

__all__ = ["Control", "Wire"]

_HEAD = 2
_CHUNK = 65537
_QUICK = getattr(socket, "TCP_QUICKACK", None)


class Control(IntEnum):
    """A message of one byte."""

    POWER_OFF = 0x00
    POWER_ON = 0x01
    RESET = 0x02
    ANSWER_TO_RESET = 0x04


class Wire:
    """Read and write whole messages on a connected socket.

    The driver sends length and bytes in two parts. Unless the first is acknowledged at once, the second
    waits some 45 ms, and the kernel forgets that wish after a while: so it is repeated after each reading.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._kept = bytearray()
        self._acknowledge()

    def receive(self) -> bytes | None:
        """Return the next message, or None when the other side has closed. TimeoutError passes through.

        A time-out loses nothing: what has arrived of a message is kept for the next call.
        """
        kept = self._kept
        while True:
            if len(kept) >= _HEAD:
                end = _HEAD + int.from_bytes(kept[:_HEAD], "big")
                if len(kept) >= end:
                    message = bytes(kept[_HEAD:end])
                    del kept[:end]
                    return message
            arrived = self._socket.recv(_CHUNK)
            if not arrived:
                return None
            kept += arrived
            self._acknowledge()

    def send(self, message: bytes) -> None:
        """Send one message of at most 65,535 bytes, in one piece."""
        self._socket.sendall(len(message).to_bytes(_HEAD, "big") + message)

    def _acknowledge(self) -> None:
        if _QUICK is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK, 1)
