"""Give a live card the current purse keys, at any reader: WRITE KEY with cipher text and MAC (84 D4).

The TAC key is written first, then the load key, the purchase key last; each write is whole or not at all.
So a card whose purchase key is current has all of them, and one that was taken away in between still pays
and loads: clearing and the load desk check a TAC under every version that is still honoured. Hold it to a
reader again and the rest is written. Only then may the old version be retired.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from citycard.card.files import TRANSIT_PROFILE, CardProfile
from citycard.errors import PurseAlgorithmNotAllowed, RekeyRefused
from citycard.keys.cipher import Algorithm, tdes
from citycard.keys.line import line_mac, seal
from citycard.keys.versions import KeyStatus
from citycard.terminal.commands import INIT_PURCHASE, PurseCommands
from citycard.terminal.identity import identity

if TYPE_CHECKING:
    from citycard.keys import Vault
    from citycard.terminal.reader import Reader

__all__ = ["Rekeyed", "rekey"]

_OK: Final = b"\x90\x00"
_CHALLENGE: Final = b"\x00\x84\x00\x00\x08"
_AUTHENTICATE: Final = b"\x00\x82\x00\x00\x08"
_NO_TERMINAL: Final = "0" * 12
_VERSION_AT: Final = 9
_MAC_SIZE: Final = 4
# May be used always, may be changed after the card's master key was shown: as cards are personalised.
_USE, _CHANGE = 0xF0, 0xF2
# Three wrong authentications lock the master key for good: there is always one left.
_ATTEMPTS: Final = 2


@attrs.frozen(kw_only=True)
class Rekeyed:
    """What became of a card: its number, and the version of its purchase key before and after."""

    asn: str
    before: int
    after: int


def rekey(reader: Reader, vault: Vault, *, profile: CardProfile = TRANSIT_PROFILE) -> Rekeyed:
    """Write the current purchase, load and TAC keys onto the card in a reader; nothing when it has them.

    May be torn anywhere and called again. Raises ``RekeyRefused`` when the card refuses a step,
    ``PurseAlgorithmNotAllowed`` for keys with which it cannot compute, ``CardRemoved`` and ``CardRefused``.
    """
    session = _Session(reader, vault, profile)
    asn, before = session.look()
    keys = vault.card_keys(bytes.fromhex(asn[4:]))
    after = keys.versions["purchase"]
    if before == after:
        return Rekeyed(asn=asn, before=before, after=after)
    for name in ("tac", "load", "purchase"):
        algorithm = keys.algorithms[name]
        if algorithm != Algorithm.TDES and algorithm.name.lower() not in profile.algorithms:
            raise PurseAlgorithmNotAllowed(
                purpose=name, version=after, algorithm=algorithm.name.lower(), profile=profile.name
            )
    master = session.authenticate(asn)
    for kind, index, name in (
        (0x34, 0, "tac"),
        (0x3F, profile.load_key, "load"),
        (0x3E, profile.purchase_key, "purchase"),
    ):
        head = bytes((kind, _USE, _CHANGE, keys.versions[name], keys.algorithms[name]))
        session.write_key(master, kind, index, head + getattr(keys, name))
    return Rekeyed(asn=asn, before=before, after=after)


class _Session:
    """One card in one reader, seen from its issuer."""

    def __init__(self, reader: Reader, vault: Vault, profile: CardProfile) -> None:
        self._commands = PurseCommands(reader, profile, _NO_TERMINAL)
        self._transmit = reader.transmit
        self._vault = vault
        self._asn = ""

    def look(self) -> tuple[str, int]:
        """Return the card's number and the version of its purchase key."""
        self._commands.select()
        self._asn = identity(self._commands).asn
        version = self._commands.initialise(INIT_PURCHASE, 0)[_VERSION_AT]
        self._commands.select()  # drops the purchase that was begun
        return self._asn, version

    def authenticate(self, asn: str) -> bytes:
        """Show the card its master key and return it: the current version, or the newest before it."""
        rows = [
            row
            for row in self._vault.versions()
            if row.purpose == "authentication" and row.status in {KeyStatus.CURRENT, KeyStatus.ACCEPTED}
        ]
        answer = b""
        for row in sorted(rows, key=lambda row: -row.version)[:_ATTEMPTS]:
            key = self._vault.card_key("authentication", bytes.fromhex(asn[4:]), row.version)
            challenge = self._expect("GET CHALLENGE", self._transmit(_CHALLENGE))
            answer = self._transmit(_AUTHENTICATE + tdes(key, challenge))
            if answer == _OK:
                return key
        raise self._refused("EXTERNAL AUTHENTICATE", answer)

    def write_key(self, master: bytes, kind: int, index: int, entry: bytes) -> None:
        """Replace a key of the card, sealed and with a MAC under its master key."""
        challenge = self._expect("GET CHALLENGE", self._transmit(_CHALLENGE))
        sealed = seal(master, entry)
        command = b"\x84\xd4" + bytes((kind, index, len(sealed) + _MAC_SIZE)) + sealed
        answer = self._transmit(command + line_mac(master, command, challenge))
        self._expect(f"WRITE KEY {kind:02X} {index:02X}", answer)

    def _expect(self, step: str, answer: bytes) -> bytes:
        if answer[-2:] != _OK:
            raise self._refused(step, answer)
        return answer[:-2]

    def _refused(self, step: str, answer: bytes) -> RekeyRefused:
        return RekeyRefused(asn=self._asn, step=step, status_word=answer[-2:].hex().upper())
