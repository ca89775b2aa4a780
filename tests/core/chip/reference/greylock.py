"""The grey lock 灰锁: a card is locked before the fuel runs and debited afterwards, here or online.

Where the sources are silent, docs/decisions/grey-lock.md says what this project chose; the codes below are
written from there.
"""

from __future__ import annotations

from dataclasses import dataclass

from reference import crypto
from reference.card import Apdu, Card, Pending, Refused
from reference.files import Purse
from reference.purses import expect, finish, number, purse_of, tac_key, take, u16, u24, u32

FREE, LOCKED, UNREAD = 0x00, 0x01, 0x10
LOCK_TTI, UNLOCK_TTI, ONLINE_TTI = 0x90, 0x92, 0x94  # of the passbook 1 more, of the purse 2 more


@dataclass
class Lock:
    status: int
    tti: int
    version: int
    balance: int
    counter: int
    terminal: bytes
    when: bytes
    mac2: bytes
    tac: bytes
    purse: Purse
    session: bytes = b""
    tries: int = 3

    def told(self) -> bytes:
        head = bytes((self.status, self.tti, self.version)) + u32(self.balance) + u16(self.counter)
        return head + self.terminal + self.when + self.mac2 + self.tac


def proof_of_lock(card: Card, apdu: Apdu) -> bytes:
    """GET LOCK PROOF; P1 01 forgets the TAC of a debit that nobody read."""
    if apdu.p1 not in {0, 1} or apdu.p2:
        raise Refused(0x6A86)
    expect(apdu, 0, 30)
    if not any(isinstance(found, Purse) for found in card.directory.files.values()):
        raise Refused(0x6A82)
    if apdu.p1 and card.directory.lock is not None and card.directory.lock.status == UNREAD:
        card.directory.lock = None
    return card.directory.lock.told() if card.directory.lock is not None else bytes(30)


def initialize(card: Card, apdu: Apdu) -> bytes:
    card.pending = None
    if apdu.p1 not in {8, 9}:
        raise Refused(0x6A86)
    return initialize_lock(card, apdu) if apdu.p1 == 8 else initialize_unlock(card, apdu)


def started(card: Card, apdu: Apdu, kind: int, size: int, unlocking: bool):
    if len(apdu.data) != 7:
        raise Refused(0x6700)
    if apdu.p2 not in {1, 2}:
        raise Refused(0x6A86)
    purse = purse_of(card, apdu.p2)
    expect(apdu, 7, size)
    card.need(purse.read)
    held = card.directory.lock.purse if card.locked else None
    if held is not (purse if unlocking else None):
        raise Refused(0x6985)
    key = card.directory.keys.find(kind, apdu.data[0]) if card.directory.keys else None
    if key is None:
        raise Refused(0x9403)
    card.need(key.use)
    if (purse.online if unlocking else purse.offline) == 0xFFFF:
        raise Refused(0x9402)
    return purse, key


def initialize_lock(card: Card, apdu: Apdu) -> bytes:
    purse, key = started(card, apdu, 0x3E, 15, unlocking=False)
    card.pending = Pending("lock", purse, LOCK_TTI + apdu.p2, key, 0, apdu.data[1:], card.random(4))
    head = u32(purse.balance) + u16(purse.offline) + u24(purse.limit)
    return head + bytes((key.fourth, key.fifth)) + card.pending.rnd


def grey_lock(card: Card, apdu: Apdu) -> bytes:
    if (apdu.p1, apdu.p2) != (8, 0):
        raise Refused(0x6A86)
    pending = take(card, "lock", apdu, 19, 8)
    purse, tti, terminal = pending.purse, bytes((pending.tti,)), pending.terminal
    serial, rnd, when, given = apdu.data[:4], apdu.data[4:8], apdu.data[8:15], apdu.data[15:]
    temporary = crypto.session(pending.key.value, pending.rnd, purse.offline, serial[2:])
    session = crypto.des(temporary, rnd + b"\x80\x00\x00\x00")
    if crypto.mac(session, tti + terminal + when) != given:
        raise Refused(0x9302)
    state = u32(purse.balance) + u16(purse.offline) + tti + terminal
    mac2 = crypto.mac(session, state)
    gtac = crypto.mac(tac_key(card), state + serial + when)
    version, counter = pending.key.fourth, purse.offline
    card.directory.lock = Lock(
        LOCKED, pending.tti, version, purse.balance, counter, terminal, when, mac2, gtac, purse, session
    )
    finish(card, pending, online=None, amount=0, when=when, proof=mac2 + gtac)
    return gtac + mac2


def unlock(card: Card, apdu: Apdu) -> bytes:  # noqa: C901 - the checks, in their order
    if apdu.p1 == 9:
        return unlock_online(card, apdu)
    card.pending = None
    if apdu.p1 != 8:
        raise Refused(0x6A86)
    if len(apdu.data) != 27:
        raise Refused(0x6700)
    if apdu.p2 not in {1, 2}:
        raise Refused(0x6A86)
    purse = purse_of(card, apdu.p2)
    expect(apdu, 27, 4)
    card.need(purse.read)
    if not card.locked:
        raise Refused(0x6901)
    lock = card.directory.lock
    if lock.purse is not purse:
        raise Refused(0x6985)
    data = apdu.data
    amount, terminal, serial, when, given = data[:4], data[6:12], data[12:16], data[16:23], data[23:]
    if number(data[4:6]) != lock.counter:
        raise Refused(0x9406)
    if number(amount) > purse.balance:
        raise Refused(0x9401)
    if crypto.mac(lock.session, amount) != given:
        lock.tries -= 1
        if lock.tries == 0:  # three wrong ones block the application until it is unblocked; the lock stays
            lock.tries = 3
            card.directory.blocked = "temporary"
        raise Refused(0x9302)
    tti, counter = UNLOCK_TTI + apdu.p2, purse.offline
    tac = crypto.mac(tac_key(card), amount + bytes((tti,)) + terminal + serial + when)
    purse.balance -= number(amount)
    pending = Pending("unlock", purse, tti, None, number(amount), terminal, b"")
    finish(card, pending, online=False, amount=number(amount), when=when, proof=given + tac)
    card.directory.lock = Lock(
        UNREAD, tti, lock.version, purse.balance, counter, terminal, when, bytes(4), tac, purse
    )
    return tac


def initialize_unlock(card: Card, apdu: Apdu) -> bytes:
    purse, key = started(card, apdu, 0x3D, 18, unlocking=True)
    tti, terminal, rnd = ONLINE_TTI + apdu.p2, apdu.data[1:], card.random(4)
    card.pending = Pending("online", purse, tti, key, 0, terminal, rnd)
    session = crypto.session(key.value, rnd, purse.online, b"\x80\x00")
    mac1 = crypto.mac(session, u32(purse.balance) + u16(purse.offline) + bytes((tti,)) + terminal)
    head = u32(purse.balance) + u16(purse.offline) + u16(purse.online)
    return head + bytes((key.fourth, key.fifth)) + rnd + mac1


def unlock_online(card: Card, apdu: Apdu) -> bytes:
    if apdu.p2:
        raise Refused(0x6A86)
    pending = take(card, "online", apdu, 15, 4)
    purse, tti = pending.purse, bytes((pending.tti,))
    amount, when, given = apdu.data[:4], apdu.data[4:11], apdu.data[11:]
    if number(amount) > purse.balance:
        raise Refused(0x9401)
    session = crypto.session(pending.key.value, pending.rnd, purse.online, b"\x80\x00")
    covered = amount + tti + pending.terminal + when
    if crypto.mac(session, covered) != given:
        raise Refused(0x9302)
    mac3 = crypto.mac(session, u32(purse.balance - number(amount)) + u16(purse.online) + covered)
    purse.balance -= number(amount)
    finish(card, pending, online=True, amount=number(amount), when=when, proof=given + mac3)
    purse.offline += 1  # the lock ends here, and it was one sale
    card.directory.lock = None
    return mac3


COMMANDS = {
    (0xE0, 0xCA): proof_of_lock,
    (0xE0, 0x7A): initialize,
    (0xE0, 0x7C): grey_lock,
    (0xE0, 0x7E): unlock,
}
