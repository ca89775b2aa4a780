"""Meal pots: how grants of a subsidy programme go onto cards, and what is not eaten goes back.

A month's grant lies with the pupil's online account, as any subsidy. ``carry`` pays it to the school's meals,
from where it goes on in the same step to the school's account of pots (``campus/pots/<school>``), and counts
it into what the card may carry; the school's desk writes that sum onto the card. What cleared meals take
goes from there to the canteen (``settling``). ``give_back`` reverses the payments for the rest.
"""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select, update

from citycard.errors import CitycardError, OnlineAccountUnknown, PaymentUnknown, Phrase, WalletRefused
from citycard.ids import derived_id
from citycard.money import yuan
from citycard.store import publish, reading, writing
from citycard.wallet import (
    Payments,
    account_subsidy,
    available_fen,
    find_account,
    find_payment,
    find_programme,
)
from citycard_campus.errors import PupilUnknown, SettingInvalid
from citycard_campus.events import POT_CARRIED
from citycard_campus.roll import pupils_of
from citycard_campus.tables import pot, pot_load, pot_use, pupil

if TYPE_CHECKING:
    from citycard.wallet import BulkGrant, Payment
    from citycard_campus.campus import Campus
    from citycard_campus.settings import School

__all__ = [
    "CARRIED",
    "MEAL_SETTLED",
    "MealsCarried",
    "Pot",
    "PotStanding",
    "carry",
    "carry_all",
    "find_pot",
    "grant_meals",
    "return_rests",
    "standing",
]

_log = logging.getLogger("citycard.campus")

CARRIED = 4001
MEAL_SETTLED = 4002
"""Why money moved: onto a card's pot, and from a pot to a canteen. Codes from 1000 are free for plugins."""


@attrs.frozen(kw_only=True)
class Pot:
    """The pot of one card in fen: carried onto it, taken by cleared meals, gone back; uses cleared so far.

    ``carrying_fen`` is on its way, by the payment of try number ``tries``; 0 when nothing is.
    """

    asn: str
    pupil: int
    school: int
    loads: int
    tries: int
    carrying_fen: int
    loaded_fen: int
    settled_fen: int
    returned_fen: int
    last_use: int
    flagged: bool
    given_up_on: dt.date | None

    @property
    def left_fen(self) -> int:
        """Give what cleared meals have left."""
        return self.loaded_fen - self.settled_fen - self.returned_fen


@attrs.frozen(kw_only=True)
class PotStanding:
    """A school's pots: loaded = settled + returned + left, and left is what the ledger holds.

    ``waiting_fen`` of the left are asked for by cleared meals that somebody has to decide.
    """

    school: str
    cards: int
    loaded_fen: int
    settled_fen: int
    returned_fen: int
    waiting_fen: int
    ledger_fen: int

    @property
    def left_fen(self) -> int:
        """Give what is left in all pots."""
        return self.loaded_fen - self.settled_fen - self.returned_fen

    @property
    def difference_fen(self) -> int:
        """Give by how much book and ledger differ: 0."""
        return self.left_fen - self.ledger_fen


@attrs.frozen(kw_only=True)
class MealsCarried:
    """What was put aside for cards, in fen, and by enrolment why something was not."""

    carried_fen: int
    refused: Mapping[int, str]


def grant_meals(campus: Campus, school: School, batch: str, *, actor: str = "") -> BulkGrant:
    """Grant every enrolled pupil's month out of the school's programme; a batch such as 2026-12 once.

    Cards without an online account get one. Raise SettingInvalid where the school has no programme, and
    ProgrammeUnknown; what the budget does not cover is told as a bad line.
    """
    if not school.programme:
        raise SettingInvalid(field=f"schools: {school.id}", reason="it names no programme that pays meals")
    from citycard.city.accounts import grant_file

    today = campus.now().date()
    with reading(campus.engine) as conn:
        find_programme(conn, school.programme)
        pupils = pupils_of(conn, pupil.c.school == school.number, pupil.c.meal_fen > 0)
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["card", "amount"])
    lines.writerows([one.asn, yuan(one.meal_fen)] for one in pupils if one.enrolled(today))
    return grant_file(
        campus.city,
        school.programme,
        batch,
        text.getvalue(),
        file=f"roll of {school.id}",
        open_missing=True,
        actor=actor,
    )


def carry_all(campus: Campus) -> MealsCarried:
    """Put aside for the card of every enrolled pupil what was granted for meals.

    Where that is refused, as from a frozen account, it is told, and the others' is put aside all the same.
    """
    today, carried_fen, refused = campus.now().date(), 0, {}
    with reading(campus.engine) as conn:
        pupils = pupils_of(conn, pupil.c.left_on.is_(None))
        cards = {one.asn: one.number for one in pupils if one.enrolled(today)}
        # What is on its way arrives, whatever became of the enrolment meanwhile.
        for begun in conn.execute(select(pot.c.asn, pot.c.pupil).where(pot.c.carrying_fen > 0)):
            cards[begun.asn] = begun.pupil
    for asn, number in cards.items():
        try:
            carried_fen += carry(campus, asn)
        except CitycardError as wrong:
            refused[number] = str(wrong)
    if refused:
        number, why = next(iter(refused.items()))
        _log.warning("%d grants of meals wait, the first of enrolment %d: %s", len(refused), number, why)
    return MealsCarried(carried_fen=carried_fen, refused=refused)


def carry(campus: Campus, asn: str) -> int:
    """Put aside for a card what its pupil was granted for meals; return how much was new in fen.

    Done twice, or interrupted anywhere and done again, it is done once. Raise what the wallet refuses with,
    such as AccountNotOpen: it is tried anew, and under another id, when it is asked for again.
    """
    from citycard.city.accounts import payee
    from citycard.city.charging import Onward, give_back

    found = _begun(campus, asn)
    if found is None:
        return 0
    held, school, account = found
    amount_fen = held.carrying_fen
    onward = [Onward(address=school.pot, amount_fen=amount_fen, code=CARRIED)]
    try:
        paid = Payments(campus.city.wallet).pay(
            _identity(held),
            account,
            payee(campus.city, school.meals),
            amount_fen,
            onward=onward,
            note="meals on the card",
        )
    except WalletRefused:
        # The wallet remembers a refusal by its id.
        with writing(campus.engine) as conn:
            mine = (pot.c.asn == asn, pot.c.tries == held.tries)
            conn.execute(update(pot).where(*mine), {"carrying_fen": 0})
        raise
    strange = any(not part.programme for part in paid.parts)
    if strange:
        # The grant was spent or lapsed meanwhile: the holder's own money does not become meal money.
        give_back(
            campus.city,
            derived_id("campus carry back", paid.id),
            paid.id,
            amount_fen,
            onward=onward,
        )
    return _note_load(campus, held, paid, returned_fen=amount_fen if strange else 0)


def return_rests(campus: Campus) -> int:
    """Give back what is left in pots of cards given up long enough ago; return how much in fen.

    It goes to the pupils' accounts, from where it may be carried onto their new cards, and to the
    programme's fund where that is over. Again without harm.
    """
    latest = campus.now().date() - dt.timedelta(days=campus.settings.pot_wait_days)
    over = (
        pot.c.given_up_on.is_not(None),
        pot.c.given_up_on <= latest,
        pot.c.loaded_fen > pot.c.settled_fen + pot.c.returned_fen,
    )
    with reading(campus.engine) as conn:
        asns = list(conn.scalars(select(pot.c.asn).where(*over).order_by(pot.c.asn)))
    for asn in asns:
        _set_aside(campus, asn)
    with reading(campus.engine) as conn:
        loads = conn.execute(select(pot_load).where(pot_load.c.returning_fen > 0)).all()
    return sum(_send_back(campus, load) for load in loads)


def find_pot(conn: Connection, asn: str) -> Pot:
    """Give the pot of a card; raise PupilUnknown for a card that never was a pupil's."""
    row = conn.execute(select(pot).where(pot.c.asn == asn)).one_or_none()
    if row is None:
        raise PupilUnknown(key=Phrase("card {asn}", asn=asn[:20]))
    return Pot(**row._mapping)  # noqa: SLF001 - a Row's own way


def standing(campus: Campus, conn: Connection, school: School) -> PotStanding:
    """Add up a school's pots, beside what the ledger holds of them."""
    rows = conn.execute(select(pot).where(pot.c.school == school.number)).all()
    waiting = conn.execute(
        select(pot_use.c.pot_fen).where(pot_use.c.school == school.number, pot_use.c.state == "waiting")
    )
    return PotStanding(
        school=school.id,
        cards=len(rows),
        loaded_fen=sum(row.loaded_fen for row in rows),
        settled_fen=sum(row.settled_fen for row in rows),
        returned_fen=sum(row.returned_fen for row in rows),
        waiting_fen=sum(waiting.scalars()),
        ledger_fen=campus.city.ledger.balance_fen(conn, school.pot),
    )


def _begun(campus: Campus, asn: str) -> tuple[Pot, School, str] | None:
    """Give a pot with what is on its way into it, begun now or before, and from which account; None for none.

    What is begun is written down first: interrupted, it goes on as the same payment.
    """
    with reading(campus.engine) as conn:
        found = _due(campus, conn, asn)
    if found is None or not found[-1]:
        return None if found is None else found[:-1]
    with writing(campus.engine) as conn:
        conn.execute(select(pot.c.asn).where(pot.c.asn == asn).with_for_update())
        found = _due(campus, conn, asn)
        if found is None or not found[-1]:
            return None if found is None else found[:-1]
        held, school, account, amount_fen = found
        begun = {"tries": held.tries + 1, "carrying_fen": amount_fen}
        conn.execute(update(pot).where(pot.c.asn == asn), begun)
        return find_pot(conn, asn), school, account


def _due(campus: Campus, conn: Connection, asn: str) -> tuple[Pot, School, str, int] | None:
    """Say what is to be carried onto a card, and is not on its way; None when there is nothing to do."""
    held = find_pot(conn, asn)
    school = campus.settings.school(held.school)
    if not held.carrying_fen and (held.given_up_on is not None or not school.programme):
        return None
    if held.carrying_fen:
        with contextlib.suppress(PaymentUnknown):
            return held, school, find_payment(conn, _identity(held)).number, 0
    try:
        account = find_account(conn, asn)
    except OnlineAccountUnknown:
        return None
    if held.carrying_fen:
        return held, school, account.number, 0
    programme = find_programme(conn, school.programme)
    address = account_subsidy(account.number, programme.id)
    amount_fen = available_fen(conn, campus.city.wallet, address)
    if not amount_fen or not programme.starts_on <= campus.now().date() <= programme.ends_on:
        return None
    account.must_be_open()
    return held, school, account.number, amount_fen


def _identity(held: Pot) -> UUID:
    return derived_id("campus carry", held.asn, held.tries, held.carrying_fen)


def _note_load(campus: Campus, held: Pot, paid: Payment, *, returned_fen: int) -> int:
    turn = held.loads + 1
    with writing(campus.engine) as conn:
        mine = (pot.c.asn == held.asn, pot.c.loads == held.loads)
        grown: dict[Any, Any] = {
            "loads": turn,
            "carrying_fen": 0,
            "loaded_fen": pot.c.loaded_fen + paid.amount_fen - returned_fen,
        }
        if not conn.execute(update(pot).where(*mine).values(grown)).rowcount:
            return 0
        row = {"id": paid.id, "asn": held.asn, "turn": turn, "amount_fen": paid.amount_fen}
        more = {"returned_fen": returned_fen, "returning_fen": 0, "at": campus.now()}
        conn.execute(insert(pot_load), row | more)
        carried_fen = paid.amount_fen - returned_fen
        if carried_fen:
            publish(conn, POT_CARRIED, [{"card": held.asn, "amount_fen": carried_fen}])
        return carried_fen


def _set_aside(campus: Campus, asn: str) -> None:
    """Take the rest out of a pot's book, from the newest load back; ``_send_back`` moves the money."""
    with writing(campus.engine) as conn:
        conn.execute(select(pot.c.asn).where(pot.c.asn == asn).with_for_update())
        left_fen = find_pot(conn, asn).left_fen
        mine = select(pot_load).where(pot_load.c.asn == asn).order_by(pot_load.c.turn.desc())
        for load in conn.execute(mine).all():
            part_fen = min(left_fen, load.amount_fen - load.returned_fen - load.returning_fen)
            conn.execute(
                update(pot_load)
                .where(pot_load.c.id == load.id)
                .values({"returning_fen": load.returning_fen + part_fen})
            )
            more: dict[Any, Any] = {"returned_fen": pot.c.returned_fen + part_fen}
            conn.execute(update(pot).where(pot.c.asn == asn).values(more))
            left_fen -= part_fen


def _send_back(campus: Campus, load: Any) -> int:
    """Give back what was set aside of a load; interrupted and done again, it is done once."""
    with reading(campus.engine) as conn:
        school = campus.settings.school(find_pot(conn, load.asn).school)
    from citycard.city.charging import Onward, give_back

    part_fen: int = load.returning_fen
    give_back(
        campus.city,
        derived_id("campus pot back", load.id, load.returned_fen),
        load.id,
        part_fen,
        onward=[Onward(address=school.pot, amount_fen=part_fen, code=CARRIED)],
        note="meals that were not eaten",
    )
    with writing(campus.engine) as conn:
        mine = (pot_load.c.id == load.id, pot_load.c.returned_fen == load.returned_fen)
        done = {"returned_fen": load.returned_fen + part_fen, "returning_fen": 0}
        return part_fen if conn.execute(update(pot_load).where(*mine), done).rowcount else 0
