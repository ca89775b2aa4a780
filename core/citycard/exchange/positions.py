"""Who owes whom how much: what answers say, by window and city, netted so that everything sums to zero.

A file of answers is a claim: the acquirer's city is owed what it accepts, without the fee. Its window is the
day on which the issuer answered, which both cities read from the same file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from uuid import UUID

import attrs
from sqlalchemy import Connection, select

from citycard.bank.payments import PaymentState
from citycard.bank.tables import bank_payment
from citycard.exchange.context import ExchangeContext
from citycard.exchange.filebook import BookedFile, booked_files
from citycard.exchange.format import FileKind
from citycard.exchange.tables import exchange_repaid, exchange_settled, exchange_settlement
from citycard.store.engine import reading

__all__ = [
    "CityStatement",
    "Claim",
    "Position",
    "Returned",
    "city_statement",
    "claims_of",
    "multilateral",
    "positions",
    "returned_payments",
]


@attrs.frozen(kw_only=True)
class Claim:
    """What ``debtor`` owes ``creditor`` by one file of answers; ``settled`` says whether that is settled."""

    window: date
    debtor: str
    creditor: str
    number: int
    gross_fen: int
    fee_fen: int
    settled: bool

    @property
    def net_fen(self) -> int:
        """Give what is owed."""
        return self.gross_fen - self.fee_fen


@attrs.frozen(kw_only=True)
class Returned:
    """A payment of ours for windows up to ``through`` that came back and that no settlement has again."""

    payment: UUID
    through: date
    amount_fen: int


@attrs.frozen(kw_only=True)
class Position:
    """What a city is owed (above zero) or owes in one window, all claims that we know taken together."""

    window: date
    city: str
    net_fen: int


@attrs.frozen(kw_only=True)
class Window:
    """One window with one city: of their cards here and of ours there, in fen.

    ``net_fen`` is above zero where they owe us.
    """

    window: date
    here_gross_fen: int
    here_fee_fen: int
    there_gross_fen: int
    there_fee_fen: int
    net_fen: int
    settled: bool


@attrs.frozen(kw_only=True)
class CityStatement:
    """What is between us and one city, window by window, and what of it is not settled.

    In ``open_fen`` is also what the bank returned of our payments and was not settled again.
    """

    city: str
    windows: tuple[Window, ...]
    net_fen: int
    open_fen: int


def claims_of(conn: Connection, own: str, city: str = "") -> list[Claim]:
    """Give every claim between us (``own``, our code) and other cities, or one of them, by window."""
    files = booked_files(conn, city=city, kind=FileKind.ANSWERS.value, accepted=True)
    settled = {(row.way, row.city, row.number) for row in conn.execute(select(exchange_settled))}
    claims = [_claim(file, own, (file.way, file.city, file.number) in settled) for file in files]
    return sorted(claims, key=lambda claim: (claim.window, claim.debtor, claim.creditor, claim.number))


def returned_payments(conn: Connection, city: str) -> list[Returned]:
    """Give our payments to a city that came back and are in no later settlement, by day."""
    query = (
        select(exchange_settlement.c.payment, exchange_settlement.c.through, bank_payment.c.amount_fen)
        .join(bank_payment, bank_payment.c.id == exchange_settlement.c.payment)
        .outerjoin(exchange_repaid, exchange_repaid.c.payment == exchange_settlement.c.payment)
        .where(
            exchange_settlement.c.city == city,
            bank_payment.c.state == PaymentState.RETURNED.value,
            exchange_repaid.c.payment.is_(None),
        )
        .order_by(exchange_settlement.c.through, exchange_settlement.c.payment)
    )
    return [Returned(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001 - a Row's own way


def _claim(file: BookedFile, own: str, settled: bool) -> Claim:
    assert file.day is not None
    assert file.number is not None
    debtor, creditor = (file.city, own) if file.way == "in" else (own, file.city)
    return Claim(
        window=file.day,
        debtor=debtor,
        creditor=creditor,
        number=file.number,
        gross_fen=file.gross_fen,
        fee_fen=file.fee_fen,
        settled=settled,
    )


def multilateral(claims: Iterable[Claim]) -> list[Position]:
    """Net claims by window into one position for each city; the positions of a window sum to zero."""
    sums: dict[tuple[date, str], int] = defaultdict(int)
    for claim in claims:
        sums[claim.window, claim.creditor] += claim.net_fen
        sums[claim.window, claim.debtor] -= claim.net_fen
    found = [Position(window=window, city=city, net_fen=fen) for (window, city), fen in sorted(sums.items())]
    assert sum(position.net_fen for position in found) == 0
    return found


def positions(context: ExchangeContext, window: date | None = None) -> list[Position]:
    """Give the positions of us and of the others in every window, or in one."""
    with reading(context.engine) as conn:
        claims = claims_of(conn, context.code)
    return multilateral(claim for claim in claims if window in (None, claim.window))


def city_statement(context: ExchangeContext, city: str) -> CityStatement:
    """Give what is between us and one city; raise RegistryMissing for a city that was never on the list."""
    from citycard import registry

    with reading(context.engine) as conn:
        registry.find_city(conn, city)
        claims = claims_of(conn, context.code, city)
        back_fen = sum(one.amount_fen for one in returned_payments(conn, city))
    windows = tuple(_window(day, claims, city) for day in sorted({claim.window for claim in claims}))
    return CityStatement(
        city=city,
        windows=windows,
        net_fen=sum(one.net_fen for one in windows),
        open_fen=_net([claim for claim in claims if not claim.settled], city) - back_fen,
    )


def _net(claims: Iterable[Claim], city: str) -> int:
    return sum(claim.net_fen if claim.debtor == city else -claim.net_fen for claim in claims)


def _window(day: date, claims: Iterable[Claim], city: str) -> Window:
    mine = [claim for claim in claims if claim.window == day]
    here = [claim for claim in mine if claim.debtor == city]
    there = [claim for claim in mine if claim.creditor == city]
    return Window(
        window=day,
        here_gross_fen=sum(claim.gross_fen for claim in here),
        here_fee_fen=sum(claim.fee_fen for claim in here),
        there_gross_fen=sum(claim.gross_fen for claim in there),
        there_fee_fen=sum(claim.fee_fen for claim in there),
        net_fen=_net(mine, city),
        settled=all(claim.settled for claim in mine),
    )
