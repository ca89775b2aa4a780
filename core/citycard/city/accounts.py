"""Accounts, subsidies and points where they need the registry: whose card it is, and who takes part."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import attrs
from sqlalchemy import select

from citycard import registry
from citycard.clearing.spent import lowest_shadows
from citycard.errors import AccountNotOpen, CitycardError, Phrase, WalletInvalid
from citycard.ids import derived_id
from citycard.registry.records import CardStatus, PartnerStatus
from citycard.registry.tables import card
from citycard.store import reading, writing
from citycard.store.bulk import select_in
from citycard.wallet.accounts import Accounts
from citycard.wallet.context import Payee
from citycard.wallet.grantfile import BadLine, GrantLine, read_grants
from citycard.wallet.grants import BulkGrant, grant_lines, lapse_expired
from citycard.wallet.lots import ExchangeRate, Scheme
from citycard.wallet.online import OnlineAccount, accounts_of
from citycard.wallet.points import lapse_lots
from citycard.wallet.programmes import Programme, add_programme
from citycard.wallet.schemes import accept_points, add_scheme, set_exchange_rate

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = [
    "Lapsed",
    "Shadow",
    "add_acceptance",
    "add_rate",
    "grant_file",
    "lapse",
    "make_programme",
    "make_scheme",
    "open_account",
    "payee",
    "shadows",
]


@attrs.frozen(kw_only=True)
class Shadow:
    """What the city's books say is on a card: never refused, so that it can be below zero.

    A card below zero spent more than was loaded: taps came twice, a load is missing, or it was copied.
    """

    asn: str
    balance_fen: int
    status: str
    product: str


@attrs.frozen(kw_only=True)
class Lapsed:
    """What went back because its time was over: fen of subsidies, and points."""

    subsidies_fen: int
    points: int


def open_account(city: City, identity: UUID, asn: str, *, actor: str = "") -> OnlineAccount:
    """Open the online account of a card that is in use; raise RegistryMissing or AccountNotOpen."""
    with reading(city.engine) as conn:
        status = registry.find_card(conn, asn).status
    if status is not CardStatus.ISSUED:
        raise AccountNotOpen(
            number=asn, reason=Phrase("cannot be opened: the card is {status}, not in use", status=status)
        )
    return Accounts(city.wallet).open(identity, asn, actor=actor)


def payee(city: City, partner: str) -> Payee:
    """Give a partner as one that can be paid; raise RegistryMissing, or WalletInvalid unless it is active."""
    with reading(city.engine) as conn:
        found = registry.find_partner(conn, partner)
    if found.status is not PartnerStatus.ACTIVE:
        expected = Phrase("a partner that is active, not {status}", status=found.status)
        raise WalletInvalid(record="payment", field="partner", value=partner, expected=expected)
    return Payee(partner=found.id, kind=found.kind)


def make_programme(city: City, wanted: Programme) -> bool:
    """Make a subsidy programme whose partners are registered; say whether it is new."""
    with writing(city.engine) as conn:
        for partner in wanted.partners:
            registry.find_partner(conn, partner)
        return add_programme(conn, city.ledger, wanted)


def make_scheme(city: City, wanted: Scheme) -> bool:
    """Make the points scheme of a partner that is registered; say whether it is new."""
    with writing(city.engine) as conn:
        registry.find_partner(conn, wanted.partner)
        return add_scheme(conn, city.ledger, wanted)


def add_acceptance(city: City, scheme: str, partner: str, fen_per_point: int) -> None:
    """Let a partner that is registered take the points of a scheme."""
    with writing(city.engine) as conn:
        registry.find_partner(conn, partner)
        accept_points(conn, scheme, partner, fen_per_point)


def add_rate(city: City, rate: ExchangeRate) -> None:
    """Set the rate at which points of one scheme become points of another."""
    with writing(city.engine) as conn:
        set_exchange_rate(conn, rate)


def grant_file(
    city: City,
    programme: str,
    batch: str,
    text: str,
    *,
    file: str,
    open_missing: bool = False,
    actor: str = "",
) -> BulkGrant:
    """Grant what a CSV file says (``wallet.grantfile``); bad lines are told, the others are granted.

    With ``open_missing``, cards in use that have no account get one. Again without harm: an account is
    granted something once under a batch's name.
    """
    lines, bad = read_grants(text, file=file)
    if open_missing:
        _open_missing(city, lines, bad, actor)
    return grant_lines(city.wallet, programme, batch, lines, bad)


def lapse(city: City) -> Lapsed:
    """Take back the subsidies and points whose time is over; again without harm."""
    return Lapsed(subsidies_fen=lapse_expired(city.wallet), points=lapse_lots(city.wallet))


def shadows(city: City, *, negative: bool = False, limit: int = 1000) -> list[Shadow]:
    """List the shadows of cards, the lowest first; only those below zero, when that is asked.

    Those are a work list: each stands for money that somebody has to look after.
    """
    with reading(city.engine) as conn:
        found = lowest_shadows(city.folder, conn, below_fen=0 if negative else None, limit=limit)
        columns = select(card.c.asn, card.c.status, card.c.product)
        cards = {row.asn: row for row in select_in(conn, columns, card.c.asn, [asn for asn, _ in found])}
    return [
        Shadow(
            asn=asn,
            balance_fen=balance_fen,
            status=cards[asn].status if asn in cards else "unknown",
            product=cards[asn].product if asn in cards else "",
        )
        for asn, balance_fen in found
    ]


def _open_missing(city: City, lines: list[GrantLine], bad: list[BadLine], actor: str) -> None:
    with reading(city.engine) as conn:
        known = accounts_of(conn, [line.number for line in lines])
    for line in list(lines):
        if line.number in known:
            continue
        try:
            open_account(city, derived_id("account for grant", line.number), line.number, actor=actor)
        except CitycardError as refused:
            lines.remove(line)
            bad.append(BadLine(line=line.line, reason=str(refused)))
