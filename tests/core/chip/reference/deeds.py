"""Every command that changes a card, each ready to be done again on a copy of the same card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reference import client as known
from reference import crypto
from reference.client import Client, command

OK = "9000"
FILLED = 10_000


def nothing(card: Client) -> None:
    """Need no more than the selected application."""


def issuer(card: Client) -> None:
    card.authenticate(known.AUTHENTICATION)


def owner(card: Client) -> None:
    card.authenticate(known.OTHER_AUTHENTICATION, 1)


def wrong_pin(card: Client) -> None:
    card.send(command("00200000", b"\x99\x99"))


def loaded(card: Client) -> None:
    """Put money on passbook and purse, and something into the log and the journeys."""
    for which in (1, 2):
        load(which, FILLED)(card)
    entry(card)


def load(which: int, amount: int = 500, spoil: int = 0) -> Callable[[Client], bytes]:
    def act(card: Client) -> bytes:
        answer = card.initialize(0, which, amount)
        return card.online("80520000", answer, amount.to_bytes(4, "big"), which, known.LOAD, spoil)

    return act


def offline(kind: int, which: int, tti: int) -> Callable[[Client], bytes]:
    def act(card: Client) -> bytes:
        return card.offline(card.initialize(kind, which, 250), 250, tti, known.PURCHASE)

    return act


def unload(card: Client) -> bytes:
    answer = card.initialize(5, 1, 300)
    return card.online("80540300", answer, (300).to_bytes(4, "big"), 3, known.UNLOAD)


def overdraft(card: Client) -> bytes:
    answer = card.initialize(4, 1, 0)
    return card.online("80580000", answer, (5000).to_bytes(3, "big"), 7, known.OVERDRAFT)


def composite(card: Client) -> bytes:
    answer = card.initialize(3, 2, 250)
    card.ok(command("80DC0148", card.record(1, b"exit")))
    card.ok(command("80DC00F0", b"\x02" * 48))
    return card.offline(answer, 250, 9, known.PURCHASE)


def entry(card: Client) -> bytes:
    answer = card.initialize(3, 2, 0)
    card.ok(command("80DC00F0", b"\x01" * 48))
    return card.offline(answer, 0, 9, known.PURCHASE)


def locked(card: Client) -> None:
    loaded(card)
    card.kept = card.lock(2)


def unlock(spoil: int = 0) -> Callable[[Client], bytes]:
    return lambda card: card.unlock(2, 250, *card.kept, spoil)


def locked_and_two_wrong(card: Client) -> None:
    locked(card)
    for _ in range(2):
        unlock(1)(card)


def unread(card: Client) -> None:
    locked(card)
    unlock()(card)


def with_mac(head: str, data: bytes = b"", secret: bytes = known.LINE, sealed: bool = False, spoil: int = 0):
    return lambda card: card.protected(head, data, secret, sealed, spoil=spoil)


def twice_wrong(card: Client) -> None:
    for _ in range(2):
        with_mac("04D69500", b"\x11", spoil=1)(card)


def blocked(card: Client) -> None:
    with_mac("841E0000")(card)


def reload(spoil: int = 0) -> Callable[[Client], bytes]:
    mac = crypto.mac(crypto.fold(known.RELOAD), b"\x99\x99")
    return plain("805E0000", b"\x99\x99" + mac[:3] + bytes((mac[3] ^ spoil,)))


def plain(head: str, data: bytes = b"", le: int | None = None) -> Callable[[Client], bytes]:
    return lambda card: card.send(command(head, data, le))


def full_log(card: Client) -> None:
    loaded(card)
    for _ in range(12):
        entry(card)


H = bytes.fromhex


@dataclass(frozen=True)
class Deed:
    """One command that changes a card: what to do before, once; what each time; what it answers.

    ``proof`` is the type of the transaction whose proof must hold the answer, 0 for none.
    """

    name: str
    act: Callable[[Client], bytes]
    before: Callable[[Client], None] = nothing
    ready: Callable[[Client], None] = nothing
    status: str = OK
    proof: int = 0


DEEDS = (
    Deed("update binary", plain("00D69705", b"\x11" * 20)),
    Deed("update binary with mac", with_mac("04D69500", b"\x22" * 30)),
    Deed("update binary sealed", with_mac("04D68500", b"\x33" * 15, sealed=True)),
    Deed("update binary with a wrong mac", with_mac("04D69500", b"\x11", spoil=1), status="6988"),
    Deed("lock by a third wrong mac", with_mac("04D69500", b"\x11", spoil=1), twice_wrong, status="9303"),
    Deed("append a fixed record", plain("00E20034", b"\x44" * 8)),
    Deed("append a cyclic record", plain("00E200F4", b"\x55" * 48)),
    Deed("append to a full cyclic file", plain("00E200F4", b"\x56" * 48), full_log),
    Deed("append a variable record", plain("00E2004C", H("270305") + b"ferry")),
    Deed("append a record with mac", with_mac("04E200D4", H("270105") + b"ferry")),
    Deed("update a fixed record", plain("00DC0134", b"\x66" * 8), plain("00E20034", b"\x44" * 8)),
    Deed("update a variable record", plain("00DC0248", H("270203") + b"car")),
    Deed("update a record with mac", with_mac("04DC013C", b"\x77" * 8), with_mac("04E2003C", b"\x78" * 8)),
    Deed("add a key", plain("80D40102", H("3EF0F20200") + known.NEW_PURCHASE), ready=issuer),
    Deed("replace a key", plain("80D43E01", H("3EF0F20200") + known.NEW_PURCHASE), ready=issuer),
    Deed(
        "replace a key sealed",
        with_mac("84D43E01", H("3EF0F20200") + known.NEW_PURCHASE, known.AUTHENTICATION, sealed=True),
        ready=issuer,
    ),
    Deed("create a binary file", plain("80E0000A", H("280040F0F0FFFF")), ready=issuer),
    Deed("create a cyclic file", plain("80E0000A", H("2E0510F0F0FFFF")), ready=issuer),
    Deed("create a directory", plain("80E03F02", H("380100F0F095FFFF") + b"SECOND"), ready=issuer),
    Deed("erase a directory", plain("800E0000", le=0), loaded, owner),
    Deed("verify a wrong pin", plain("00200000", b"\x99\x99"), status="63C2"),
    Deed("verify a right pin", plain("00200000", known.PIN), wrong_pin),
    Deed("change the pin", plain("805E0100", known.PIN + H("FF123457"))),
    Deed("change the pin wrongly", plain("805E0100", H("999999FF123457")), status="63C2"),
    Deed("reload the pin", reload(), wrong_pin),
    Deed("reload the pin wrongly", reload(1), status="6988"),
    Deed("unblock the pin", with_mac("84240000", known.PIN, known.UNBLOCK, sealed=True), wrong_pin),
    Deed(
        "unblock the pin wrongly",
        with_mac("84240000", known.PIN, known.UNBLOCK, sealed=True, spoil=1),
        status="6988",
    ),
    Deed("authenticate wrongly", lambda card: card.authenticate(known.MASTER), status="63C2"),
    Deed(
        "authenticate rightly",
        lambda card: card.authenticate(known.AUTHENTICATION),
        lambda card: card.authenticate(known.MASTER),
    ),
    Deed("load the passbook", load(1), proof=1),
    Deed("load the purse", load(2), loaded, proof=2),
    Deed("unload", unload, loaded, proof=3),
    Deed("withdraw", offline(2, 1, 4), loaded, proof=4),
    Deed("pay from the passbook", offline(1, 1, 5), loaded, proof=5),
    Deed("pay from the purse", offline(1, 2, 6), full_log, proof=6),
    Deed("set the overdraft limit", overdraft, loaded, proof=7),
    Deed("pay with records", composite, full_log, proof=9),
    Deed("enter with a record", entry, loaded, proof=9),
    Deed("grey lock", lambda card: card.send_lock(2), loaded, proof=0x92),
    Deed("debit for unlock", unlock(), locked, proof=0x94),
    Deed("debit for unlock wrongly", unlock(1), locked, status="9302"),
    Deed("debit for unlock wrongly, the third time", unlock(1), locked_and_two_wrong, status="9302"),
    Deed("unlock online", lambda card: card.unlock_online(2, 250), locked, proof=0x96),
    Deed("forget a tac", plain("E0CA0100", le=30), unread),
    Deed("block for a time", with_mac("841E0000"), loaded),
    Deed("block for good", with_mac("841E0001"), loaded),
    Deed("unblock", with_mac("84180000"), blocked),
    Deed("block the card", with_mac("84160000"), loaded),
)
