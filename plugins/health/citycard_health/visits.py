"""Visits: what a clinic charges, split between insurance, subsidies, the online account and the purse.

A visit is charged in three steps, each a transaction: insurance with its counters and its claim; then the
online account and its subsidies, which is once for the visit's id; then what that came to. Broken off
anywhere, the same call, or the job, goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, insert, select, update

from citycard import Phrase
from citycard.errors import ActDiffers, OnlineAccountUnknown, PaymentUnknown, WalletRefused
from citycard.ids import derived_id
from citycard.store import reading, writing
from citycard.wallet import Payment, available_fen, find_account, find_payment, online_account, pots_of
from citycard_health.claims import make_claim
from citycard_health.errors import AlreadyDone, NotFound, VisitRefused
from citycard_health.events import VisitChanged, tell
from citycard_health.patients import Patient, check_card, hold_patient, patient_of, seal
from citycard_health.services import VISIT
from citycard_health.split import Line, LineSplit, rest_of, split_lines, used_by
from citycard_health.tables import line as line_table
from citycard_health.tables import visit as visit_table
from citycard_health.used import change_used, held_used

if TYPE_CHECKING:
    from citycard.city import City
    from citycard_health.settings import HealthSettings

__all__ = [
    "ClinicVisit",
    "VisitItem",
    "VisitState",
    "charge_visit",
    "finish_charging",
    "hold_visit",
    "visit_of",
    "visits_of",
]

_MOST_LINES = 100


class VisitState(StrEnum):
    """Where a visit is: ``due`` while the purse has to pay a part, ``returned`` when all was given back."""

    CHARGING = "charging"
    DUE = "due"
    PAID = "paid"
    RETURNED = "returned"


@attrs.frozen(kw_only=True)
class VisitItem:
    """So many of an item of the city's list, by its code."""

    code: str
    number: int = attrs.field(default=1, validator=[attrs.validators.ge(1), attrs.validators.le(1000)])


@attrs.frozen(kw_only=True)
class ClinicVisit:
    """A visit and who pays which part of it: insured + subsidy + account + purse = price, to the fen.

    ``due_fen`` is what the purse bears after what was given back; ``left_fen`` what it still has to pay.
    """

    id: UUID
    patient: UUID
    asn: str
    clinic: str
    plan: str
    insurer: str
    year: int
    at: dt.datetime
    state: VisitState = attrs.field(converter=VisitState)
    use_account: bool
    price_fen: int
    insured_fen: int
    subsidy_fen: int
    account_fen: int
    purse_fen: int
    due_fen: int
    purse_paid_fen: int
    purse_returned_fen: int
    online_returned_fen: int
    payment: UUID | None

    @property
    def left_fen(self) -> int:
        """Say what the purse still has to pay."""
        return max(0, self.due_fen - self.purse_paid_fen + self.purse_returned_fen)

    @property
    def online_fen(self) -> int:
        """Say what the online account and its subsidies paid."""
        return self.subsidy_fen + self.account_fen


# ── charging ─────────────────────────────────────────────────────────────────────────────────────


def charge_visit(
    city: City,
    settings: HealthSettings,
    identity: UUID,
    asn: str,
    clinic: str,
    items: Sequence[VisitItem],
    *,
    use_account: bool = True,
    actor: str = "",
) -> ClinicVisit:
    """Charge a visit, once for each ``identity``: insurance, subsidies, account, and the rest by the purse.

    Without ``use_account`` the holder's own money online is left alone, and only subsidies are taken. Raise
    VisitRefused, AlreadyDone, RegistryMissing, ServiceOff where the clinic has health switched off.
    """
    lines = _lines(settings, items)
    digest = _digest(asn, clinic, lines, use_account)
    with reading(city.engine) as conn:
        known = _row(conn, identity)
    if known is None:
        _check(city, settings, asn, clinic, lines)
        with writing(city.engine) as conn:
            owner = hold_patient(conn, patient_of(conn, asn, city.clock.now()).id)
            known = _row(conn, identity)
            if known is None:
                _begin(conn, city, settings, identity, owner, asn, clinic, lines, digest, use_account, actor)
    if known is not None and bytes(known.digest) != digest:
        raise AlreadyDone(what="visit", id=identity, field="card, clinic or items")
    return finish_charging(city, identity)


def _lines(settings: HealthSettings, items: Sequence[VisitItem]) -> list[Line]:
    if not items or sum(one.number for one in items) > _MOST_LINES:
        raise VisitRefused(reason=Phrase("expected 1 to {most_lines} items", most_lines=_MOST_LINES))
    found = []
    for wanted in items:
        item = settings.item(wanted.code)
        if item is None:
            told = Phrase("item {code!r} is not in the city's list", code=wanted.code[:40])
            raise VisitRefused(reason=told)
        found += [Line(code=item.code, coverage=item.coverage, amount_fen=item.price_fen)] * wanted.number
    return found


def _digest(*content: Any) -> bytes:
    words = json.dumps(content, default=attrs.asdict, sort_keys=True)
    return hashlib.blake2b(words.encode(), digest_size=16).digest()


def _check(city: City, settings: HealthSettings, asn: str, clinic: str, lines: Iterable[Line]) -> None:
    from citycard.city.accounts import payee
    from citycard.city.charging import price

    if not settings.has_clinic(clinic):
        raise VisitRefused(reason=Phrase("{clinic!r} is no clinic of the city", clinic=clinic[:40]))
    check_card(asn)
    payee(city, clinic)
    whole = sum(line.amount_fen for line in lines)
    quoted = price(city, asn, service=VISIT, partner=clinic, list_price_fen=whole).amount_fen
    if quoted != whole:
        told = Phrase("a rule of the city makes {sum} fen of items cost {price} fen", sum=whole, price=quoted)
        raise VisitRefused(reason=told)


def _begin(
    conn: Connection,
    city: City,
    settings: HealthSettings,
    identity: UUID,
    owner: Patient,
    asn: str,
    clinic: str,
    lines: Sequence[Line],
    digest: bytes,
    use_account: bool,
    actor: str,
) -> None:
    now = city.now_local()
    plan = settings.plan(owner.plan_on(now.date()))
    parts = split_lines(lines, plan, held_used(conn, owner.id, now.year))
    taken = used_by(parts)
    change_used(conn, owner.id, now.year, taken)
    insurer = plan.insurer if plan else ""
    conn.execute(
        insert(visit_table),
        {
            "id": identity,
            "patient": owner.id,
            "asn": asn,
            "clinic": clinic,
            "plan": plan.name if plan else "",
            "insurer": insurer,
            "year": now.year,
            "at": now,
            "state": VisitState.CHARGING.value,
            "use_account": use_account,
            "digest": digest,
            "price_fen": sum(part.amount_fen for part in parts),
            "insured_fen": taken.insured_fen,
            "actor": actor[:80],
        },
    )
    conn.execute(insert(line_table), list(_line_rows(city, owner, identity, lines, parts)))
    if taken.insured_fen:
        claim = derived_id("health visit claim", identity)
        make_claim(
            conn, city, claim, visit=identity, insurer=insurer, clinic=clinic, amount_fen=taken.insured_fen
        )


def _line_rows(
    city: City, owner: Patient, identity: UUID, lines: Sequence[Line], parts: Sequence[LineSplit]
) -> Iterable[dict[str, Any]]:
    for place, (line, part) in enumerate(zip(lines, parts, strict=True), 1):
        body = {"code": line.code, "coverage": line.coverage}
        sealed = seal(city, owner.id, f"line {identity} {place}", body)
        yield attrs.asdict(part) | {"visit": identity, "place": place, "sealed": sealed}


def finish_charging(city: City, identity: UUID) -> ClinicVisit:
    """Go on with a visit whose insurance part stands: charge the online account, and say what is due."""
    found = visit_of(city, identity)
    if found.state is not VisitState.CHARGING:
        return found
    patient_fen = found.price_fen - found.insured_fen
    paid = _charged(city, found, patient_fen) if patient_fen else None
    with writing(city.engine) as conn:
        if hold_visit(conn, identity).state is VisitState.CHARGING:
            # Another request for this visit may have charged meanwhile what this one missed, or be about to:
            # what the purse is asked for now is never charged online any more.
            paid = paid or _given_up(city, conn, identity)
            online_fen = paid.amount_fen if paid else 0
            subsidy_fen = sum(part.amount_fen for part in paid.parts if part.programme) if paid else 0
            rest = rest_of(patient_fen, subsidy_fen=subsidy_fen, account_fen=online_fen - subsidy_fen)
            state = VisitState.DUE if rest.purse_fen else VisitState.PAID
            values = {
                "state": state.value,
                "subsidy_fen": rest.subsidy_fen,
                "account_fen": rest.account_fen,
                "purse_fen": rest.purse_fen,
                "due_fen": rest.purse_fen,
                "payment": paid.id if paid else None,
            }
            conn.execute(update(visit_table).where(visit_table.c.id == identity).values(values))
            body = VisitChanged(
                visit=str(identity),
                asn=found.asn,
                clinic=found.clinic,
                amount_fen=found.price_fen,
                insured_fen=found.insured_fen,
                online_fen=online_fen,
                purse_fen=rest.purse_fen,
            )
            tell(conn, body, name="health.visit-charged")
    return visit_of(city, identity)


def _charged(city: City, visit: ClinicVisit, patient_fen: int) -> Payment | None:
    """Charge what is at hand, subsidies alone where the account's own money is not to be had."""
    from citycard.city.charging import charge, give_up_charge

    for turn, mine in enumerate(_tries(visit.id)):
        try:
            subsidy_fen, own_fen = _at_hand(city, visit)
        except OnlineAccountUnknown:
            return None
        with reading(city.engine) as conn:
            if before := _paid_before(conn, visit.id):
                return before
        account_fen = own_fen if visit.use_account and not turn else 0
        rest = rest_of(patient_fen, subsidy_fen=subsidy_fen, account_fen=account_fen)
        wanted_fen = rest.subsidy_fen + rest.account_fen
        if not wanted_fen:
            with writing(city.engine) as conn:
                if before := give_up_charge(city, conn, mine, actor="health"):
                    return before
            continue
        try:
            made = charge(
                city,
                mine,
                visit.asn,
                service=VISIT,
                partner=visit.clinic,
                list_price_fen=wanted_fen,
                note=f"visit {visit.id}",
                actor="health",
            )
        except (WalletRefused, ActDiffers):
            continue  # one that differs asked for another sum: it is found, or was refused
        return made.payment
    return None


def _tries(identity: UUID) -> list[UUID]:
    return [derived_id("health visit", identity, turn) for turn in ("all", "subsidies")]


def _paid_before(conn: Connection, identity: UUID) -> Payment | None:
    """Give what was charged online for a visit, by whichever request."""
    for done in _tries(identity):
        with contextlib.suppress(PaymentUnknown):
            return find_payment(conn, done)
    return None


def _given_up(city: City, conn: Connection, identity: UUID) -> Payment | None:
    """Let nothing be charged online for a visit any more; give what was, by whichever request."""
    from citycard.city.charging import give_up_charge

    paid = [give_up_charge(city, conn, mine, actor="health") for mine in _tries(identity)]
    return next(filter(None, paid), None)


def _at_hand(city: City, visit: ClinicVisit) -> tuple[int, int]:
    """Say what subsidies for this clinic, and what the account itself could pay now."""
    from citycard.city.accounts import payee

    clinic, today = payee(city, visit.clinic), city.now_local().date()
    with reading(city.engine) as conn:
        account = find_account(conn, visit.asn)
        pots = pots_of(conn, city.wallet, account.number)
        own_fen = available_fen(conn, city.wallet, online_account(account.number))
    fitting = (pot for pot in pots if pot.fits(clinic.partner, clinic.kind, today))
    return sum(pot.available_fen for pot in fitting), max(0, own_fen)


# ── looking up ───────────────────────────────────────────────────────────────────────────────────


def visit_of(city: City, identity: UUID) -> ClinicVisit:
    """Give a visit; raise NotFound."""
    with reading(city.engine) as conn:
        row = _row(conn, identity)
    return _found(row, identity)


def hold_visit(conn: Connection, identity: UUID) -> ClinicVisit:
    """Give a visit, held until the transaction ends; raise NotFound."""
    query = select(visit_table).where(visit_table.c.id == identity).with_for_update()
    return _found(conn.execute(query).one_or_none(), identity)


def visits_of(
    conn: Connection, *, patient: UUID | None = None, clinic: str = "", state: str = "", limit: int = 50
) -> list[ClinicVisit]:
    """List visits, newest first: of a patient, of a clinic, in a state."""
    query = select(visit_table).order_by(visit_table.c.at.desc(), visit_table.c.id).limit(limit)
    if patient is not None:
        query = query.where(visit_table.c.patient == patient)
    if clinic:
        query = query.where(visit_table.c.clinic == clinic)
    if state:
        query = query.where(visit_table.c.state == state)
    return [_found(row, row.id) for row in conn.execute(query)]


def _row(conn: Connection, identity: UUID) -> Row[Any] | None:
    return conn.execute(select(visit_table).where(visit_table.c.id == identity)).one_or_none()


def _found(row: Row[Any] | None, identity: UUID) -> ClinicVisit:
    if row is None:
        raise NotFound(what="visit", name=identity)
    return ClinicVisit(**{field.name: getattr(row, field.name) for field in attrs.fields(ClinicVisit)})
