"""An online account as people and programs see it: all its kinds of money, holds, payments and limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import attrs
from sqlalchemy import Connection

from citycard.city.accountpayouts import owed_fen
from citycard.store import reading
from citycard.wallet.actbook import ActLine, find_act, refused_acts
from citycard.wallet.addresses import online_account
from citycard.wallet.enforcing import rule_of
from citycard.wallet.holds import AccountHold, holds_of
from citycard.wallet.limits import ActKind, LimitRule
from citycard.wallet.lots import Lot
from citycard.wallet.online import OnlineAccount, available_fen, find_account, own_limits
from citycard.wallet.onward import PayeeShare, shares_of
from citycard.wallet.paymentbook import Payment, payment_named, payments_of
from citycard.wallet.points import lots_of
from citycard.wallet.programmes import pots_of, programmes_by_id
from citycard.wallet.schemes import schemes_by_partner

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = [
    "AccountView",
    "ActView",
    "LimitsView",
    "PaymentLine",
    "PaymentPart",
    "PointsView",
    "SubsidyView",
    "payment_line",
    "read_account",
    "read_act",
]


@attrs.frozen(kw_only=True)
class SubsidyView:
    """What an account has of a programme, what it can be spent for, and the last day."""

    programme: str
    title: str
    title_zh: str
    partners: tuple[str, ...]
    partner_kinds: tuple[str, ...]
    ends_on: date
    available_fen: int


@attrs.frozen(kw_only=True)
class PointsView:
    """The points of one scheme: all that can be used, and those that lapse next, with their last day."""

    scheme: str
    title: str
    title_zh: str
    points: int
    next_points: int
    next_expiry: date


@attrs.frozen(kw_only=True)
class PaymentPart:
    """A part of a payment: the programme that paid it, or empty for the account's own money."""

    programme: str
    amount_fen: int
    returned_fen: int


@attrs.frozen(kw_only=True)
class PaymentLine:
    """A payment: ``at`` is local to the city, ``hold`` the hold that it captured."""

    id: UUID
    number: str
    partner: str
    amount_fen: int
    returned_fen: int
    hold: UUID | None
    note: str
    at: datetime
    parts: tuple[PaymentPart, ...]


@attrs.frozen(kw_only=True)
class LimitsView:
    """The limits of one kind of act: the city's, the owner's, and what holds of both together."""

    act: str
    city: LimitRule
    own: LimitRule
    together: LimitRule


@attrs.frozen(kw_only=True)
class AccountView:
    """An online account. ``available_fen`` is the balance less what is held.

    ``owed_fen`` is owed to its holder, and is paid out: the account was closed, or a payment of it came back.
    ``refusals`` are the newest acts that the account, a limit or a plugin said no to.
    """

    number: str
    asn: str
    status: str
    opened_at: datetime
    balance_fen: int
    available_fen: int
    owed_fen: int
    subsidies: tuple[SubsidyView, ...]
    points: tuple[PointsView, ...]
    holds: tuple[AccountHold, ...]
    payments: tuple[PaymentLine, ...]
    refusals: tuple[ActLine, ...]
    limits: tuple[LimitsView, ...]


@attrs.frozen(kw_only=True)
class ActView:
    """What was asked for under an id and what was answered; ``shares`` say to whom a payment went."""

    act: ActLine
    shares: tuple[PayeeShare, ...]


def read_act(city: City, identity: UUID) -> ActView:
    """Read what was asked for under an id; raise ActUnknown."""
    with reading(city.engine) as conn:
        act, paid = find_act(conn, identity), payment_named(conn, identity)
        return ActView(act=act, shares=() if paid is None else shares_of(conn, city.ledger, paid.id))


def read_account(city: City, number: str) -> AccountView:
    """Read an account by its number, or by the card it hangs on; raise OnlineAccountUnknown."""
    wallet = city.wallet
    with reading(city.engine) as conn:
        account = find_account(conn, number)
        address = online_account(account.number)
        return AccountView(
            number=account.number,
            asn=account.asn,
            status=str(account.status),
            opened_at=account.opened_at,
            balance_fen=city.ledger.balance_fen(conn, address),
            available_fen=available_fen(conn, wallet, address),
            owed_fen=owed_fen(city, conn, account.number),
            subsidies=_subsidies(conn, city, account),
            points=_points(conn, city, account),
            holds=tuple(holds_of(conn, wallet, number=account.number)),
            payments=tuple(payment_line(one) for one in payments_of(conn, number=account.number)),
            refusals=tuple(refused_acts(conn, account.number)),
            limits=_limits(conn, city, account),
        )


def payment_line(paid: Payment) -> PaymentLine:
    """Give a payment without what only the ledger needs."""
    return PaymentLine(
        id=paid.id,
        number=paid.number,
        partner=paid.partner,
        amount_fen=paid.amount_fen,
        returned_fen=paid.returned_fen,
        hold=paid.hold,
        note=paid.note,
        at=paid.at,
        parts=tuple(
            PaymentPart(programme=part.programme, amount_fen=part.amount_fen, returned_fen=part.returned_fen)
            for part in paid.parts
        ),
    )


def _subsidies(conn: Connection, city: City, account: OnlineAccount) -> tuple[SubsidyView, ...]:
    programmes = programmes_by_id(conn)
    pots = [pot for pot in pots_of(conn, city.wallet, account.number) if pot.available_fen]
    return tuple(
        SubsidyView(
            programme=pot.programme,
            title=programmes[pot.programme].title,
            title_zh=programmes[pot.programme].title_zh,
            partners=programmes[pot.programme].partners,
            partner_kinds=programmes[pot.programme].partner_kinds,
            ends_on=pot.ends_on,
            available_fen=pot.available_fen,
        )
        for pot in sorted(pots, key=lambda one: (one.ends_on, one.programme))
    )


def _points(conn: Connection, city: City, account: OnlineAccount) -> tuple[PointsView, ...]:
    today = city.wallet.today()
    by_scheme: dict[str, list[Lot]] = {}
    for lot in lots_of(conn, account.number):
        if lot.expires_on >= today:
            by_scheme.setdefault(lot.scheme, []).append(lot)
    schemes = schemes_by_partner(conn)
    return tuple(
        _held(schemes[name].title, schemes[name].title_zh, lots) for name, lots in sorted(by_scheme.items())
    )


def _held(title: str, title_zh: str, lots: Sequence[Lot]) -> PointsView:
    soonest = min(lot.expires_on for lot in lots)
    return PointsView(
        scheme=lots[0].scheme,
        title=title,
        title_zh=title_zh,
        points=sum(lot.unused for lot in lots),
        next_points=sum(lot.unused for lot in lots if lot.expires_on == soonest),
        next_expiry=soonest,
    )


def _limits(conn: Connection, city: City, account: OnlineAccount) -> tuple[LimitsView, ...]:
    own = own_limits(conn, account.number)
    return tuple(
        LimitsView(
            act=str(act),
            city=city.wallet.limits.of(act),
            own=own.get(act, LimitRule()),
            together=rule_of(conn, city.wallet, account.number, act),
        )
        for act in ActKind
    )
