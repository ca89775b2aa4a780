"""Proof of identity with the card: a challenge of the city's, enciphered by a key that the PIN opens.

At a window a card gets an identity key: kind 30, index 01, the card's own key of the purpose
``egov-identity``. Its right of use is ``F1``, so that the chip computes with it only after its holder's PIN
was verified in the same session (docs/chip.md). So an answer that is right shows the card and the PIN, and
no word of a reader has to be believed. The city draws the challenge, 16 bytes, good once and for seconds;
the proof that comes of it is good for minutes and belongs to the card and to who asked.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING
from uuid import UUID

import attrs
from sqlalchemy import delete, insert, select, update

from citycard import registry
from citycard.errors import KeyVersionUnknown, Phrase
from citycard.ids import new_id
from citycard.keys import KeyStatus
from citycard.keys.line import TDES_LINE
from citycard.store import reading, writing
from citycard_egov.errors import EgovInvalid, IdentityRefused, ProofRefused
from citycard_egov.identitycard import IdentityCard
from citycard_egov.office import IDENTITY_KEY, Office
from citycard_egov.register import find_by_card, find_by_number, link_card
from citycard_egov.tables import card, challenge, proof

if TYPE_CHECKING:
    from citycard.terminal import Reader

__all__ = ["IDENTITY_KEY", "Challenge", "Proof", "activate", "answer", "check_proof", "draw", "reset_pin"]

_CHALLENGE = 16
_TOKEN = 32
_DAY = dt.timedelta(days=1)


@attrs.frozen(kw_only=True)
class Challenge:
    """A challenge for a card: 16 bytes in hexadecimal, good until a moment (UTC), once."""

    id: UUID
    asn: str
    challenge: str
    expires_at: dt.datetime


@attrs.frozen(kw_only=True)
class Proof:
    """What a right answer gives: the proof to show, whose card, until when (UTC)."""

    proof: str
    asn: str
    expires_at: dt.datetime


def activate(
    office: Office, reader: Reader, id_number: str, old_pin: str, new_pin: str, *, actor: str
) -> str:
    """Give the card in a reader of a window its identity key and its holder's PIN; return its number.

    Whose card it is was seen by the clerk. May be called again after it was broken off; a PIN that was
    changed already is then the old one. Raise CardRefused, CommandFailed, PinRefused, IdentityRefused for a
    card that is not in use, and what ``link_card`` raises.
    """
    city = office.city
    device = IdentityCard(reader, city.issuing.profile)
    found = device.open()
    with reading(city.engine) as conn:
        status = registry.find_card(conn, found.asn).status
    if status is not registry.CardStatus.ISSUED:
        raise IdentityRefused(
            reason=Phrase("card {asn} is {status}, not in use", asn=found.asn, status=status)
        )
    who = link_card(office, id_number, found.asn, actor=actor)
    version = _version(office)
    authentication = city.vault.card_keys(found.asn8).authentication
    device.write_identity_key(authentication, city.vault.card_key(IDENTITY_KEY.name, found.asn8, version))
    device.change_pin(old_pin, new_pin)
    with writing(city.engine) as conn:
        mine = (card.c.asn == found.asn) & (card.c.resident == who)
        conn.execute(update(card).where(mine).values(key_version=version, at=office.now(), actor=actor))
    return found.asn


def reset_pin(office: Office, reader: Reader, id_number: str, new_pin: str) -> str:
    """Give the card in a window's reader a new PIN, whose holder the clerk has seen; return its number.

    Raise IdentityRefused for a card that is not this resident's, ResidentUnknown, PinRefused.
    """
    device = IdentityCard(reader, office.city.issuing.profile)
    found = device.open()
    with reading(office.engine) as conn:
        if find_by_card(conn, found.asn) != find_by_number(conn, office, id_number):
            raise IdentityRefused(reason=Phrase("card {asn} is another resident's", asn=found.asn))
    device.reload_pin(office.city.vault.card_keys(found.asn8).pin_reload, new_pin)
    return found.asn


def draw(office: Office, asn: str, *, asked_by: str) -> Challenge:
    """Draw a challenge for a card that can prove its identity; raise IdentityRefused, ResidentUnknown."""
    now = office.city.clock.now()
    _ready(office, asn)
    made = Challenge(
        id=new_id(),
        asn=asn,
        challenge=secrets.token_bytes(_CHALLENGE).hex().upper(),
        expires_at=now + dt.timedelta(seconds=office.settings.challenge_seconds),
    )
    row = attrs.asdict(made) | {"asked_by": asked_by, "challenge": bytes.fromhex(made.challenge)}
    with writing(office.engine) as conn:
        conn.execute(delete(challenge).where(challenge.c.expires_at < now - _DAY))
        conn.execute(delete(proof).where(proof.c.expires_at < now - _DAY))
        conn.execute(insert(challenge), row)
    return made


def answer(office: Office, challenge_id: UUID, response: bytes, *, asked_by: str) -> Proof:
    """Check a card's answer, once, and give a proof of identity.

    Raise IdentityRefused for an answer that is wrong, late, a replay, or for somebody else's challenge.
    """
    now = office.city.clock.now()
    with writing(office.engine) as conn:
        # Used up before it is looked at: whatever comes of it, no second answer is listened to.
        mine = (challenge.c.id == challenge_id) & (challenge.c.asked_by == asked_by)
        row = conn.execute(select(challenge).where(mine).with_for_update()).one_or_none()
        if row is None:
            raise IdentityRefused(reason="there is no such challenge of yours: ask for a new one")
        before = row.used_at
        conn.execute(update(challenge).where(mine, challenge.c.used_at.is_(None)).values(used_at=now))
    if before is not None:
        raise IdentityRefused(reason="this challenge was answered before: ask for a new one")
    if now >= row.expires_at:
        raise IdentityRefused(reason="the answer came too late: ask for a new challenge")
    version, who = _ready(office, row.asn)
    asn8 = bytes.fromhex(row.asn[-16:])
    try:
        key = office.city.vault.card_key(IDENTITY_KEY.name, asn8, version)
    except KeyVersionUnknown:
        raise IdentityRefused(reason="its identity key is not honoured any more: go to a window") from None
    if not hmac.compare_digest(TDES_LINE.encrypt(key, row.challenge), response):
        raise IdentityRefused(reason="the card's answer is wrong: it has another key")
    made = Proof(
        proof=secrets.token_urlsafe(_TOKEN),
        asn=row.asn,
        expires_at=now + dt.timedelta(minutes=office.settings.proof_minutes),
    )
    kept = {"digest": _digest(made.proof), "asn": row.asn, "resident": who, "asked_by": asked_by}
    with writing(office.engine) as conn:
        conn.execute(insert(proof), kept | {"at": now, "expires_at": made.expires_at})
    return made


def check_proof(office: Office, shown: str, asn: str, *, asked_by: str) -> UUID:
    """Give the resident whom a proof is about; raise ProofRefused for another card, asker or time."""
    with reading(office.engine) as conn:
        row = conn.execute(select(proof).where(proof.c.digest == _digest(shown))).one_or_none()
    if row is None or row.asked_by != asked_by:
        raise ProofRefused(reason="it was not given to you")
    if row.asn != asn:
        raise ProofRefused(reason="it is of another card")
    if office.city.clock.now() >= row.expires_at:
        raise ProofRefused(reason="its time is over")
    _ready(office, asn)
    who: UUID = row.resident
    return who


def _ready(office: Office, asn: str) -> tuple[int, UUID]:
    with reading(office.engine) as conn:
        who = find_by_card(conn, asn)
        version = conn.scalar(select(card.c.key_version).where(card.c.asn == asn)) or 0
        status = registry.find_card(conn, asn).status
    if not version:
        raise IdentityRefused(
            reason=Phrase("card {asn} has no identity key yet: a service window writes it", asn=asn)
        )
    if status is not registry.CardStatus.ISSUED:
        raise IdentityRefused(reason=Phrase("card {asn} is {status}, not in use", asn=asn, status=status))
    return version, who


def _version(office: Office) -> int:
    rows = [row for row in office.city.vault.versions() if row.purpose == IDENTITY_KEY.name]
    current = [row.version for row in rows if row.status is KeyStatus.CURRENT]
    if not current:
        raise EgovInvalid(field="key", value=IDENTITY_KEY.name, expected="a purpose of the vault")
    return current[0]


def _digest(shown: str) -> bytes:
    return hashlib.sha256(shown.encode()).digest()
