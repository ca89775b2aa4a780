"""Annual passes and memberships in the city's tables: sold, extended, frozen, cancelled.

| state | |
|---|---|
| held | it is written down, nothing is paid yet |
| active | paid; ``on_card`` says whether the card has it |
| frozen | no gate lets it in; the days until it is thawed are added at its end |
| cancelled | what its unused days cost was given back by the plan's rule |
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from citycard.city.charging import give_up_charge
from citycard.errors import CitycardError, Phrase
from citycard.store import publish, reading, writing
from citycard_tourism.acts import forget, noted_before
from citycard_tourism.errors import ActRepeated, PassRefused, RightUnknown
from citycard_tourism.fares import pass_refund_fen, unused_days
from citycard_tourism.office import Office
from citycard_tourism.sectors import PassFacts, Step
from citycard_tourism.services import PASS_SALE, weights_of
from citycard_tourism.settings import Plan
from citycard_tourism.tables import pass_, visit
from citycard_tourism.takings import (
    Paid,
    give_due,
    note_paid,
    order_refund,
    paid_of,
    pay_online,
    payment_id,
    taken_online,
)

__all__ = [
    "Pass",
    "abandon_pass_step",
    "active_plans",
    "begin_pass_step",
    "buy_pass",
    "end_cancel",
    "end_extend",
    "end_freeze",
    "end_pass_sale",
    "end_thaw",
    "find_pass",
    "held_passes",
    "hold_pass",
    "note_on_card",
    "passes_of",
    "thawed_until",
]


@attrs.frozen(kw_only=True)
class Pass:
    """A pass or membership as the city knows it; ``step`` is what is under way, ``step_id`` the last act."""

    serial: int
    id: UUID
    asn: str
    plan: int
    starts_on: dt.date
    ends_on: dt.date
    state: str
    rights: int
    seller: int
    turn: int
    frozen_on: dt.date | None
    frozen_days: int
    on_card: bool
    made_at: dt.datetime
    step: str
    step_id: UUID | None


def find_pass(conn: Connection, identity: UUID, *, lock: bool = False) -> Pass:
    """Give a pass by the id under which it was bought, held until the transaction ends with ``lock``."""
    query = select(pass_).where(pass_.c.id == identity)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise RightUnknown(what="pass", id=identity)
    return Pass(**row._mapping)  # noqa: SLF001 - the documented way to read a row by name


def passes_of(conn: Connection, asn: str, limit: int = 100) -> list[Pass]:
    """Give the passes and memberships of a card, newest first."""
    query = select(pass_).where(pass_.c.asn == asn).order_by(pass_.c.serial.desc()).limit(limit)
    return [Pass(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001 - a Row's own way


def active_plans(conn: Connection, asn: str, on: dt.date) -> list[Pass]:
    """Give what a card may use on a day."""
    return [
        one for one in passes_of(conn, asn) if one.state == "active" and one.starts_on <= on <= one.ends_on
    ]


def held_passes(conn: Connection) -> list[Pass]:
    """Give what was written down and is not paid, or not known to be."""
    rows = conn.execute(select(pass_).where(pass_.c.state == "held").order_by(pass_.c.serial))
    return [Pass(**row._mapping) for row in rows]  # noqa: SLF001 - a Row's own way


def hold_pass(office: Office, act: UUID, asn: str, plan: Plan, *, seller: int = 0) -> Pass:
    """Write a pass down that begins today; once for each act. A card has one of a plan at a time."""
    today, rights = office.now.date(), office.rights(asn)
    # Of two calls under one id that come at once, the other one writes the row.
    with suppress(IntegrityError), writing(office.engine) as conn:
        if conn.execute(select(pass_.c.id).where(pass_.c.id == act)).one_or_none() is None:
            for one in passes_of(conn, asn):
                if one.plan == plan.number and one.state in {"active", "frozen"} and one.ends_on >= today:
                    reason = Phrase(
                        "the card has plan {name} until {ends_on}: extend that",
                        name=plan.name,
                        ends_on=one.ends_on,
                    )
                    raise PassRefused(serial=one.serial, reason=reason)
            row = {
                "id": act,
                "asn": asn,
                "plan": plan.number,
                "starts_on": today,
                "ends_on": today + dt.timedelta(days=plan.days - 1),
                "state": "held",
                "rights": rights,
                "seller": seller,
                "turn": 0,
                "frozen_days": 0,
                "on_card": False,
                "made_at": office.now,
                "step": "",
            }
            conn.execute(insert(pass_), row)
    with reading(office.engine) as conn:
        found = find_pass(conn, act)
    if (found.asn, found.plan) != (asn, plan.number):
        raise ActRepeated(id=act)
    return found


def buy_pass(office: Office, act: UUID, asn: str, plan: Plan) -> Pass:
    """Buy a pass from the online account of a card; a counter puts it onto the card. Once per act."""
    held = hold_pass(office, act, asn, plan)
    taken = taken_online(office, act, PASS_SALE)
    if taken is None and held.state != "held":
        with reading(office.engine) as conn:
            paid = paid_of(conn, PASS_SALE, held.serial)
        if not paid:
            raise PassRefused(serial=held.serial, reason="it was refused before: buy under a new id")
        return held
    if taken is None:
        facts = PassFacts(plan=plan.number, serial=held.serial)
        weights = weights_of(office.settings, plan, facts)
        asked = {"plan": plan.name, "turn": 0}
        try:
            taken = pay_online(office, act, asn, PASS_SALE, asked, held.rights, weights)
        except CitycardError:
            with writing(office.engine) as conn:
                if give_up_charge(office.city, conn, payment_id(act)) is None:
                    unpaid = (pass_.c.id == act, pass_.c.state == "held")
                    conn.execute(update(pass_).where(*unpaid).values(state="cancelled"))
            taken = taken_online(office, act, PASS_SALE)
            if taken is None:
                raise
    return end_pass_sale(
        office,
        held,
        plan,
        way="account",
        amount_fen=taken.amount_fen,
        partner=taken.partner,
        onward=taken.onward,
    )


def end_pass_sale(
    office: Office,
    held: Pass,
    plan: Plan,
    *,
    way: str,
    amount_fen: int,
    partner: str,
    onward: Mapping[str, int] | None = None,
) -> Pass:
    """Note that a pass was paid; by a purse it is on the card too. Again without harm.

    One that a call refused while another one under its id paid is a pass nevertheless.
    """
    with writing(office.engine) as conn:
        found = find_pass(conn, held.id, lock=True)
        unpaid = found.state == "cancelled" and not paid_of(conn, PASS_SALE, found.serial)
        if found.state == "held" or unpaid:
            _set(conn, found, state="active", on_card=way == "purse")
            paid = _paid(office, found, plan.days, way, amount_fen, partner, onward or {}, found.id)
            note_paid(conn, paid)
            publish(conn, "tourism.pass-sold", [_told(office, found, "sold")])
        return find_pass(conn, held.id)


def note_on_card(office: Office, found: Pass) -> None:
    """Note that the card has a pass that was bought online."""
    with writing(office.engine) as conn:
        _set(conn, found, on_card=True)


# ── changing at a counter ────────────────────────────────────────────────────────────────────────


def begin_pass_step(office: Office, act: UUID, identity: UUID, step: str, states: tuple[str, ...]) -> Pass:
    """Note what is to be done with a pass, before the card is touched; PassRefused where it cannot be."""
    with writing(office.engine) as conn:
        found = find_pass(conn, identity, lock=True)
        if not noted_before(conn, act, "pass", found.serial, step):
            if found.step:
                raise PassRefused(
                    serial=found.serial,
                    reason=Phrase("a {kind} is under way: finish that first", kind=found.step),
                )
            if found.state not in states:
                raise PassRefused(serial=found.serial, reason=Phrase("it is {state}", state=found.state))
            _check_step(office, found, step)
            _set(conn, found, step=step, step_id=act)
        now = find_pass(conn, identity)
    # One that was done before is given back with nothing under way.
    return now if now.step_id == act else attrs.evolve(now, step="")


def abandon_pass_step(office: Office, found: Pass) -> None:
    """Forget what was under way, because the card refused it."""
    with writing(office.engine) as conn:
        forget(conn, found.step_id)
        _set(conn, found, step="", step_id=None)


def end_extend(office: Office, found: Pass, amount_fen: int, partner: str) -> Pass:
    """Note an extension that a purse paid and the card has."""
    plan = office.settings.plan(found.plan)
    with writing(office.engine) as conn:
        now = find_pass(conn, found.id, lock=True)
        if now.step == "extend" and now.step_id is not None:
            turn, ends_on = now.turn + 1, now.ends_on + dt.timedelta(days=plan.extend_days)
            _set(conn, now, turn=turn, ends_on=ends_on, step="")
            longer = attrs.evolve(now, turn=turn, ends_on=ends_on)
            note_paid(
                conn,
                _paid(office, longer, plan.extend_days, "purse", amount_fen, partner, {}, now.step_id),
            )
            publish(conn, "tourism.pass-changed", [_told(office, longer, "extended")])
        return find_pass(conn, found.id)


def end_freeze(office: Office, found: Pass) -> Pass:
    """Note that a pass is frozen from today on."""
    with writing(office.engine) as conn:
        now = find_pass(conn, found.id, lock=True)
        if now.step == "freeze":
            _set(conn, now, state="frozen", frozen_on=office.now.date(), step="")
            publish(conn, "tourism.pass-changed", [_told(office, now, "frozen")])
        return find_pass(conn, found.id)


def thawed_until(found: Pass, plan: Plan, today: dt.date) -> tuple[dt.date, int]:
    """Say the last day of a frozen pass that is thawed today, and its days frozen: no more than it may."""
    assert found.frozen_on is not None
    days = min((today - found.frozen_on).days, plan.freeze_days - found.frozen_days)
    return found.ends_on + dt.timedelta(days=days), found.frozen_days + days


def end_thaw(office: Office, found: Pass) -> Pass:
    """Note that a pass is used again, and ends so many days later."""
    with writing(office.engine) as conn:
        now = find_pass(conn, found.id, lock=True)
        if now.step == "thaw":
            ends_on, frozen_days = thawed_until(now, office.settings.plan(now.plan), office.now.date())
            _set(conn, now, state="active", frozen_on=None, ends_on=ends_on, frozen_days=frozen_days, step="")
            publish(
                conn, "tourism.pass-changed", [_told(office, attrs.evolve(now, ends_on=ends_on), "thawed")]
            )
        return find_pass(conn, found.id)


def end_cancel(office: Office, found: Pass, *, uses: int) -> Pass:
    """Cancel a pass and order what comes back by the plan's rule; ``uses`` is what the card counted."""
    plan = office.settings.plan(found.plan)
    with writing(office.engine) as conn:
        now = find_pass(conn, found.id, lock=True)
        if now.step == "cancel" and now.step_id is not None:
            _set(conn, now, state="cancelled", step="")
            paid = paid_of(conn, PASS_SALE, now.serial)
            used = uses + _visits(conn, now.serial)
            for one, amount_fen in zip(paid, _refunds(office, now, plan, paid, used), strict=True):
                reason = f"pass {now.serial} was cancelled"
                order_refund(conn, one, now.step_id, amount_fen, reason, asn=now.asn, at=office.now)
            publish(conn, "tourism.pass-changed", [_told(office, now, "cancelled")])
    give_due(office, found.asn)
    with reading(office.engine) as conn:
        return find_pass(conn, found.id)


def _refunds(office: Office, now: Pass, plan: Plan, paid: list[Paid], used: int) -> list[int]:
    today = office.now.date()
    if not used and (today - now.starts_on).days < plan.cooling_days:
        return [one.amount_fen for one in paid]
    last_used = now.frozen_on - dt.timedelta(days=1) if now.frozen_on else today
    spread = unused_days([one.days for one in paid], (now.ends_on - last_used).days)
    return [
        pass_refund_fen(plan, one.amount_fen, one.days, days) for one, days in zip(paid, spread, strict=True)
    ]


def _visits(conn: Connection, serial: int) -> int:
    query = select(func.count()).select_from(visit)
    mine = (visit.c.serial == serial, visit.c.right.in_((2, 3)), visit.c.step == int(Step.ENTER))
    return int(conn.scalar(query.where(*mine)) or 0)


def _check_step(office: Office, found: Pass, step: str) -> None:
    plan, today = office.settings.plan(found.plan), office.now.date()
    reason = ""
    if step == "extend" and not plan.extend_days:
        reason = Phrase("plan {name} is not extended", name=plan.name)
    elif step == "freeze" and found.frozen_days >= plan.freeze_days:
        reason = Phrase(
            "plan {name} is frozen for {freeze_days} days at most",
            name=plan.name,
            freeze_days=plan.freeze_days,
        )
    elif step in {"freeze", "cancel"} and found.ends_on < today:
        reason = Phrase("it ended on {ends_on}", ends_on=found.ends_on)
    if reason:
        raise PassRefused(serial=found.serial, reason=reason)


def _set(conn: Connection, found: Pass, **values: Any) -> None:
    conn.execute(update(pass_).where(pass_.c.serial == found.serial).values(values))


def _paid(
    office: Office,
    found: Pass,
    days: int,
    way: str,
    amount_fen: int,
    partner: str,
    onward: Mapping[str, int],
    act: UUID,
) -> Paid:
    return Paid(
        id=payment_id(act),
        asn=found.asn,
        service=PASS_SALE,
        serial=found.serial,
        turn=found.turn,
        days=days,
        way=way,
        amount_fen=amount_fen,
        partner=partner,
        onward=onward,
        at=office.now,
    )


def _told(office: Office, found: Pass, what: str) -> dict[str, Any]:
    return {
        "asn": found.asn,
        "serial": found.serial,
        "plan": office.settings.plan(found.plan).name,
        "what": what,
        "ends_on": found.ends_on.isoformat(),
    }
