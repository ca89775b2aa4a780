"""Readers for tests of what happens when a card is taken away too early."""

from __future__ import annotations

from typing import Any

from citycard.errors import CardRemoved
from citycard.terminal.reader import Reader

__all__ = ["TakenAway"]

_DEBIT = 0x54


class TakenAway:
    """A reader whose card is taken away behind the command that debits it, and stays away.

    The debit is done, and nobody saw its answer: whoever holds the card to the reader it wraps learns that.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader, self._gone = reader, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def connect(self) -> bytes:
        """Power the card on; raise CardRemoved once it is away."""
        if self._gone:
            raise CardRemoved(during="a command")
        return self._reader.connect()

    def transmit(self, command: bytes) -> bytes:
        """Send a command; raise CardRemoved behind the debit."""
        answer = self._reader.transmit(command)
        if command[1] == _DEBIT:
            self._gone = True
            raise CardRemoved(during="a command")
        return answer
