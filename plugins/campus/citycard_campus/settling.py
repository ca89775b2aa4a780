"""After a clearing run: canteens are paid what meal pots owe them, once for each accepted record.

A use is settled when its number on the card was not cleared before, its pot covers it, and pot and purse
together paid the meal's price. Anything else waits for a person: a number that comes twice is a record on
the card that was set back or copied. Uses may come in any order and over many runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, func, insert, select, update

from citycard.ids import derived_id
from citycard.ledger import AccountCode, AccountSpec
from citycard.store import publish, reading, writing
from citycard.wallet import partner_payable
from citycard_campus.attendance import note_presences
from citycard_campus.errors import CaseDecided, CaseUnknown, PotUncovered, PupilUnknown
from citycard_campus.events import POT_DOUBTED
from citycard_campus.fares import CANTEEN, LESSON
from citycard_campus.pots import MEAL_SETTLED, Pot, find_pot
from citycard_campus.services import NUMBERS
from citycard_campus.tables import cleared_run, pot, pot_use

if TYPE_CHECKING:
    from citycard_campus.campus import Campus
    from citycard_campus.cleared import ClearedUse

__all__ = [
    "PotUse",
    "Settled",
    "decide",
    "find_use",
    "missing_uses",
    "reopen",
    "settle",
    "take_up",
    "uses_of",
    "waiting",
]

_SETTLED, _WAITING, _REFUSED = "settled", "waiting", "refused"


@attrs.frozen(kw_only=True)
class Settled:
    """What a run meant for the pots: how many uses, and what went to canteens in fen."""

    run: int
    uses: int
    settled_fen: int


@attrs.frozen(kw_only=True)
class PotUse:
    """A cleared meal that a pot paid: ``use`` counts on the card, ``state`` settled, waiting or refused."""

    record: str
    run: int
    asn: str
    use: int
    pot_fen: int
    spent_fen: int
    purse_fen: int
    school: int
    partner: str
    at: Any
    state: str
    why: str
    decided_by: str


def settle(campus: Campus) -> list[Settled]:
    """Take up every closed run that was not taken up yet, and what people accepted since; again harmless."""
    # Imported here and below: clearing is heavy, and pages that only show a pot do without.
    from citycard.clearing.accepted import closed_runs

    with reading(campus.engine) as conn:
        last = conn.scalar(select(func.max(cleared_run.c.run))) or 0
        runs = closed_runs(conn, last)
    done = [settled for run in runs if (settled := _settle(campus, run)) is not None]
    _settle_decided(campus)
    return done


def decide(campus: Campus, record: str, *, pay: bool, actor: str) -> PotUse:
    """Decide a use that waits: pay it out of its pot, or refuse it.

    Again without harm when it was decided so. Raise CaseUnknown, CaseDecided, PotUncovered.
    """
    wanted = _SETTLED if pay else _REFUSED
    with writing(campus.engine) as conn:
        use = find_use(conn, record)
        if use.state == wanted and use.decided_by:
            return use
        if use.state != _WAITING:
            raise CaseDecided(record=record, state=use.state)
        if pay:
            held = _held(conn, use.asn)
            left_fen = 0 if held is None else held.left_fen
            if held is None or use.pot_fen > left_fen or not use.partner:
                raise PotUncovered(asn=use.asn, left_fen=left_fen, wanted_fen=use.pot_fen)
            _post(campus, conn, held, use)
        mine = pot_use.c.record == record
        conn.execute(update(pot_use).where(mine), {"state": wanted, "decided_by": actor or "somebody"})
        return find_use(conn, record)


def reopen(campus: Campus, asn: str) -> Pot:
    """Let a pot be used again that was closed for doubts; the desk then puts its card right."""
    with writing(campus.engine) as conn:
        find_pot(conn, asn)
        conn.execute(update(pot).where(pot.c.asn == asn), {"flagged": False})
        return find_pot(conn, asn)


def find_use(conn: Connection, record: str) -> PotUse:
    """Give the use of a pot in a record; raise CaseUnknown."""
    row = conn.execute(select(pot_use).where(pot_use.c.record == record)).one_or_none()
    if row is None:
        raise CaseUnknown(record=record[:40])
    return PotUse(**row._mapping)  # noqa: SLF001 - a Row's own way


def uses_of(conn: Connection, *conditions: Any, limit: int = 1000) -> list[PotUse]:
    """Give the uses for which conditions on the table hold, newest first."""
    query = select(pot_use).where(*conditions).order_by(pot_use.c.at.desc(), pot_use.c.record).limit(limit)
    return [PotUse(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001 - a Row's own way


def waiting(conn: Connection, *, limit: int = 1000) -> list[PotUse]:
    """Give the uses that somebody has to decide."""
    return uses_of(conn, pot_use.c.state == _WAITING, limit=limit)


def missing_uses(conn: Connection, asn: str) -> list[int]:
    """Give the numbers of uses of a card that later settled ones say there were, and that never came."""
    rows = conn.execute(select(pot_use.c.use, pot_use.c.state).where(pot_use.c.asn == asn)).all()
    known = {row.use for row in rows}
    highest = max((row.use for row in rows if row.state == _SETTLED), default=0)
    return [number for number in range(1, highest) if number not in known]


def _settle(campus: Campus, run: int) -> Settled | None:
    from citycard_campus.cleared import accepted_of

    numbers = {NUMBERS[CANTEEN], NUMBERS[LESSON]}
    records = accepted_of(campus, run, numbers)
    meals = [one for one in records if one.service == NUMBERS[CANTEEN] and one.facts.pot_fen]
    with writing(campus.engine) as conn:
        if conn.scalar(select(cleared_run.c.run).where(cleared_run.c.run == run)) is not None:
            return None
        settled_fen = sum(take_up(campus, conn, run, meal) for meal in meals)
        note_presences(
            campus, conn, [one for one in records if one.service == NUMBERS[LESSON] and not one.suspended]
        )
        done = Settled(run=run, uses=len(meals), settled_fen=settled_fen)
        conn.execute(insert(cleared_run), attrs.asdict(done))
        return done


def _settle_decided(campus: Campus) -> None:
    from citycard.clearing.casetables import clearing_decision
    from citycard_campus.cleared import accepted_by_people

    with reading(campus.engine) as conn:
        decided = clearing_decision.c.record == pot_use.c.record
        known = set(conn.scalars(select(pot_use.c.record).join(clearing_decision, decided)))
    for run, meal in accepted_by_people(campus, NUMBERS[CANTEEN], known):
        if meal.facts.pot_fen:
            with writing(campus.engine) as conn:
                if conn.scalar(select(pot_use.c.run).where(pot_use.c.record == meal.record)) is None:
                    take_up(campus, conn, run, meal)


def take_up(campus: Campus, conn: Connection, run: int, meal: ClearedUse) -> int:
    """Write down a meal that a pot paid, and pay the canteen or let it wait; return what was paid in fen."""
    held = _held(conn, meal.asn)
    why = _why(campus, held, meal)
    # What a terminal did wrong closes no card's pot; what the card shows does.
    set_back = "" if why or held is None else _set_back(conn, held, meal)
    use = _used(run, meal, held, why or set_back)
    conn.execute(insert(pot_use), attrs.asdict(use))
    if use.state != _SETTLED or held is None:
        _doubt(conn, use, closing=bool(set_back))
        return 0
    _post(campus, conn, held, use)
    return use.pot_fen


def _used(run: int, meal: ClearedUse, held: Pot | None, why: str) -> PotUse:
    return PotUse(
        record=meal.record,
        run=run,
        asn=meal.asn,
        use=meal.facts.uses,
        pot_fen=meal.facts.pot_fen,
        spent_fen=meal.facts.spent_fen,
        purse_fen=meal.amount_fen,
        school=meal.facts.school if held is None else held.school,
        partner=meal.partner,
        at=meal.at,
        state=_WAITING if why else _SETTLED,
        why=why,
        decided_by="",
    )


def _why(campus: Campus, held: Pot | None, meal: ClearedUse) -> str:
    """Say what is wrong with a record, whatever its card says; nothing when it is in order."""
    if meal.suspended:
        return f"clearing suspended the record ({meal.suspended}), in which only the pot paid"
    if held is None or not meal.partner:
        return "the card never had a pot" if held is None else "it came from another city"
    band = campus.settings.band_at(meal.at)
    if band is None or meal.facts.pot_fen + meal.amount_fen != band.price_fen(meal.facts.role.word):
        return "pot and purse together are not the price of a meal"
    return ""


def _set_back(conn: Connection, held: Pot, meal: ClearedUse) -> str:
    """Say how a record shows that a card was set back or copied; nothing when it does not."""
    uses = meal.facts.uses
    mine = (pot_use.c.asn == meal.asn, pot_use.c.use == uses, pot_use.c.state == _SETTLED)
    before = conn.scalar(select(pot_use.c.record).where(*mine).limit(1))
    if before is not None:
        return f"use {uses} of the pot was cleared before, in {before}: the card was set back or copied"
    return f"the pot covers {held.left_fen} fen" if meal.facts.pot_fen > held.left_fen else ""


def _held(conn: Connection, asn: str) -> Pot | None:
    # Held until the transaction ends, so that two settlements of one pot form a queue.
    conn.execute(select(pot.c.asn).where(pot.c.asn == asn).with_for_update())
    try:
        return find_pot(conn, asn)
    except PupilUnknown:
        return None


def _doubt(conn: Connection, use: PotUse, *, closing: bool) -> None:
    if closing:
        conn.execute(update(pot).where(pot.c.asn == use.asn), {"flagged": True})
    body = {"record": use.record, "card": use.asn, "amount_fen": use.pot_fen, "why": use.why}
    publish(conn, POT_DOUBTED, [body])


def _post(campus: Campus, conn: Connection, held: Pot, use: PotUse) -> None:
    """Pay a canteen for a use out of its pot."""
    ledger, address = campus.city.ledger, partner_payable(use.partner)
    ledger.open_accounts(
        conn,
        [AccountSpec(address=address, code=int(AccountCode.PAYABLE_TO_PARTNERS), owner=use.partner)],
    )
    moved = campus.city.wallet.transfer(
        derived_id("campus meal", use.record),
        campus.settings.school(held.school).pot,
        address,
        use.pot_fen,
        MEAL_SETTLED,
        ref=f"meal/{use.record}",
    )
    ledger.post_all(conn, [moved])
    grown: dict[Any, Any] = {"settled_fen": pot.c.settled_fen + use.pot_fen}
    conn.execute(update(pot).where(pot.c.asn == use.asn).values(grown))
    later = (pot.c.asn == use.asn, pot.c.last_use < use.use)
    conn.execute(update(pot).where(*later), {"last_use": use.use})
