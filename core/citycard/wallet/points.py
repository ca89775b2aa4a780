"""Earn, use, exchange and lapse points, and settle them between the partners as it happens.

Points stand in the ledger in a currency of their own. The partner that issues them pays its rate for each
into the fund of its scheme, out of what the city owes it: where that is too little, the partner owes the
city, and its next settlement is less. Whoever takes points is paid out of the fund.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select, update

from citycard.errors import Phrase, PointsRefused
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, Guard, TransferCode
from citycard.ledger.records import AccountSpec, Transfer
from citycard.store.bulk import chunks
from citycard.store.engine import reading, writing
from citycard.wallet.acts import Act, once
from citycard.wallet.addresses import account_points, points_fund, points_issued
from citycard.wallet.context import WalletContext
from citycard.wallet.lots import Lot, Taken, take, worth_fen
from citycard.wallet.online import hold_account, hold_accounts
from citycard.wallet.payments import check_amount, open_payable
from citycard.wallet.schemes import POINTS, exchange_rate, fen_per_point, find_scheme
from citycard.wallet.tables import points_act, points_lot

__all__ = ["Points", "PointsDone", "lapse_lots", "lots_of", "take_back"]

_AT_ONCE = 200


@attrs.frozen(kw_only=True)
class PointsDone:
    """What an act came to: points added or taken (below zero), and the fen that were paid for them."""

    id: UUID
    points: int
    amount_fen: int


class Points:
    """Points on online accounts. Every call has the id that its client made, and happens once."""

    def __init__(self, context: WalletContext) -> None:
        self._context = context

    def earn(
        self, identity: UUID, number: str, scheme: str, amount_fen: int, *, actor: str = ""
    ) -> PointsDone:
        """Give the points for what a customer paid at the partner of a scheme; that partner pays for them.

        Raise SchemeUnknown, AccountNotOpen, or PointsRefused when the amount earns no point.
        """
        check_amount(amount_fen, Phrase("earning {id}", id=identity))
        content = {"scheme": scheme, "amount_fen": amount_fen}
        act = Act(id=identity, kind="earn", number=number, actor=actor, content=content)
        once(self._context, act, lambda conn: self._earn(conn, identity, number, scheme, amount_fen))
        return self.done(identity)

    def use(
        self, identity: UUID, number: str, scheme: str, partner: str, points: int, *, actor: str = ""
    ) -> PointsDone:
        """Use points at a partner that takes them; ``amount_fen`` is what they are worth there.

        The partner gets it out of the fund, and what is more there goes back to the issuer. Raise
        SchemeUnknown, AccountNotOpen, or PointsRefused.
        """
        check_amount(points, Phrase("use {id}", id=identity))
        content = {"scheme": scheme, "partner": partner, "points": points}
        act = Act(id=identity, kind="use", number=number, actor=actor, content=content)
        once(self._context, act, lambda conn: self._use(conn, identity, number, scheme, partner, points))
        return self.done(identity)

    def exchange(
        self, identity: UUID, number: str, source: str, target: str, points: int, *, actor: str = ""
    ) -> PointsDone:
        """Turn points of one scheme into those of another at their rate; ``points`` are those given.

        The issuer of the points that are given pays, or keeps, the difference to what the new ones are worth.
        New points last no longer than the last of those they came from. Raise SchemeUnknown or PointsRefused.
        """
        check_amount(points, Phrase("exchange {id}", id=identity))
        content = {"source": source, "target": target, "points": points}
        act = Act(id=identity, kind="exchange", number=number, actor=actor, content=content)
        once(self._context, act, lambda conn: self._exchange(conn, identity, number, source, target, points))
        return self.done(identity)

    def done(self, identity: UUID) -> PointsDone:
        """Give what an act came to: of an exchange, the points that were got."""
        with reading(self._context.engine) as conn:
            rows = conn.execute(select(points_act).where(points_act.c.id == identity)).all()
        kind = rows[0].kind
        chosen = [row for row in rows if kind != "exchange" or row.points > 0]
        return PointsDone(
            id=identity,
            points=sum(row.points for row in chosen),
            amount_fen=sum(row.amount_fen for row in chosen),
        )

    def _earn(self, conn: Connection, identity: UUID, number: str, scheme: str, amount_fen: int) -> None:
        context, found = self._context, find_scheme(conn, scheme)
        hold_account(conn, number).must_take()
        points = found.earned(amount_fen)
        if not points:
            raise PointsRefused(
                scheme=scheme, reason=Phrase("{amount_fen} fen earn no point", amount_fen=amount_fen)
            )
        lot = Lot(
            id=identity,
            number=number,
            scheme=scheme,
            points=points,
            unused=points,
            rate_fen=found.rate_fen,
            expires_on=found.expires_on(context.today()),
            earned_at=context.now_local(),
        )
        payable = open_payable(conn, context, scheme)
        book = _Book(conn, context, identity)
        book.pay("paid in", payable, points_fund(scheme), lot.worth_fen, TransferCode.POINTS_PAID_IN)
        book.add(lot, "earn", scheme, lot.worth_fen, TransferCode.POINTS_EARNED)
        book.post()

    def _use(
        self, conn: Connection, identity: UUID, number: str, scheme: str, partner: str, points: int
    ) -> None:
        context = self._context
        find_scheme(conn, scheme)
        hold_account(conn, number).must_be_open()
        promised_fen = fen_per_point(conn, scheme, partner)
        if promised_fen is None:
            raise PointsRefused(
                scheme=scheme, reason=Phrase("partner {partner} does not take them", partner=partner)
            )
        taken = _take(conn, context, number, scheme, points)
        book = _Book(conn, context, identity)
        for one in taken:
            book.take(one, "use", partner, worth_fen([one], promised_fen), TransferCode.POINTS_USED)
        paid_fen = worth_fen(taken, promised_fen)
        left_fen = sum(one.worth_fen for one in taken) - paid_fen
        fund = points_fund(scheme)
        book.pay("paid", fund, open_payable(conn, context, partner), paid_fen, TransferCode.POINTS_PAID)
        issuer = open_payable(conn, context, scheme)
        book.pay("left over", fund, issuer, left_fen, TransferCode.POINTS_LEFT_OVER)
        book.post()

    def _exchange(
        self, conn: Connection, identity: UUID, number: str, source: str, target: str, points: int
    ) -> None:
        context = self._context
        rate, wanted = exchange_rate(conn, source, target), find_scheme(conn, target)
        hold_account(conn, number).must_be_open()
        if points % rate.give:
            reason = Phrase(
                "they are exchanged by {give} for {get} of {target}, not {points} at once",
                give=rate.give,
                get=rate.get,
                target=target,
                points=points,
            )
            raise PointsRefused(scheme=source, reason=reason)
        taken = _take(conn, context, number, source, points)
        got = points // rate.give * rate.get
        last_day = max(one.lot.expires_on for one in taken)
        lot = Lot(
            id=derived_id("points exchange", identity),
            number=number,
            scheme=target,
            points=got,
            unused=got,
            rate_fen=wanted.rate_fen,
            expires_on=min(wanted.expires_on(context.today()), last_day),
            earned_at=context.now_local(),
        )
        book = _Book(conn, context, identity)
        for one in taken:
            book.take(one, "exchange", target, one.worth_fen, TransferCode.POINTS_EXCHANGED)
        book.add(lot, "exchange", source, lot.worth_fen, TransferCode.POINTS_EXCHANGED)
        given_fen = sum(one.worth_fen for one in taken)
        code, issuer = TransferCode.POINTS_EXCHANGED, open_payable(conn, context, source)
        here, there = points_fund(source), points_fund(target)
        book.pay("over", here, there, min(given_fen, lot.worth_fen), code)
        book.pay("kept", here, issuer, given_fen - lot.worth_fen, TransferCode.POINTS_LEFT_OVER)
        book.pay("added", issuer, there, lot.worth_fen - given_fen, TransferCode.POINTS_PAID_IN)
        book.post()


class _Book:
    """What one act does to lots and ledger, posted as one group."""

    def __init__(self, conn: Connection, context: WalletContext, identity: UUID) -> None:
        self._conn = conn
        self._context = context
        self._id = identity
        self._transfers: list[Transfer] = []
        self._rows: list[dict[str, object]] = []

    def pay(self, why: str, debit: str, credit: str, amount_fen: int, code: int) -> None:
        if amount_fen > 0:
            self._move(why, debit, credit, amount_fen, code)

    def add(self, lot: Lot, kind: str, partner: str, amount_fen: int, code: int) -> None:
        """Put a new lot onto its account."""
        self._conn.execute(insert(points_lot), attrs.asdict(lot))
        self._note(lot, kind, partner, lot.points, amount_fen)
        address = account_points(lot.number, lot.scheme)
        self._context.ledger.open_accounts(
            self._conn,
            [
                AccountSpec(
                    address=address,
                    code=AccountCode.POINTS_HELD,
                    guard=Guard.DEBITS_WITHIN_CREDITS,
                    owner=lot.number,
                    currency=POINTS,
                )
            ],
        )
        self._move(f"lot {lot.id}", points_issued(lot.scheme), address, lot.points, code)

    def take(self, taken: Taken, kind: str, partner: str, amount_fen: int, code: int) -> None:
        """Take points out of a lot."""
        lot = taken.lot
        left = update(points_lot).where(points_lot.c.id == lot.id).values(unused=lot.unused - taken.points)
        self._conn.execute(left)
        self._note(lot, kind, partner, -taken.points, amount_fen)
        address = account_points(lot.number, lot.scheme)
        self._move(f"lot {lot.id}", address, points_issued(lot.scheme), taken.points, code)

    def post(self) -> None:
        self._context.ledger.post_all(self._conn, self._transfers)
        self._conn.execute(insert(points_act), self._rows)

    def _note(self, lot: Lot, kind: str, partner: str, points: int, amount_fen: int) -> None:
        row = {"id": self._id, "lot": lot.id, "kind": kind, "partner": partner, "points": points}
        self._rows.append(row | {"amount_fen": amount_fen, "at": self._context.now_local()})

    def _move(self, why: str, debit: str, credit: str, amount: int, code: int) -> None:
        self._transfers.append(
            self._context.transfer(
                derived_id("points", self._id, why),
                debit,
                credit,
                amount,
                code,
                ref=f"points/{self._id}",
                group=derived_id("points", self._id),
            )
        )


def lots_of(conn: Connection, number: str, scheme: str | None = None) -> list[Lot]:
    """Give the lots of an account that have points left, the earliest to lapse first."""
    query = select(points_lot).where(points_lot.c.number == number, points_lot.c.unused > 0)
    if scheme is not None:
        query = query.where(points_lot.c.scheme == scheme)
    rows = conn.execute(query.order_by(points_lot.c.expires_on, points_lot.c.earned_at, points_lot.c.id))
    return [Lot(**row._mapping) for row in rows]  # noqa: SLF001 - the documented way to read a row


def lapse_lots(context: WalletContext) -> int:
    """Take back the points whose last day is over, and return how many; again without harm.

    What was paid in for them goes back to the partner that issued them, lot by lot.
    """
    over = points_lot.c.unused > 0, points_lot.c.expires_on < context.today()
    with reading(context.engine) as conn:
        due = conn.execute(select(points_lot.c.id, points_lot.c.number).where(*over)).all()
    lapsed = 0
    for piece in chunks(sorted(due, key=lambda row: (row.number, str(row.id))), _AT_ONCE):
        with writing(context.engine) as conn:
            hold_accounts(conn, [row.number for row in piece])
            query = select(points_lot).where(points_lot.c.id.in_([row.id for row in piece]), *over)
            lots = [Lot(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001 - a Row's own way
            lapsed += take_back(conn, context, lots)
    return lapsed


def take_back(conn: Connection, context: WalletContext, lots: Sequence[Lot]) -> int:
    """Take back what is unused of these lots, and give the issuers what they had paid in for it."""
    for lot in lots:
        issuer = open_payable(conn, context, lot.scheme)
        book = _Book(conn, context, _lapse_id(conn, lot))
        taken = Taken(lot=lot, points=lot.unused)
        book.take(taken, "lapse", lot.scheme, taken.worth_fen, TransferCode.POINTS_LAPSED)
        fund = points_fund(lot.scheme)
        book.pay("breakage", fund, issuer, taken.worth_fen, TransferCode.POINTS_BREAKAGE)
        book.post()
    return sum(lot.unused for lot in lots)


def _lapse_id(conn: Connection, lot: Lot) -> UUID:
    """Give the id of a lapse: points that are given back into a lot that was over lapse after the others."""
    times, identity = 0, derived_id("points lapse", lot.id)
    while conn.execute(select(points_act.c.id).where(points_act.c.id == identity).limit(1)).first():
        times += 1
        identity = derived_id("points lapse", lot.id, times)
    return identity


def _take(
    conn: Connection, context: WalletContext, number: str, scheme: str, points: int
) -> tuple[Taken, ...]:
    lots = lots_of(conn, number, scheme)
    taken = take(lots, points, on=context.today())
    if taken is None:
        have = sum(lot.unused for lot in lots if lot.expires_on >= context.today())
        raise PointsRefused(
            scheme=scheme,
            reason=Phrase(
                "account {number} has {have}, {points} are wanted", number=number, have=have, points=points
            ),
        )
    return taken
