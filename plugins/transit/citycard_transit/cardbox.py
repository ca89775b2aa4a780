"""The cards of a simulated city between two plays: each chip's memory, and each terminal's counts.

A real card carries its own memory away. A played card lies here, sealed under a key of the city's vault,
since its memory holds the card's keys. A play writes one box; the newest box that has a card has its state.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING

import attrs

from citycard import files
from citycard.keys import Algorithm, KeyPurpose
from citycard_transit.errors import CardBoxDamaged

if TYPE_CHECKING:
    from citycard.keys.vault import Vault

__all__ = ["KEY", "TerminalState", "packed", "read_box", "unpacked", "write_box", "write_whole"]

KEY = KeyPurpose(
    name="transit-cardbox",
    kind=0x00,
    title="Seals the memory of simulated cards",
    owner="transit",
    algorithm=Algorithm.AES,
)

_MAGIC = b"CCBX\x01"
_NONCE = 12
_ENTRY = Struct(">10sI")
_FACTOR = 8
_FASTEST = 1


@attrs.frozen(kw_only=True)
class TerminalState:
    """Where a terminal goes on after a play: its next batch and record, and the SAM's last serial."""

    next_batch: int = 1
    next_sequence: int = 1
    serial: int = 0


def write_box(
    path: Path, vault: Vault, images: Mapping[str, bytes], terminals: Mapping[str, TerminalState]
) -> None:
    """Seal the images of cards, by serial number, and the states of terminals into one file."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    head = json.dumps({number: attrs.astuple(state) for number, state in terminals.items()}).encode()
    parts = [len(head).to_bytes(4, "big"), head]
    for asn, packed in images.items():
        parts += [_ENTRY.pack(bytes.fromhex(asn), len(packed)), packed]
    nonce = os.urandom(_NONCE)
    sealed = AESGCM(_key(path, vault)).encrypt(nonce, b"".join(parts), _MAGIC)
    write_whole(path, _MAGIC + nonce + sealed)


def read_box(path: Path, vault: Vault) -> tuple[dict[str, bytes], dict[str, TerminalState]]:
    """Open a box; raise CardBoxDamaged when it is not one that this city sealed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    data = path.read_bytes()
    start = len(_MAGIC) + _NONCE
    try:
        plain = AESGCM(_key(path, vault)).decrypt(data[len(_MAGIC) : start], data[start:], _MAGIC)
    except (InvalidTag, ValueError) as wrong:
        raise CardBoxDamaged(path=path) from wrong
    size = int.from_bytes(plain[:4], "big")
    states = json.loads(plain[4 : 4 + size])
    return dict(_images(plain, 4 + size)), {
        number: TerminalState(next_batch=batch, next_sequence=sequence, serial=serial)
        for number, (batch, sequence, serial) in states.items()
    }


def packed(image: bytes) -> bytes:
    """Make a card's image small: most of it is empty files."""
    return zlib.compress(image, _FASTEST)


def unpacked(image: bytes) -> bytes:
    """Undo ``packed``."""
    return zlib.decompress(image)


def write_whole(path: Path, *parts: bytes) -> None:
    """Write a file for its owner alone: under its name there is all of it or what was there before."""
    files.write_whole(path, lambda file: file.writelines(parts), mode=0o600)


def _images(plain: bytes, position: int) -> Iterator[tuple[str, bytes]]:
    while position < len(plain):
        asn, size = _ENTRY.unpack_from(plain, position)
        position += _ENTRY.size
        yield asn.hex(), plain[position : position + size]
        position += size


def _key(path: Path, vault: Vault) -> bytes:
    # Each box has a key of its own, derived from the name of its folder.
    return vault.card_key(KEY.name, zlib.crc32(path.parent.name.encode()).to_bytes(_FACTOR, "big"))
