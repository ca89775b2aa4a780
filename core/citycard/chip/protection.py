"""Line protection of files: whether a command must be protected, by which key, and what it carried."""

from __future__ import annotations

from citycard.chip import keystore, messaging
from citycard.chip.files import File, Key
from citycard.chip.state import CardState
from citycard.chip.status import LINE_PROTECTION_MISMATCH, RefusedError

__all__ = ["check_line", "line_key", "most_of_answer", "received"]


def check_line(needed: bool, *, given: bool) -> None:
    """Refuse with ``6900`` when the class byte does not fit the protection of the file."""
    if needed != given:
        raise RefusedError(LINE_PROTECTION_MISMATCH)


def line_key(card: CardState, index: int) -> Key:
    """Return the line key (kind 36) with this index."""
    return keystore.find(card, keystore.LINE, index)


def most_of_answer(card: CardState, file: File) -> int:
    """Return how many bytes of a file one protected answer can carry beside its MAC and padding."""
    room = card.profile.longest_data - messaging.MAC_SIZE
    if not file.enciphered:
        return room
    block = card.profile.line.block
    return room // block * block - 1  # the length byte comes before the data


def received(card: CardState, file: File, head: bytes, data: bytes) -> bytes:
    """Return the plain data of a protected write, after its MAC was checked."""
    key = line_key(card, file.write_key)
    body = messaging.unwrap(card, key, head, data)
    return messaging.open_data(card, key, body) if file.enciphered else body
