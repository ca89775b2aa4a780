"""Consents: who may ask which party for which of a citizen's fields, for what, until when.

A receipt says that a consent is alive at a moment, signed by the city. It travels with the query, so that
the party that answers need not take the asker's word; it is good for a few minutes, so that a consent that
is withdrawn ends everywhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import attrs
from sqlalchemy import Connection, select, update

from citycard.errors import ActDiffers, Phrase
from citycard.store import reading, writing
from citycard.store.bulk import insert_missing
from citycard_egov.errors import ConsentMissing, EgovInvalid
from citycard_egov.office import Office
from citycard_egov.tables import consent

__all__ = ["Consent", "consents_of", "covering", "give_consent", "withdraw"]

_LONGEST = 200


@attrs.frozen(kw_only=True)
class Consent:
    """A consent: ``asker`` may ask ``node`` for ``fields`` until a day, for the purpose and no other."""

    id: UUID
    resident: UUID
    asker: str
    node: str
    fields: tuple[str, ...]
    purpose: str
    until: dt.date
    given_at: dt.datetime
    withdrawn_at: dt.datetime | None = None


def give_consent(
    office: Office,
    identity: UUID,
    who: UUID,
    *,
    asker: str,
    node: str,
    fields: Sequence[str],
    purpose: str,
    until: dt.date,
) -> Consent:
    """Keep a citizen's consent, once for each ``identity``; raise EgovInvalid, or ActDiffers."""
    parties = {one.id for one in office.settings.departments} | {one.id for one in office.settings.nodes}
    parties.add(office.party)
    for name, value in (("asker", asker), ("node", node)):
        if value not in parties:
            raise EgovInvalid(
                field=name, value=value, expected=Phrase("one of {known}", known=", ".join(sorted(parties)))
            )
    if not fields or any(not 0 < len(name) <= 40 for name in fields):  # noqa: PLR2004 - a column's width
        raise EgovInvalid(field="fields", value=list(fields), expected="one name or more")
    if not 0 < len(purpose.strip()) <= _LONGEST:
        raise EgovInvalid(
            field="purpose", value=purpose, expected=Phrase("1 to {longest} characters", longest=_LONGEST)
        )
    if until < office.now().date():
        raise EgovInvalid(field="until", value=str(until), expected="today or a later day")
    wanted = Consent(
        id=identity,
        resident=who,
        asker=asker,
        node=node,
        fields=tuple(sorted(set(fields))),
        purpose=purpose.strip(),
        until=until,
        given_at=office.now(),
    )
    with writing(office.engine) as conn:
        known = conn.execute(select(consent).where(consent.c.id == identity)).one_or_none()
        if known is not None:
            before = _consent(known)
            again = attrs.evolve(wanted, given_at=before.given_at, withdrawn_at=before.withdrawn_at)
            if again != before:
                raise ActDiffers(id=identity, kind="consent")
            return before
        insert_missing(conn, consent, [attrs.asdict(wanted) | {"fields": list(wanted.fields)}])
    return wanted


def withdraw(office: Office, consent_id: UUID, who: UUID) -> Consent:
    """End a consent of a citizen from now on; again without harm. Raise ConsentMissing."""
    with writing(office.engine) as conn:
        mine = (consent.c.id == consent_id) & (consent.c.resident == who)
        alive = mine & consent.c.withdrawn_at.is_(None)
        conn.execute(update(consent).where(alive).values(withdrawn_at=office.now()))
        row = conn.execute(select(consent).where(mine)).one_or_none()
        if row is None:
            raise ConsentMissing(reason=Phrase("there is none of id {id}", id=consent_id))
        return _consent(row)


def consents_of(office: Office, who: UUID) -> list[Consent]:
    """List the consents of a citizen, newest first."""
    with reading(office.engine) as conn:
        mine = select(consent).where(consent.c.resident == who)
        rows = conn.execute(mine.order_by(consent.c.given_at.desc(), consent.c.id))
        return [_consent(row) for row in rows]


def covering(
    conn: Connection, office: Office, who: UUID, *, asker: str, node: str, fields: Sequence[str], purpose: str
) -> Consent:
    """Give the consent that covers a query today; raise ConsentMissing and say what is missing."""
    mine = (consent.c.resident == who) & (consent.c.asker == asker) & (consent.c.node == node)
    found = [_consent(row) for row in conn.execute(select(consent).where(mine).order_by(consent.c.until))]
    alive = [one for one in found if one.withdrawn_at is None and one.until >= office.now().date()]
    if not found:
        raise ConsentMissing(
            reason=Phrase("{asker} may not ask {node} about this citizen", asker=asker, node=node)
        )
    if not alive:
        ended = found[-1]
        how = "was withdrawn" if ended.withdrawn_at else Phrase("ended on {until}", until=ended.until)
        raise ConsentMissing(reason=Phrase("it {how}", how=how))
    meant = [one for one in alive if one.purpose == purpose]
    if not meant:
        raise ConsentMissing(
            reason=Phrase(
                "it is for {given!r}, not for {purpose!r}", given=alive[-1].purpose, purpose=purpose
            )
        )
    for one in reversed(meant):
        if set(fields) <= set(one.fields):
            return one
    lacking = sorted(set(fields) - set(meant[-1].fields))
    raise ConsentMissing(reason=Phrase("it does not name {lacking}", lacking=", ".join(lacking)))


def _consent(row: object) -> Consent:
    values = dict(row._mapping)  # type: ignore[attr-defined]  # noqa: SLF001 - a Row's own way
    return Consent(**values | {"fields": tuple(values["fields"])})
