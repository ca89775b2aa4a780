"""Sign rights for one card, and read which of the rights on a card are really the city's.

The MAC is the first half of an AES-CMAC under the card's own key of the purpose ``community-rights``, over
the 20 digits of the card's number as 10 bytes and the right without its MAC.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from citycard.card.codec import decode, encode, evolve
from citycard.errors import CodecError
from citycard.keys import Algorithm, KeyPurpose
from citycard.keys.versions import HONOURED, KeyStatus
from citycard_community.errors import SlotsFull
from citycard_community.sectors import MAC_SIZE, RIGHT_SIZE, SLOTS, CardRights, Right, RightKind

if TYPE_CHECKING:
    from citycard.keys.vault import Vault

__all__ = ["KEY", "CardKey", "card_rights", "good_rights", "key_of", "rights_on", "sign", "signing_version"]

KEY = KeyPurpose(
    name="community-rights",
    kind=0x58,
    title="Signs the rights of residents on their cards",
    owner="community",
    algorithm=Algorithm.AES,
)

#: Give the 16-byte key of a version for the card that is asked about; None when no such version is usable.
CardKey = Callable[[int], bytes | None]


def key_of(vault: Vault, asn8: bytes) -> CardKey:
    """Give what a terminal's security module derives for one card, by version of the key."""
    usable = {row.version for row in vault.versions() if row.purpose == KEY.name and row.status in HONOURED}

    def key(version: int) -> bytes | None:
        return vault.card_key(KEY.name, asn8, version) if version in usable else None

    return key


def signing_version(vault: Vault) -> int:
    """Give the version of the key that signs now."""
    rows = (row for row in vault.versions() if row.purpose == KEY.name)
    return next(row.version for row in rows if row.status is KeyStatus.CURRENT)


def sign(right: Right, asn: str, key: CardKey, version: int) -> Right:
    """Sign a right for the card with a number of 20 digits."""
    key16 = key(version)
    assert key16 is not None
    marked = evolve(right, key_version=version)
    return evolve(marked, mac=_mac(marked, asn, key16))


def rights_on(record: CardRights) -> list[Right]:
    """Give the rights that a card says it has; a slot that is empty or unreadable has none."""
    found = []
    for slot in (record.first, record.second, record.third, record.fourth):
        try:
            right = decode(Right, slot)
        except CodecError:
            continue
        if right.kind is not RightKind.NONE:
            found.append(right)
    return found


def good_rights(
    record: CardRights, asn: str, key: CardKey, revoked: Collection[int] = frozenset()
) -> list[Right]:
    """Give the rights of a card that were signed for it and are not revoked, whatever their days."""
    return [
        right
        for right in rights_on(record)
        if right.serial not in revoked and _is_genuine(right, asn, key(right.key_version))
    ]


def card_rights(rights: Iterable[Right], asn: str, day: dt.date) -> CardRights:
    """Lay the rights that have not ended on a day into the slots, in order of their serials.

    Raise SlotsFull when they are more than a card carries.
    """
    lasting = {right.serial: right for right in rights if right.ends_on is not None and right.ends_on >= day}
    if len(lasting) > SLOTS:
        raise SlotsFull(asn=asn, most=SLOTS)
    slots = [encode(lasting[serial]) for serial in sorted(lasting)]
    slots += [bytes(RIGHT_SIZE)] * (SLOTS - len(slots))
    first, second, third, fourth = slots
    return CardRights(first=first, second=second, third=third, fourth=fourth)


def _is_genuine(right: Right, asn: str, key16: bytes | None) -> bool:
    return key16 is not None and hmac.compare_digest(right.mac, _mac(right, asn, key16))


def _mac(right: Right, asn: str, key16: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.cmac import CMAC

    code = CMAC(AES(key16))
    code.update(bytes.fromhex(asn) + encode(right)[:-MAC_SIZE])
    return code.finalize()[:MAC_SIZE]
