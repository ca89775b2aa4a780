"""Payment plans: many payments of one subsidy programme, approved by two persons, then paid onto cards.

What is paid lies with the online account of the payee's card, for the programme's purpose only (the core's
subsidies, docs/wallet.md). A plan's id is the batch it is granted under: however often a run is broken off
and gone on with, nobody is paid twice. A payee without an account gets one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import attrs
from sqlalchemy import Connection, func, insert, select, update

from citycard import registry
from citycard.errors import CitycardError, Phrase
from citycard.ids import derived_id
from citycard.store import publish, reading, writing
from citycard.wallet import GrantLine, accounts_of, find_programme, grant_lines
from citycard_egov.errors import EgovInvalid, PlanRefused, PlanUnknown
from citycard_egov.events import PLAN_PAID
from citycard_egov.office import Office
from citycard_egov.planfile import PaymentLine, read_plan
from citycard_egov.register import residents_of
from citycard_egov.tables import plan, plan_line

__all__ = [
    "Plan",
    "PlanLine",
    "PlanState",
    "approve",
    "find_plan",
    "lines_of",
    "make_plan",
    "pay_plan",
    "plans",
    "refuse_plan",
    "retry_bad",
]

_ID = re.compile(r"[a-z0-9]([a-z0-9.-]{0,38}[a-z0-9])?")
_AT_ONCE = 100


class PlanState(StrEnum):
    """Where a plan is. A plan that is ``paying`` and stays so was broken off: pay it again."""

    DRAFT = "draft"
    APPROVED = "approved"
    PAYING = "paying"
    PAID = "paid"
    REFUSED = "refused"


@attrs.frozen(kw_only=True)
class Plan:
    """A payment plan and its sums in fen: ``payments`` are to be made or were, ``bad`` were left out."""

    id: str
    programme: str
    title: str
    department: str
    state: PlanState
    made_by: str
    first_by: str | None
    second_by: str | None
    payments: int
    amount_fen: int
    paid: int
    paid_fen: int
    bad: int
    opened: int


@attrs.frozen(kw_only=True)
class PlanLine:
    """A line of a plan: ``ready``, ``paid``, or ``bad`` with the reason."""

    line: int
    card: str | None
    amount_fen: int | None
    state: str
    reason: str


def make_plan(
    office: Office,
    plan_id: str,
    programme: str,
    text: str,
    *,
    title: str,
    department: str,
    file: str,
    actor: str,
) -> Plan:
    """Keep a plan that a department hands in as CSV (``planfile``); the same again changes nothing.

    Bad lines are told in ``lines_of``. Raise EgovFileInvalid, EgovInvalid, ProgrammeUnknown, and PlanRefused
    for another file under the id of a plan that is there.
    """
    _check(office, plan_id, title, department)
    digest = hashlib.sha256(text.encode()).digest()
    lines = read_plan(text, file=file)
    with reading(office.engine) as conn:
        find_programme(conn, programme)
        rows = _rows(conn, office, plan_id, lines)
    with writing(office.engine) as conn:
        known = conn.execute(select(plan).where(plan.c.id == plan_id)).one_or_none()
        if known is not None:
            if (known.digest, known.programme) != (digest, programme):
                raise PlanRefused(
                    plan=plan_id, reason="another file was handed in under this id: choose another"
                )
            return _plan(conn, known)
        row: dict[str, Any] = {
            "id": plan_id,
            "programme": programme,
            "title": title.strip(),
            "department": department,
        }
        row |= {"digest": digest, "state": PlanState.DRAFT.value, "made_by": actor, "made_at": office.now()}
        conn.execute(insert(plan), row)
        conn.execute(insert(plan_line), rows)
        return find_plan(conn, plan_id)


def approve(office: Office, plan_id: str, *, actor: str) -> Plan:
    """Approve a plan; with the second person it may be paid. Again by the first person: still one approval.

    Raise PlanUnknown, or PlanRefused when it is no draft or nothing in it can be paid.
    """
    with writing(office.engine) as conn:
        found = _held(conn, plan_id)
        if found.state is not PlanState.DRAFT:
            raise PlanRefused(
                plan=plan_id, reason=Phrase("it is {state}, and no draft any more", state=found.state)
            )
        if not found.payments:
            raise PlanRefused(plan=plan_id, reason="no line of it can be paid")
        mine = plan.c.id == plan_id
        now = office.now()
        if found.first_by is None:
            conn.execute(update(plan).where(mine).values(first_by=actor, first_at=now))
        elif found.first_by == actor:
            raise PlanRefused(plan=plan_id, reason="you approved it already: a second person has to")
        else:
            done = {"second_by": actor, "second_at": now, "state": PlanState.APPROVED.value}
            conn.execute(update(plan).where(mine).values(done))
        return find_plan(conn, plan_id)


def refuse_plan(office: Office, plan_id: str) -> Plan:
    """Give up a plan of which nothing was paid; raise PlanRefused once its payment began."""
    with writing(office.engine) as conn:
        found = _held(conn, plan_id)
        if found.state in {PlanState.PAYING, PlanState.PAID}:
            raise PlanRefused(
                plan=plan_id, reason=Phrase("it is {state}: what is paid stays paid", state=found.state)
            )
        conn.execute(update(plan).where(plan.c.id == plan_id).values(state=PlanState.REFUSED.value))
        return find_plan(conn, plan_id)


def pay_plan(
    office: Office, plan_id: str, *, actor: str, told: Callable[[int, int], None] | None = None
) -> Plan:
    """Pay an approved plan, a hundred payments in a step; go on with one that was broken off.

    A payment that is refused (the budget, an account) becomes a bad line. Raise PlanUnknown, or PlanRefused
    for a plan that two persons have not approved.
    """
    with writing(office.engine) as conn:
        found = _held(conn, plan_id)
        if found.state is PlanState.PAID:
            return found
        if found.state not in {PlanState.APPROVED, PlanState.PAYING}:
            raise PlanRefused(
                plan=plan_id,
                reason=Phrase("it is {state}: two persons have to approve it first", state=found.state),
            )
        conn.execute(update(plan).where(plan.c.id == plan_id).values(state=PlanState.PAYING.value))
    while True:
        with reading(office.engine) as conn:
            piece = _ready(conn, plan_id)
        if not piece:
            break
        _pay(office, found, piece, actor)
        with reading(office.engine) as conn:
            if told is not None:
                told(find_plan(conn, plan_id).paid, found.payments)
    with writing(office.engine) as conn:
        done = _held(conn, plan_id)
        if done.state is PlanState.PAYING:
            values = {"state": PlanState.PAID.value, "paid_at": office.now()}
            conn.execute(update(plan).where(plan.c.id == plan_id).values(values))
            body = {"plan": plan_id, "programme": done.programme}
            publish(conn, PLAN_PAID, [body | {"payments": done.paid, "amount_fen": done.paid_fen}])
        return find_plan(conn, plan_id)


def retry_bad(office: Office, plan_id: str) -> int:
    """Look again at the bad lines of a paid plan whose payee is known, such as when the budget was raised.

    They become ready, and the plan is to be paid on; return how many. Raise PlanRefused unless it is paid.
    """
    with writing(office.engine) as conn:
        found = _held(conn, plan_id)
        if found.state is not PlanState.PAID:
            raise PlanRefused(plan=plan_id, reason=Phrase("it is {state}, not paid", state=found.state))
        again = (
            (plan_line.c.plan == plan_id)
            & (plan_line.c.state == "bad")
            & plan_line.c.asn.is_not(None)
            & plan_line.c.amount_fen.is_not(None)
        )
        count = conn.execute(update(plan_line).where(again).values(state="ready", reason="")).rowcount
        if count:
            conn.execute(update(plan).where(plan.c.id == plan_id).values(state=PlanState.PAYING.value))
        return count


def find_plan(conn: Connection, plan_id: str) -> Plan:
    """Give one plan with its sums; raise PlanUnknown."""
    row = conn.execute(select(plan).where(plan.c.id == plan_id)).one_or_none()
    if row is None:
        raise PlanUnknown(plan=plan_id[:40])
    return _plan(conn, row)


def plans(conn: Connection, *, limit: int = 100) -> list[Plan]:
    """List the plans, newest first."""
    rows = conn.execute(select(plan).order_by(plan.c.made_at.desc(), plan.c.id).limit(limit)).all()
    return [_plan(conn, row) for row in rows]


def lines_of(conn: Connection, plan_id: str, *, state: str = "", limit: int = 1000) -> list[PlanLine]:
    """List lines of a plan in their order, of one state when that is asked."""
    mine = select(plan_line).where(plan_line.c.plan == plan_id)
    if state:
        mine = mine.where(plan_line.c.state == state)
    return [
        PlanLine(line=row.line, card=row.asn, amount_fen=row.amount_fen, state=row.state, reason=row.reason)
        for row in conn.execute(mine.order_by(plan_line.c.line).limit(limit))
    ]


# ── inside ───────────────────────────────────────────────────────────────────────────────────────


def _check(office: Office, plan_id: str, title: str, department: str) -> None:
    if not _ID.fullmatch(plan_id):
        expected = "lower-case letters, digits, . and - inside, at most 40 characters"
        raise EgovInvalid(field="plan", value=plan_id[:60], expected=expected)
    if not 0 < len(title.strip()) <= 100:  # noqa: PLR2004 - the column's width
        raise EgovInvalid(field="title", value=title[:40], expected="1 to 100 characters")
    if office.settings.department(department) is None:
        known = ", ".join(one.id for one in office.settings.departments) or "none"
        raise EgovInvalid(
            field="department", value=department, expected=Phrase("one of {known}", known=known)
        )


def _rows(
    conn: Connection, office: Office, plan_id: str, lines: Sequence[PaymentLine]
) -> list[dict[str, Any]]:
    people = residents_of(conn, office, [one.id_number for one in lines if one.id_number])
    cards = registry.cards_by_asn(conn, [one.card for one in lines if one.card])
    taken: dict[str, int] = {}
    rows = []
    for one in lines:
        asn, bad = one.card, one.bad
        if not bad and one.id_number:
            _, found = people.get(one.id_number, (None, None))
            asn = found or ""
            if one.id_number not in people:
                bad = "nobody with this identity number is in the register"
            elif not asn:
                bad = "the payee has no card in use"
        elif not bad and one.card not in cards:
            bad = f"there is no card {one.card}"
        if not bad and taken.setdefault(asn, one.line) != one.line:
            bad = f"its payee stands in line {taken[asn]} already"
        rows.append(
            {
                "plan": plan_id,
                "line": one.line,
                "asn": asn if not bad else None,
                "amount_fen": one.amount_fen if not bad else None,
                "state": "bad" if bad else "ready",
                "reason": bad[:300],
                "opened": False,
            }
        )
    return rows


def _held(conn: Connection, plan_id: str) -> Plan:
    conn.execute(select(plan.c.id).where(plan.c.id == plan_id).with_for_update())
    return find_plan(conn, plan_id)


def _ready(conn: Connection, plan_id: str) -> list[Any]:
    mine = (plan_line.c.plan == plan_id) & (plan_line.c.state == "ready")
    return list(conn.execute(select(plan_line).where(mine).order_by(plan_line.c.line).limit(_AT_ONCE)))


def _pay(office: Office, found: Plan, piece: Sequence[Any], actor: str) -> None:
    from citycard.city.accounts import open_account

    with reading(office.engine) as conn:
        known = accounts_of(conn, [row.asn for row in piece])
    bad: dict[int, str] = {}
    opened: set[int] = set()
    for row in piece:
        if row.asn in known:
            continue
        try:
            open_account(office.city, derived_id("account for grant", row.asn), row.asn, actor=actor)
            opened.add(row.line)
        except CitycardError as refused:
            bad[row.line] = str(refused)
    lines = [
        GrantLine(line=row.line, number=row.asn, amount_fen=row.amount_fen)
        for row in piece
        if row.line not in bad
    ]
    came = grant_lines(office.city.wallet, found.programme, found.id, lines)
    bad |= {one.line: one.reason for one in came.bad}
    _note(office, found.id, {row.line: bad.get(row.line) for row in piece}, opened)


def _note(office: Office, plan_id: str, came: Mapping[int, str | None], opened: set[int]) -> None:
    with writing(office.engine) as conn:
        for line, reason in came.items():
            state = "bad" if reason else "paid"
            values: dict[str, Any] = {"state": state, "reason": (reason or "")[:300]}
            if line in opened:
                values["opened"] = True
            mine = (plan_line.c.plan == plan_id) & (plan_line.c.line == line)
            conn.execute(update(plan_line).where(mine).values(values))


def _plan(conn: Connection, row: Any) -> Plan:
    count, fen = func.count(), func.coalesce(func.sum(plan_line.c.amount_fen), 0)
    query = select(plan_line.c.state, count.label("lines"), fen.label("fen"))
    sums = {
        one.state: (int(one.lines), int(one.fen))
        for one in conn.execute(query.where(plan_line.c.plan == row.id).group_by(plan_line.c.state))
    }
    opened = (plan_line.c.plan == row.id) & plan_line.c.opened
    ready, paid, bad = (sums.get(state, (0, 0)) for state in ("ready", "paid", "bad"))
    return Plan(
        id=row.id,
        programme=row.programme,
        title=row.title,
        department=row.department,
        state=PlanState(row.state),
        made_by=row.made_by,
        first_by=row.first_by,
        second_by=row.second_by,
        payments=ready[0] + paid[0],
        amount_fen=ready[1] + paid[1],
        paid=paid[0],
        paid_fen=paid[1],
        bad=bad[0],
        opened=conn.scalar(select(count).select_from(plan_line).where(opened)) or 0,
    )
