"""What is in a chip's memory when its maker delivers it: a master file, and the transport key."""

from __future__ import annotations

from citycard.chip.files import DIRECTORY, KEYS, ROOT_FID, header
from citycard.chip.keystore import AUTHENTICATION
from citycard.chip.profile import ChipProfile

__all__ = ["delivered"]

_ALWAYS, _AUTHENTICATED = 0xF0, 0xF1
_STATUS, _TRIES = 0x0F, 0x33
_DIR_FID = 0x01
_ROOM = 0x50
"""Bytes of the key file, as issuing scripts make it for the master file: three keys."""


def delivered(profile: ChipProfile, *, transport: bool) -> bytes:
    """Return the bytes in use of a new chip.

    The master file can be created in and erased with security status 1 or more, which the transport key
    gives; without that key, by everyone until a key file is there.
    """
    name = profile.root_name
    rights = bytes((_AUTHENTICATED, _AUTHENTICATED, _DIR_FID))
    root = header(DIRECTORY, ROOT_FID, b"\xff\xff" + rights + bytes((len(name),))) + name
    return root + _transport_keys(profile) if transport else root


def _transport_keys(profile: ChipProfile) -> bytes:
    key = bytes((AUTHENTICATION, _ALWAYS, _AUTHENTICATED, _STATUS, _TRIES)) + profile.transport_key
    head = header(KEYS, 0x0000, bytes((0, _ROOM, _DIR_FID, _AUTHENTICATED, 0xFF, 0xFF)))
    return head + (bytes((0, len(key))) + key).ljust(_ROOM, b"\0")
