"""A blank SAM made the SAM of one terminal, and new keys for one in use: scripts of APDUs to any reader."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import attrs

from citycard.errors import PersonalisationFailed
from citycard.keys.cipher import tdes
from citycard.keys.line import line_mac
from citycard.psam.keytable import SamKey
from citycard.psam.profile import TRANSIT_PSAM, SamKind, SamProfile
from citycard.terminal.answering import whole_answer
from citycard.terminal.reader import Reader

__all__ = ["SamIdentity", "load_keys", "personalise_sam"]

_OK = b"\x90\x00"
_VERSION, _SAM_KIND = 0x01, 0x01
_MAC_SIZE = 4


@attrs.frozen(kw_only=True)
class SamIdentity:
    """Who a SAM is. ``number`` has 20 digits, ``terminal`` 12, ``issuer`` and ``receiver`` 16 hex digits.

    ``purchase_key`` is the key index that the terminal names to cards (EF 17 byte 0).
    """

    number: str
    terminal: str
    issuer: str
    receiver: str
    purchase_key: int = 1
    start: dt.date
    expiry: dt.date

    def card_file(self) -> bytes:
        """Return EF 15: number (10), version, kind, the issuer's own two bytes."""
        return bytes.fromhex(self.number) + bytes((_VERSION, _SAM_KIND, 0, 0))

    def application_file(self) -> bytes:
        """Return EF 17: key index, issuer (8), receiver (8), first and last day (4 each, BCD)."""
        days = bytes.fromhex(f"{self.start:%Y%m%d}{self.expiry:%Y%m%d}")
        return bytes((self.purchase_key,)) + bytes.fromhex(self.issuer) + bytes.fromhex(self.receiver) + days


def personalise_sam(
    reader: Reader,
    identity: SamIdentity,
    keys: Iterable[bytes],
    master: bytes,
    *,
    profile: SamProfile = TRANSIT_PSAM,
) -> None:
    """Make a blank SAM the SAM of ``identity``; ``master`` replaces the transport keys, then ``keys`` follow.

    Each of ``keys`` is sealed under ``master`` already (``SamKey.sealed``, ``Vault.export_under``). A script
    that broke off anywhere is run again from the start, with the same identity and master. Raises
    ``PersonalisationFailed`` when the SAM refuses, such as one that another city made its own.
    """
    script = _Script(reader, profile)
    transport, number = profile.transport_key, bytes.fromhex(identity.terminal)
    master_key = SamKey(usage=profile.usage(SamKind.MASTER, 0), version=1, key=master)
    # The master key is tried only on a SAM that bears this terminal's number: tries are few.
    begun = script.read_terminal() == number
    owner = script.authenticate(transport, master if begun else None)
    script.write_file(0x16, number)
    script.write_file(0x15, identity.card_file())
    script.write_key(master_key.sealed(owner), owner)
    script.select_application()
    owner = script.authenticate(transport, master)
    script.write_file(0x17, identity.application_file())
    script.write_key(master_key.sealed(owner), owner)
    for key in keys:
        script.write_key(key, master)


def load_keys(
    reader: Reader, keys: Iterable[bytes], master: bytes, *, profile: SamProfile = TRANSIT_PSAM
) -> None:
    """Load sealed keys into a SAM in use, under its own master key; what it has stays. Again without harm."""
    script = _Script(reader, profile)
    script.select_application()
    for key in keys:
        script.write_key(key, master)


class _Script:
    def __init__(self, reader: Reader, profile: SamProfile) -> None:
        self._transmit = reader.transmit
        self._name = profile.adf_name
        reader.connect()

    def read_terminal(self) -> bytes:
        return self._send("READ BINARY 16", bytes.fromhex("00B0960006"))

    def select_application(self) -> None:
        self._send("SELECT", b"\x00\xa4\x04\x00" + bytes((len(self._name),)) + self._name)

    def authenticate(self, key: bytes, other: bytes | None) -> bytes:
        """Prove one of two keys and return it."""
        try:
            self._authenticate(key)
        except PersonalisationFailed:
            if other is None:
                raise
            self._authenticate(other)
            return other
        return key

    def _authenticate(self, key: bytes) -> None:
        challenge = self._send("GET CHALLENGE", bytes.fromhex("0084000008"))
        self._send("EXTERNAL AUTHENTICATE", bytes.fromhex("0082000008") + tdes(key, challenge))

    def write_file(self, sfi: int, content: bytes) -> None:
        head = bytes((0x00, 0xD6, 0x80 | sfi, 0, len(content)))
        self._send(f"UPDATE BINARY {sfi:02X}", head + content)

    def write_key(self, sealed: bytes, master: bytes) -> None:
        challenge = self._send("GET CHALLENGE", bytes.fromhex("0084000004"))
        command = bytes((0x84, 0xD4, 0, 0, len(sealed) + _MAC_SIZE)) + sealed
        self._send("WRITE KEY", command + line_mac(master, command, challenge))

    def _send(self, step: str, apdu: bytes) -> bytes:
        answer = whole_answer(self._transmit, apdu)
        if answer[-2:] != _OK:
            raise PersonalisationFailed(step=step, status_word=answer[-2:].hex().upper())
        return answer[:-2]
