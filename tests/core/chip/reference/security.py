"""Authentication and the PIN: what changes the security status, and what each wrong try costs."""

from reference import crypto
from reference.card import Apdu, Card, Refused
from reference.files import Key


def tried(card: Card, key: Key, right: bool) -> None:
    if not right:
        raise Refused(0x63C0 | key.fail())
    key.succeed()


def external_authenticate(card: Card, apdu: Apdu) -> None:
    if apdu.p1:
        raise Refused(0x6A86)
    if len(apdu.data) != 8:
        raise Refused(0x6700)
    key = card.key(0x39, apdu.p2)
    card.need(key.use)
    challenge = card.take_challenge()
    if key.locked:
        raise Refused(0x6983)
    tried(card, key, crypto.des(key.value, challenge) == apdu.data)
    card.become(key.fourth & 0x0F)


def internal_authenticate(card: Card, apdu: Apdu) -> bytes:
    if apdu.p1 > 2:
        raise Refused(0x6A86)
    if not apdu.data or (apdu.p1 < 2 and len(apdu.data) % 8):
        raise Refused(0x6700)
    key = card.key(0x30 + apdu.p1, apdu.p2)
    card.need(key.use)
    size = 4 if apdu.p1 == 2 else len(apdu.data)
    if apdu.le not in {None, 0, size}:
        raise Refused(0x6C00 | size)
    if apdu.p1 == 2:
        return crypto.mac(key.value, apdu.data)
    return (crypto.des if apdu.p1 == 0 else crypto.undo_des)(key.value, apdu.data)


def verify(card: Card, apdu: Apdu) -> None:
    if apdu.p1:
        raise Refused(0x6A86)
    if not 2 <= len(apdu.data) <= 8:
        raise Refused(0x6700)
    key = card.key(0x3A, apdu.p2)
    card.need(key.use)
    if key.locked:
        raise Refused(0x6983)
    tried(card, key, same_pin(key, apdu.data))
    card.become(key.fourth & 0x0F)
    card.pin_given = True


def same_pin(key: Key, given: bytes) -> bool:
    return key.value.ljust(8, b"\xff") == given.ljust(8, b"\xff")


def change_or_reload_pin(card: Card, apdu: Apdu) -> None:
    if apdu.p1 not in {0, 1}:
        raise Refused(0x6A86)
    if apdu.le is not None:
        raise Refused(0x6700)
    (change_pin if apdu.p1 else reload_pin)(card, apdu)


def change_pin(card: Card, apdu: Apdu) -> None:
    if not 5 <= len(apdu.data) <= 13:
        raise Refused(0x6700)
    old, _, new = apdu.data.partition(b"\xff")
    if not (2 <= len(old) <= 6 and 2 <= len(new) <= 6):
        raise Refused(0x6A80)
    key = card.key(0x3A, apdu.p2)
    if key.locked:
        raise Refused(0x6983)
    tried(card, key, same_pin(key, old))
    key.value = new.ljust(max(len(new), len(key.value)), b"\xff")


def reload_pin(card: Card, apdu: Apdu) -> None:
    if not 6 <= len(apdu.data) <= 10:
        raise Refused(0x6700)
    key, secret = card.key(0x3A, apdu.p2), card.key(0x38, 0)
    if secret.locked:
        raise Refused(0x6983)
    new, given = apdu.data[:-4], apdu.data[-4:]
    if crypto.mac(crypto.fold(secret.value), new) != given:
        secret.fail()
        raise Refused(0x6988)
    secret.succeed()
    key.value = new.ljust(max(len(new), len(key.value)), b"\xff")
    key.succeed()


def unblock_pin(card: Card, apdu: Apdu) -> None:
    key, secret = card.key(0x3A, apdu.p1 or apdu.p2), card.key(0x37, 0)
    body, _ = card.open_line(apdu, secret, sealed=True)
    if not 2 <= len(body) <= 8:
        raise Refused(0x6A80)
    key.value = body.ljust(max(len(body), len(key.value)), b"\xff")
    key.succeed()


COMMANDS = {
    (0x00, 0x82): external_authenticate,
    (0x00, 0x88): internal_authenticate,
    (0x00, 0x20): verify,
    (0x80, 0x5E): change_or_reload_pin,
    (0x84, 0x24): unblock_pin,
}
