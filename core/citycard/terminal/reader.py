"""Readers: the only way a terminal sees a card is a command and its answer."""

from __future__ import annotations

from typing import Protocol

from citycard.errors import CardRemoved, PowerLoss

__all__ = ["Card", "InProcessReader", "Reader"]

_SHORTEST_ANSWER = 2


class Card(Protocol):
    """Whatever answers like a card: the software chip, or an adapter around a real one."""

    def power_on(self) -> bytes:
        """Power the card up and return its answer to reset."""
        ...

    def transmit(self, apdu: bytes) -> bytes:
        """Execute one command; the answer ends with the two status bytes."""
        ...


class Reader(Protocol):
    """Exchange commands with the card in the field."""

    def connect(self) -> bytes:
        """Power the card up, dropping whatever it was in the middle of; return its answer to reset."""
        ...

    def transmit(self, apdu: bytes) -> bytes:
        """Send one command and return data and status word; CardRemoved when the card is gone."""
        ...


class InProcessReader:
    """Hold a card object of this process to a reader; the card's loss of power surfaces as CardRemoved."""

    def __init__(self, card: Card) -> None:
        self._card = card

    def connect(self) -> bytes:
        """Power the card up."""
        try:
            return self._card.power_on()
        except PowerLoss:
            raise CardRemoved(during="power up") from None

    def transmit(self, apdu: bytes) -> bytes:
        """Send one command."""
        try:
            answer = self._card.transmit(apdu)
        except PowerLoss:
            raise CardRemoved(during=f"command {apdu[:4].hex().upper()}") from None
        if len(answer) < _SHORTEST_ANSWER:
            raise CardRemoved(during=f"command {apdu[:4].hex().upper()}")
        return answer
