"""Direct debit (代扣): a citizen lets the bills of a household be collected from an online account.

A mandate is made and ended once. The job looks for open bills that are near their due date and tries to pay
each; after a refusal it tries again on the days that the biller's schedule says, and then gives up. Every try
is a payment with an id that follows from mandate, bill and try, so that it happens once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, select, update

from citycard import derived_id
from citycard.errors import OnlineAccountUnknown
from citycard.store import publish, reading, writing
from citycard.store.bulk import insert_missing, select_in
from citycard.wallet import find_account
from citycard_utilities.errors import (
    BillBusy,
    BillSettled,
    MandateConflict,
    MandateUnknown,
    PaymentDeclined,
    RequestDiffers,
)
from citycard_utilities.events import COLLECTION_FAILED
from citycard_utilities.paying import pay_bill
from citycard_utilities.receipts import MANDATE, OPEN
from citycard_utilities.settings import Biller, UtilitySettings
from citycard_utilities.tables import bill, collection, mandate

if TYPE_CHECKING:
    from citycard.city import City

__all__ = [
    "Collected",
    "Collection",
    "MandateView",
    "collect",
    "collections_of",
    "end_mandate",
    "make_mandate",
    "mandate_of",
    "mandate_owner",
    "mandates_of",
]

WAITS, DONE, UNNEEDED, GIVEN_UP, STOPPED = "waits", "done", "unneeded", "given-up", "stopped"


@attrs.frozen(kw_only=True)
class MandateView:
    """A mandate: whose account pays which household's bills, at most ``most_fen`` for each (0: any)."""

    id: UUID
    asn: str
    account: str
    biller: str
    household: str
    most_fen: int
    active: bool
    made_at: dt.datetime
    ended_at: dt.datetime | None


@attrs.frozen(kw_only=True)
class Collection:
    """How far a mandate is with a bill: waits, done, unneeded (paid otherwise), given-up or stopped."""

    mandate: UUID
    biller: str
    bill: str
    revision: int
    state: str
    tries: int
    next_on: dt.date
    told: str


@attrs.frozen(kw_only=True)
class Collected:
    """What the job did: bills paid, their sum, tries that were refused; of these ``given_up`` for good."""

    paid: int
    amount_fen: int
    refused: int
    given_up: int


def make_mandate(
    city: City,
    settings: UtilitySettings,
    identity: UUID,
    number: str,
    biller: str,
    household: str,
    *,
    most_fen: int = 0,
    actor: str = "",
) -> MandateView:
    """Make a mandate, once for each ``identity``; ``number`` is of an account, or the card it hangs on.

    Raise BillerUnknown, OnlineAccountUnknown, MandateConflict when the household has one, RequestDiffers.
    """
    settings.biller(biller)
    with writing(city.engine) as conn:
        account = find_account(conn, number)
        wanted: dict[str, Any] = {
            "account": account.number,
            "biller": biller,
            "household": household,
            "most_fen": most_fen,
        }
        row = conn.execute(select(mandate).where(mandate.c.id == identity)).one_or_none()
        if row is not None:
            for field, value in wanted.items():
                if getattr(row, field) != value:
                    raise RequestDiffers(id=identity, what="mandate", field=field)
            return _view(row)
        made = wanted | {
            "id": identity,
            "asn": account.asn,
            "active": 1,
            "made_by": actor[:100],
            "made_at": city.now_local(),
            "ended_by": "",
            "ended_at": None,
        }
        # One that somebody else made a moment ago is seen by the same key.
        if not insert_missing(conn, mandate, [made]):
            taken = select(mandate.c.id).where(
                mandate.c.biller == biller, mandate.c.household == household, mandate.c.active == 1
            )
            raise MandateConflict(mandate=conn.scalar(taken), household=household, biller=biller)
        return _view(conn.execute(select(mandate).where(mandate.c.id == identity)).one())


def end_mandate(city: City, identity: UUID, *, actor: str = "") -> MandateView:
    """End a mandate: nothing more is collected; again without harm. Raise MandateUnknown."""
    with writing(city.engine) as conn:
        mine = mandate.c.id == identity
        active = mine & (mandate.c.active == 1)
        ended = {"active": None, "ended_by": actor[:100], "ended_at": city.now_local()}
        conn.execute(update(mandate).where(active).values(ended))
        stopped = (collection.c.mandate == identity) & (collection.c.state == WAITS)
        conn.execute(update(collection).where(stopped).values(state=STOPPED, told="the mandate was ended"))
        row = conn.execute(select(mandate).where(mine)).one_or_none()
        if row is None:
            raise MandateUnknown(mandate=identity)
        return _view(row)


def mandate_owner(conn: Connection, identity: UUID) -> str:
    """Give the card on which the account of a mandate hangs now; raise MandateUnknown."""
    return find_account(conn, mandate_of(conn, identity).account).asn


def mandate_of(conn: Connection, identity: UUID) -> MandateView:
    """Give a mandate; raise MandateUnknown."""
    row = conn.execute(select(mandate).where(mandate.c.id == identity)).one_or_none()
    if row is None:
        raise MandateUnknown(mandate=identity)
    return _view(row)


def mandates_of(conn: Connection, asn: str) -> list[MandateView]:
    """Give the mandates on the account of a card, or that were made with it, active ones first.

    An account hangs on the card that came after the one it was opened for, and its mandates with it.
    """
    mine = mandate.c.asn == asn
    with suppress(OnlineAccountUnknown):
        mine = mine | (mandate.c.account == find_account(conn, asn).number)
    rows = conn.execute(select(mandate).where(mine).order_by(mandate.c.made_at))
    return sorted((_view(row) for row in rows), key=lambda one: not one.active)


def collections_of(
    conn: Connection, *, mandates: list[UUID] | None = None, state: str = ""
) -> list[Collection]:
    """Give how far collecting is: of some mandates, or all in a state."""
    query = select(collection)
    if state:
        query = query.where(collection.c.state == state)
    rows = conn.execute(query) if mandates is None else select_in(conn, query, collection.c.mandate, mandates)
    names = [field.name for field in attrs.fields(Collection)]
    found = [Collection(**{name: getattr(row, name) for name in names}) for row in rows]
    return sorted(found, key=lambda one: (one.next_on, one.bill))


def collect(city: City, settings: UtilitySettings) -> Collected:
    """Try to collect every bill whose turn it is today; what was broken off is gone on with."""
    today = city.now_local().date()
    with writing(city.engine) as conn:
        for biller in settings.billers:
            _line_up(conn, biller, today)
    paid, amount_fen, refused, given_up = 0, 0, 0, 0
    for turn in _turns(city, settings, today):
        try:
            receipt = pay_bill(
                city,
                settings,
                derived_id("utilities", "collect", turn.mandate, turn.bill, turn.revision, turn.tries),
                turn.account,
                turn.biller,
                turn.bill,
                channel=MANDATE,
                actor="utilities",
            )
        except BillSettled:
            _become(city, turn, state=UNNEEDED, told="it was paid otherwise, or withdrawn")
        except BillBusy:
            continue
        except PaymentDeclined as declined:
            refused += 1
            given_up += _refused(city, settings.biller(turn.biller), turn, str(declined), today)
        else:
            paid += 1
            amount_fen += receipt.amount_fen
            _become(city, turn, state=DONE, told=receipt.id)
    return Collected(paid=paid, amount_fen=amount_fen, refused=refused, given_up=given_up)


def _line_up(conn: Connection, biller: Biller, today: dt.date) -> None:
    """Line up the bills of a biller that a mandate collects and that are near their due date."""
    latest = today + dt.timedelta(days=biller.collect_days)
    query = (
        select(mandate.c.id, bill.c.number, bill.c.revision)
        .join(bill, (bill.c.biller == mandate.c.biller) & (bill.c.household == mandate.c.household))
        .where(mandate.c.active == 1, mandate.c.biller == biller.id, bill.c.state == OPEN)
        .where(bill.c.due <= latest)
    )
    rows = [
        {
            "mandate": row.id,
            "bill": row.number,
            "revision": row.revision,
            "biller": biller.id,
            "state": WAITS,
            "tries": 0,
            "next_on": today,
            "told": "",
        }
        for row in conn.execute(query).all()
    ]
    insert_missing(conn, collection, rows)


def _turns(city: City, settings: UtilitySettings, today: dt.date) -> Iterator[Any]:
    """Give what is to be tried today: the newest revision of a bill, within its mandate's limit."""
    query = (
        select(collection, mandate.c.account, mandate.c.asn, mandate.c.most_fen, mandate.c.active)
        .add_columns(bill.c.revision.label("newest"), bill.c.amount_fen, bill.c.settled_fen)
        .join(mandate, mandate.c.id == collection.c.mandate)
        .join(bill, (bill.c.biller == collection.c.biller) & (bill.c.number == collection.c.bill))
        .where(collection.c.state == WAITS, collection.c.next_on <= today)
        .where(collection.c.biller.in_([biller.id for biller in settings.billers]))
        .order_by(bill.c.due, collection.c.bill)
    )
    with reading(city.engine) as conn:
        turns = conn.execute(query).all()
    for turn in turns:
        if not turn.active:
            _become(city, turn, state=STOPPED, told="the mandate was ended")
        elif turn.newest != turn.revision:
            _become(city, turn, state=UNNEEDED, told="its biller replaced the bill")
        elif 0 < turn.most_fen < turn.amount_fen - turn.settled_fen:
            told = f"the bill is more than the mandate's {turn.most_fen} fen"
            _become(city, turn, fails="", state=GIVEN_UP, told=told)
        else:
            yield turn


def _refused(city: City, biller: Biller, turn: Any, reason: str, today: dt.date) -> bool:
    """Note a refusal, and when the next try is; say whether there is none."""
    last: bool = turn.tries >= len(biller.retry_days)
    next_on = turn.next_on if last else today + dt.timedelta(days=biller.retry_days[turn.tries])
    state = GIVEN_UP if last else WAITS
    again = "" if last else next_on.isoformat()
    _become(city, turn, fails=again, state=state, tries=turn.tries + 1, next_on=next_on, told=reason[:300])
    return last


def _become(city: City, turn: Any, *, fails: str | None = None, **values: Any) -> None:
    """Note how far a collection is, once; ``fails`` tells that it failed, and the day of the next try."""
    mine = (
        (collection.c.mandate == turn.mandate)
        & (collection.c.bill == turn.bill)
        & (collection.c.revision == turn.revision)
        & (collection.c.state == WAITS)
        & (collection.c.tries == turn.tries)
    )
    with writing(city.engine) as conn:
        changed = conn.execute(update(collection).where(mine).values(**values)).rowcount
        if changed and fails is not None:
            body = {
                "mandate": str(turn.mandate),
                "biller": turn.biller,
                "bill": turn.bill,
                "asn": turn.asn,
                "reason": values["told"],
                "next_on": fails,
            }
            publish(conn, COLLECTION_FAILED, [body], at=city.clock.now())


def _view(row: Any) -> MandateView:
    return MandateView(
        id=row.id,
        asn=row.asn,
        account=row.account,
        biller=row.biller,
        household=row.household,
        most_fen=row.most_fen,
        active=row.active == 1,
        made_at=row.made_at,
        ended_at=row.ended_at,
    )
