"""The purse: every transaction is INITIALIZE, a MAC from outside, and one step that changes all or nothing.

ED is the passbook (P2 01), EP the purse (P2 02). The stored balance counts the overdraft limit.
"""

from __future__ import annotations

from reference import crypto
from reference.card import Apdu, Card, Pending, Refused
from reference.files import Purse, Records
from reference.records import add, planned, replace

ED, EP = 1, 2
LOAD, PURCHASE, WITHDRAW, CAPP, OVERDRAFT, UNLOAD = range(6)
KEY_KINDS = {LOAD: 0x3F, PURCHASE: 0x3E, WITHDRAW: 0x3E, CAPP: 0x3E, OVERDRAFT: 0x3C, UNLOAD: 0x3D}
TTI = {
    (LOAD, ED): 1,
    (LOAD, EP): 2,
    (UNLOAD, ED): 3,
    (WITHDRAW, ED): 4,
    (PURCHASE, ED): 5,
    (PURCHASE, EP): 6,
    (OVERDRAFT, ED): 7,
    (CAPP, EP): 9,
}
ONLINE = {LOAD, OVERDRAFT, UNLOAD}
ANSWERS = {LOAD: 0x10, UNLOAD: 0x10, OVERDRAFT: 0x13}
MOST = 0x7FFFFFFF  # bit 31 of a balance is a flag on some cards, so no card counts so far


def u16(value: int) -> bytes:
    return value.to_bytes(2, "big")


def u24(value: int) -> bytes:
    return value.to_bytes(3, "big")


def u32(value: int) -> bytes:
    return value.to_bytes(4, "big")


def number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def purse_of(card: Card, which: int) -> Purse:
    found = card.directory.files.get(which)
    if not isinstance(found, Purse):
        raise Refused(0x6A82)
    return found


def expect(apdu: Apdu, size: int, answer: int) -> None:
    if len(apdu.data) != size:
        raise Refused(0x6700)
    if apdu.le not in {None, 0, answer}:
        raise Refused(0x6C00 | answer)


def initialize(card: Card, apdu: Apdu) -> bytes:
    card.pending = None
    kind, which = apdu.p1, apdu.p2
    if (kind, which) not in TTI:
        raise Refused(0x6A86)
    size = 7 if kind == OVERDRAFT else 11
    if len(apdu.data) != size:
        raise Refused(0x6700)
    purse = purse_of(card, which)
    expect(apdu, size, ANSWERS.get(kind, 0x0F))
    card.need(purse.read)
    if card.locked:
        raise Refused(0x6985)
    keys = card.directory.keys
    key = keys.find(KEY_KINDS[kind], apdu.data[0]) if keys else None
    if key is None:
        raise Refused(0x9403)
    card.need(key.use)
    if kind == LOAD and card.load_needs_pin and not card.pin_given:
        raise Refused(0x6982)
    amount = 0 if kind == OVERDRAFT else number(apdu.data[1:5])
    counter = purse.online if kind in ONLINE else purse.offline
    if counter == 0xFFFF:
        raise Refused(0x9402)
    if kind not in {LOAD, OVERDRAFT} and amount > purse.balance:
        raise Refused(0x9401)
    if kind == LOAD and purse.balance + amount > MOST:
        raise Refused(0x6985)
    pending = Pending(
        {LOAD: "load", UNLOAD: "unload", OVERDRAFT: "overdraft"}.get(kind, "debit"),
        purse,
        TTI[kind, which],
        key,
        amount,
        apdu.data[-6:],
        card.random(4),
    )
    card.pending = pending
    if kind not in ONLINE:
        return (
            u32(purse.balance)
            + u16(purse.offline)
            + u24(purse.limit)
            + bytes((key.fourth, key.fifth))
            + pending.rnd
        )
    head, session = opening(pending), online_session(pending)
    limit = u24(purse.limit) if kind == OVERDRAFT else b""
    return (
        u32(purse.balance)
        + u16(purse.online)
        + limit
        + bytes((key.fourth, key.fifth))
        + pending.rnd
        + crypto.mac(session, head)
    )


def online_session(pending: Pending) -> bytes:
    return crypto.session(pending.key.value, pending.rnd, pending.purse.online, b"\x80\x00")


def opening(pending: Pending) -> bytes:
    """What MAC1 of an online transaction covers."""
    purse = pending.purse
    value = u24(purse.limit) if pending.kind == "overdraft" else u32(pending.amount)
    return u32(purse.balance) + value + bytes((pending.tti,)) + pending.terminal


def take(card: Card, kind: str, apdu: Apdu, size: int, answer: int) -> Pending:
    """End the pending transaction, right or wrong; return it when this is its second command."""
    expect(apdu, size, answer)
    pending, card.pending = card.pending, None
    if pending is None:
        raise Refused(0x6901)
    if pending.kind != kind:
        raise Refused(0x6985)
    return pending


def tac_key(card: Card) -> bytes:
    keys = sorted((k for k in card.directory.keys.keys if k.kind == 0x34), key=lambda key: key.kid)
    if not keys:
        raise Refused(0x6A88)
    return crypto.fold(keys[0].value)


def finish(card: Card, pending: Pending, online: bool | None, amount: int, when: bytes, proof: bytes) -> None:
    """Advance the counter (a grey lock, ``None``, only names the next one), write the log, keep the proof."""
    purse = pending.purse
    counter = (purse.online if online else purse.offline) + 1
    if online:
        purse.online = counter
    elif online is not None:
        purse.offline = counter
    record = u16(counter) + u24(purse.limit) + u32(amount) + bytes((pending.tti,)) + pending.terminal + when
    log = card.directory.files.get(purse.log)
    if isinstance(log, Records):
        add(log, record)
    card.directory.proofs[pending.tti] = (counter, proof)


def credit(card: Card, apdu: Apdu) -> bytes:
    """CREDIT FOR LOAD."""
    if apdu.p1 or apdu.p2:
        raise Refused(0x6A86)
    pending = take(card, "load", apdu, 11, 4)
    purse, session = pending.purse, online_session(pending)
    when, given = apdu.data[:7], apdu.data[7:]
    covered = u32(pending.amount) + bytes((pending.tti,)) + pending.terminal + when
    if crypto.mac(session, covered) != given:
        raise Refused(0x9302)
    counter = u16(purse.online)
    tac = crypto.mac(tac_key(card), u32(purse.balance + pending.amount) + counter + covered)
    purse.balance += pending.amount
    finish(card, pending, online=True, amount=pending.amount, when=when, proof=given + tac)
    return tac


def debit(card: Card, apdu: Apdu) -> bytes:
    """DEBIT FOR PURCHASE, for CAPP PURCHASE and for CASH WITHDRAW; DEBIT FOR UNLOAD has P1 03."""
    if apdu.p2 or apdu.p1 not in {1, 3}:
        raise Refused(0x6A86)
    if apdu.p1 == 3:
        return unload(card, apdu)
    pending = take(card, "debit", apdu, 15, 8)
    purse = pending.purse
    serial, when, given = apdu.data[:4], apdu.data[4:11], apdu.data[11:]
    session = crypto.session(pending.key.value, pending.rnd, purse.offline, serial[2:])
    head = u32(pending.amount) + bytes((pending.tti,)) + pending.terminal
    if crypto.mac(session, head + when) != given:
        raise Refused(0x9302)
    mac2 = crypto.mac(session, u32(pending.amount))
    tac = crypto.mac(tac_key(card), head + serial + when)
    purse.balance -= pending.amount
    for found, p1, mode, record in pending.cache:
        replace(card, found, p1, mode, record)
    finish(card, pending, online=False, amount=pending.amount, when=when, proof=mac2 + tac)
    return tac + mac2


def unload(card: Card, apdu: Apdu) -> bytes:
    pending = take(card, "unload", apdu, 11, 4)
    purse, session = pending.purse, online_session(pending)
    when, given = apdu.data[:7], apdu.data[7:]
    covered = u32(pending.amount) + bytes((pending.tti,)) + pending.terminal + when
    if crypto.mac(session, covered) != given:
        raise Refused(0x9302)
    mac3 = crypto.mac(session, u32(purse.balance - pending.amount) + u16(purse.online) + covered)
    purse.balance -= pending.amount
    finish(card, pending, online=True, amount=pending.amount, when=when, proof=given + mac3)
    return mac3


def update_overdraft(card: Card, apdu: Apdu) -> bytes:
    if apdu.p1 or apdu.p2:
        raise Refused(0x6A86)
    pending = take(card, "overdraft", apdu, 14, 4)
    purse, session = pending.purse, online_session(pending)
    limit, when, given = apdu.data[:3], apdu.data[3:10], apdu.data[10:]
    covered = limit + bytes((pending.tti,)) + pending.terminal + when
    if crypto.mac(session, covered) != given:
        raise Refused(0x9302)
    new = purse.balance - purse.limit + number(limit)
    if new < 0:
        raise Refused(0x9401)
    if new > MOST:
        raise Refused(0x6985)
    tac = crypto.mac(tac_key(card), u32(new) + u16(purse.online) + covered)
    purse.balance, purse.limit = new, number(limit)
    finish(card, pending, online=True, amount=number(limit), when=when, proof=given + tac)
    return tac


def update_cache(card: Card, apdu: Apdu) -> None:
    """UPDATE CAPP DATA CACHE: lands in working memory, DEBIT writes it."""
    pending = card.pending
    if pending is None:
        raise Refused(0x6901)
    if pending.tti != 9:
        card.pending = None
        raise Refused(0x6985)
    found = card.find(apdu.p2 >> 3)
    if card.protected_cache and found.mac_on_write != (apdu.cla == 0x84):
        raise Refused(0x6900)
    if not apdu.data:
        raise Refused(0x6700)
    if not isinstance(found, Records):
        raise Refused(0x6981)
    record = apdu.data
    if apdu.cla == 0x84:
        record, _ = card.open_line(apdu, card.key(0x36, found.write_key), found.sealed_write)
    if not record:
        raise Refused(0x6700)
    planned(card, found, apdu.p1, apdu.p2 & 7, record)
    pending.cache.append((found, apdu.p1, apdu.p2 & 7, record))


def prove(card: Card, apdu: Apdu) -> bytes:
    if apdu.p1:
        raise Refused(0x6A86)
    expect(apdu, 2, 8)
    counter, found = card.directory.proofs.get(apdu.p2, (None, b""))
    if counter != number(apdu.data):
        raise Refused(0x9406)
    return found


def balance(card: Card, apdu: Apdu) -> bytes:
    if apdu.data:
        raise Refused(0x6700)
    if apdu.p1 > 3 or apdu.p2 not in {ED, EP}:
        raise Refused(0x6A86)
    purse = purse_of(card, apdu.p2)
    expect(apdu, 0, 4)
    card.need(purse.read)
    own, limit = purse.balance, purse.limit
    return u32((own, limit, max(0, limit - own), own)[apdu.p1])


COMMANDS = {
    (0x80, 0x50): initialize,
    (0x80, 0x52): credit,
    (0x80, 0x54): debit,
    (0x80, 0x58): update_overdraft,
    (0x80, 0xDC): update_cache,
    (0x84, 0xDC): update_cache,
    (0x80, 0x5A): prove,
    (0x80, 0x5C): balance,
}
