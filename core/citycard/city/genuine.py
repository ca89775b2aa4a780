"""Is this card one of the city's, and does what it says of itself fit together (docs/pcsc.md, "verify")."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from hmac import compare_digest
from typing import TYPE_CHECKING

import attrs

from citycard import registry
from citycard.card import CardIdentity, LogRecord, decode
from citycard.errors import CardRefused, CodecError, CommandFailed, KeyVersionUnknown, RegistryMissing
from citycard.keys.line import TDES_LINE, line_mac
from citycard.registry import CardStatus
from citycard.store import reading
from citycard.terminal.answering import whole_answer
from citycard.terminal.commands import PurseCommands
from citycard.terminal.identity import identity
from citycard.terminal.reader import Reader

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["Check", "verify_card"]

_OK, _NOT_OFFERED = b"\x90\x00", {b"\x69\x00", b"\x6d\x00", b"\x6e\x00", b"\x6a\x81"}
_TERMINAL = bytes(6)
_LOADS = {0x01, 0x02}
_BALANCE = 0x7FFFFFFF


@attrs.frozen(kw_only=True)
class Check:
    """One thing that was looked at. ``ok`` is None where it could not be asked of this card."""

    name: str
    ok: bool | None
    words: str


def verify_card(city: City, reader: Reader) -> list[Check]:
    """Look at the card in a reader with the city's keys; nothing on it is changed, no try of a key is spent.

    What needs a right key is asked only after the card has shown that it has the right ones. Raises
    CardRemoved and what the vault raises.
    """
    reader.connect()
    return list(_Verifying(city, reader).checks())


class _Verifying:
    def __init__(self, city: City, reader: Reader) -> None:
        self._city, self._reader = city, reader
        self._asn8 = b""

    def checks(self) -> Iterator[Check]:
        """Yield the checks in order, up to the first without which the next make no sense."""
        commands = PurseCommands(self._reader, self._city.issuing.profile, "0" * 12)
        try:
            commands.select()
        except CardRefused as refused:
            words = f"there is no purse of the city's kind on the card: {refused.data['explanation']}"
            yield Check(name="purse", ok=False, words=words)
            return
        try:
            card = identity(commands)
        except (CardRefused, CommandFailed) as error:
            yield Check(name="files", ok=False, words=f"what says whose card it is cannot be read: {error}")
            return
        yield Check(name="files", ok=True, words=f"card {card.asn}")
        self._asn8 = card.asn8
        yield from self._registered(card)
        own = self._internal()
        yield own
        counters: dict[str, int] = {}
        loaded = self._load_key(counters)
        yield loaded
        yield self._purchase_key(counters)
        yield from self._log(counters)
        if own.ok and loaded.ok:
            yield self._file_mac()
        else:
            yield Check(name="file-mac", ok=None, words="not asked: a wrong key would cost the card a try")

    # ── the registry ─────────────────────────────────────────────────────────────────────────────

    def _registered(self, found: CardIdentity) -> Iterator[Check]:
        issuer = self._city.config.city.issuer
        if found.issuer != issuer:
            words = f"issuer {found.issuer} is not the city's, {issuer}"
            yield Check(name="issuer", ok=False, words=words)
        with reading(self._city.engine) as conn:
            try:
                card = registry.find_card(conn, found.asn)
            except RegistryMissing:
                yield Check(name="registry", ok=False, words="the city never registered this number")
                return
            listed = found.asn in registry.blacklist_at(conn, registry.blacklist_number(conn))
        said = {
            "issuer": found.issuer == card.issuer,
            "kind": found.kind in {0, card.kind},
            "first day": found.start == card.issued_on,
            "last day": found.expiry == card.expires_on,
        }
        wrong = [name for name, same in said.items() if not same]
        words = f"{card.product}, {card.status.value}" + (f"; differs in {', '.join(wrong)}" if wrong else "")
        yield Check(name="registry", ok=not wrong and card.status is CardStatus.ISSUED, words=words)
        words = "on the list in force" if listed else "not on the list in force"
        yield Check(name="blacklist", ok=not listed, words=words)

    # ── the card's own keys ──────────────────────────────────────────────────────────────────────

    def _internal(self) -> Check:
        challenge = secrets.token_bytes(8)
        answer = self._send(b"\x00\x88\x00\x00\x08" + challenge + b"\x08")
        if answer[-2:] != _OK:
            return Check(name="internal-key", ok=None, words=f"the card answers {answer[-2:].hex().upper()}")
        for row in self._city.vault.versions():
            if row.purpose == "internal":
                try:
                    key = self._city.vault.card_key("internal", self._asn8, row.version)
                except KeyVersionUnknown:
                    continue
                if compare_digest(TDES_LINE.encrypt(key, challenge), answer[:-2]):
                    return Check(name="internal-key", ok=True, words=f"version {row.version}")
        return Check(name="internal-key", ok=False, words="the card does not have the city's key")

    def _load_key(self, counters: dict[str, int]) -> Check:
        # Begun and given up: MAC1 covers the balance and the counter.
        amount_fen = 1
        profile = self._city.issuing.profile
        if profile.load_needs_pin:
            return Check(name="load-key", ok=None, words="this make wants a PIN first")
        body = bytes((profile.load_key,)) + amount_fen.to_bytes(4, "big") + _TERMINAL
        answer = self._send(b"\x80\x50\x00\x02\x0b" + body + b"\x10")
        if answer[-2:] != _OK:
            return Check(name="load-key", ok=False, words=f"the card answers {answer[-2:].hex().upper()}")
        balance_fen, counters["load"] = int.from_bytes(answer[:4], "big"), int.from_bytes(answer[4:6], "big")
        try:
            genuine = self._city.vault.check_load_mac1(
                asn8=self._asn8,
                key_version=answer[6],
                rnd4=answer[8:12],
                online_atc=counters["load"],
                balance_fen=balance_fen,
                amount_fen=amount_fen,
                terminal6=_TERMINAL,
                mac1=answer[12:16],
            )
        except KeyVersionUnknown:
            return Check(name="load-key", ok=False, words=f"the city has no version {answer[6]}")
        words = f"version {answer[6]}, balance {balance_fen & _BALANCE} fen, counter {counters['load']}"
        return Check(name="load-key", ok=genuine, words=words if genuine else f"MAC1 is wrong; {words}")

    def _purchase_key(self, counters: dict[str, int]) -> Check:
        profile = self._city.issuing.profile
        body = bytes((profile.purchase_key,)) + bytes(4) + _TERMINAL
        answer = self._send(b"\x80\x50\x01\x02\x0b" + body + b"\x0f")
        if answer[-2:] != _OK:
            return Check(name="purchase-key", ok=False, words=f"the card answers {answer[-2:].hex().upper()}")
        counters["purchase"] = int.from_bytes(answer[4:6], "big")
        known = {row.version for row in self._city.vault.versions() if row.purpose == "purchase"}
        words = f"version {answer[9]}, counter {counters['purchase']}"
        if answer[9] not in known:
            return Check(name="purchase-key", ok=False, words=f"{words}: the city has no such version")
        return Check(name="purchase-key", ok=True, words=words)

    def _file_mac(self) -> Check:
        if sum(row.purpose == "maintenance" for row in self._city.vault.versions()) > 1:
            # The card does not say which version it has, and a wrong MAC costs a try.
            return Check(name="file-mac", ok=None, words="not asked: the maintenance key was rolled")
        challenge = self._send(b"\x00\x84\x00\x00\x04")[:-2]
        key = self._city.vault.card_key("maintenance", self._asn8)
        command = b"\x04\xb0\x95\x00\x04"
        answer = self._send(command + line_mac(key, command, challenge) + b"\x1e")
        if answer[-2:] in _NOT_OFFERED:
            words = "this card's files carry no MAC when they are read"
            return Check(name="file-mac", ok=None, words=words)
        if answer[-2:] != _OK:
            return Check(name="file-mac", ok=False, words=f"the card answers {answer[-2:].hex().upper()}")
        data, mac = answer[:-6], answer[-6:-2]
        genuine = compare_digest(line_mac(key, data, challenge), mac)
        return Check(name="file-mac", ok=genuine, words="file 15 under the maintenance key")

    # ── the log ──────────────────────────────────────────────────────────────────────────────────

    def _log(self, counters: dict[str, int]) -> Iterator[Check]:
        newest: dict[str, LogRecord] = {}
        for number in range(1, 11):
            answer = self._send(bytes((0x00, 0xB2, number, 0x18 << 3 | 4, 0)))
            if answer[-2:] != _OK:
                break
            try:
                record = decode(LogRecord, answer[:-2])
            except CodecError:
                continue
            if record.at is not None:
                newest.setdefault("load" if record.tti in _LOADS else "purchase", record)
        after = int(self._city.issuing.profile.log_after_increment)
        for kind, counter in counters.items():
            last = newest.get(kind)
            if last is None:
                words = f"no {kind} in the log, counter {counter}"
                # Ten later transactions of the other kind may have pushed it out.
                yield Check(name=f"{kind}-log", ok=True if counter == 0 else None, words=words)
                continue
            expected = counter - 1 + after
            words = f"newest {last.counter}, counter {counter}"
            yield Check(name=f"{kind}-log", ok=last.counter == expected, words=words)

    # ── commands ─────────────────────────────────────────────────────────────────────────────────

    def _send(self, apdu: bytes) -> bytes:
        return whole_answer(self._reader.transmit, apdu)
