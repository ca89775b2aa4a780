"""Recompute what must be true of the ledger from what was written, and say what does not hold."""

from __future__ import annotations

import attrs
from sqlalchemy import Connection, Select, Subquery, and_, case, func, or_, select, union_all
from sqlalchemy.sql.expression import literal

from citycard.ledger.records import Kind, Result
from citycard.ledger.tables import account, balance, hold, ledger, request, transfer

__all__ = ["Violation", "audit"]


@attrs.frozen(kw_only=True)
class Violation:
    """An invariant that does not hold: its number in docs/ledger.md, and what was found."""

    invariant: str
    found: str


def audit(conn: Connection) -> list[Violation]:
    """Return every violation found; an empty list is a ledger in order."""
    _plan(conn, "off")
    checks = (_two_sides, _folds, _histories, _answers, _holds, _guards, _reversals, _order)
    violations = [found for check in checks for found in check(conn)]
    _plan(conn, "DEFAULT")
    return violations


def _plan(conn: Connection, word: str) -> None:
    """Let PostgreSQL read tables whole, also right after a large posting, when the planner's figures are old.

    It counts a loop that it cannot do without as so dear that it would compile every query first.
    """
    if conn.dialect.name == "postgresql":
        for setting in ("enable_nestloop", "jit"):
            conn.exec_driver_sql(f"SET LOCAL {setting} TO {word}")


def _two_sides(conn: Connection) -> list[Violation]:
    columns = ("dr_posted_fen", "cr_posted_fen", "dr_pending_fen", "cr_pending_fen")
    sums = [func.sum(balance.c[name]) for name in columns]
    query = select(balance.c.currency, *sums).group_by(balance.c.currency).order_by(balance.c.currency)
    violations = []
    for currency, *found in conn.execute(query):
        debits, credits_, debits_pending, credits_pending = (int(value) for value in found)
        if debits != credits_:
            words = f"posted debits {debits}, credits {credits_} fen of {currency}"
            violations.append(Violation(invariant="I1", found=words))
        if debits_pending != credits_pending:
            words = f"pending debits {debits_pending}, credits {credits_pending} fen of {currency}"
            violations.append(Violation(invariant="I1", found=words))
    return violations


def _legs() -> Subquery:
    """Give both sides of every transfer: account, number, the one before, and what moved on which side."""
    moved = case((transfer.c.kind.in_([Kind.SINGLE, Kind.POST]), transfer.c.amount_fen), else_=0)
    zero = literal(0)
    number = transfer.c.posted_seq
    return union_all(
        select(
            transfer.c.dr_account.label("key"),
            number.label("number"),
            transfer.c.dr_before.label("before"),
            moved.label("debit"),
            zero.label("credit"),
        ),
        select(transfer.c.cr_account, number, transfer.c.cr_before, zero, moved),
    ).subquery()


def _folds(conn: Connection) -> list[Violation]:
    legs = _legs()
    folded = (
        select(
            legs.c.key,
            func.sum(legs.c.debit).label("debits_fen"),
            func.sum(legs.c.credit).label("credits_fen"),
            func.max(legs.c.number).label("last_seq"),
            func.count().label("transfers"),
        )
        .group_by(legs.c.key)
        .subquery()
    )
    query = (
        select(account.c.address)
        .outerjoin(balance, balance.c.account_id == account.c.id)
        .outerjoin(folded, folded.c.key == account.c.id)
        .where(
            or_(
                balance.c.account_id.is_(None),
                balance.c.dr_posted_fen != func.coalesce(folded.c.debits_fen, 0),
                balance.c.cr_posted_fen != func.coalesce(folded.c.credits_fen, 0),
                balance.c.last_seq != func.coalesce(folded.c.last_seq, 0),
                balance.c.transfers != func.coalesce(folded.c.transfers, 0),
            )
        )
        .order_by(account.c.address)
    )
    nobody = (
        select(folded.c.key)
        .outerjoin(account, account.c.id == folded.c.key)
        .where(account.c.id.is_(None))
        .order_by(folded.c.key)
    )
    return [
        *_named(conn, "I2", query, "the balance of {} is not the sum of its transfers"),
        *_named(conn, "I2", nobody, "transfers name an account {} that nobody opened"),
    ]


def _histories(conn: Connection) -> list[Violation]:
    """Each transfer names the one before it of both its accounts."""
    legs = _legs()
    previous = func.lag(legs.c.number, 1, 0).over(partition_by=legs.c.key, order_by=legs.c.number)
    ordered = select(legs.c.number, legs.c.before, previous.label("previous")).subquery()
    query = select(ordered.c.number).where(ordered.c.before != ordered.c.previous).order_by(ordered.c.number)
    return _named(conn, "I2", query, "transfer number {} does not name the one before it")


def _answers(conn: Connection) -> list[Violation]:
    # By the ids, which are the key of answers: nothing leads from a number to its answer.
    unanswered = (
        select(transfer.c.id)
        .outerjoin(request, request.c.id == transfer.c.id)
        .where(or_(request.c.posted_seq.is_(None), request.c.posted_seq != transfer.c.posted_seq))
    )
    unposted = (
        select(request.c.id)
        .outerjoin(transfer, transfer.c.posted_seq == request.c.posted_seq)
        .where(
            or_(request.c.result == Result.POSTED, request.c.posted_seq.is_not(None)),
            or_(transfer.c.id.is_(None), transfer.c.id != request.c.id),
        )
    )
    return [
        *_named(conn, "I3", unanswered, "transfer {} is in the ledger and was not answered so"),
        *_named(conn, "I3", unposted, "transfer {} was answered as posted and is not in the ledger"),
    ]


def _holds(conn: Connection) -> list[Violation]:
    """A hold ends once, as its state says; what is open is what balances hold."""
    ends = transfer.alias("ends")
    ended = ends.c.kind.in_([Kind.POST, Kind.VOID, Kind.EXPIRE])
    counted = (
        select(
            ends.c.pending_id,
            func.count().label("ends"),
            func.max(ends.c.kind).label("kind"),
            func.max(ends.c.amount_fen).label("amount_fen"),
        )
        .where(ended)
        .group_by(ends.c.pending_id)
        .subquery()
    )
    said = case(
        {"posted": str(Kind.POST), "voided": str(Kind.VOID), "expired": str(Kind.EXPIRE)},
        value=hold.c.state,
        else_="",
    )
    wrong = (
        select(func.coalesce(transfer.c.id, hold.c.id))
        .select_from(hold)
        .outerjoin(counted, counted.c.pending_id == hold.c.id)
        .outerjoin(transfer, transfer.c.posted_seq == hold.c.posted_seq)
        .where(
            or_(
                func.coalesce(counted.c.ends, 0) != case((hold.c.state == "pending", 0), else_=1),
                func.coalesce(counted.c.kind, "") != said,
                func.coalesce(counted.c.amount_fen, 0) > hold.c.amount_fen,
                transfer.c.id.is_(None),
                transfer.c.id != hold.c.id,
                transfer.c.amount_fen != hold.c.amount_fen,
            )
        )
    )
    begun = (
        select(transfer.c.id)
        .outerjoin(hold, hold.c.id == transfer.c.id)
        .where(transfer.c.kind == Kind.PENDING, hold.c.id.is_(None))
    )
    return [
        *_named(conn, "I4", wrong, "hold {} does not say what became of it"),
        *_named(conn, "I4", begun, "transfer {} began a hold that is not there"),
        *_named(conn, "I4", _forgotten(), "hold {} would not end in its time"),
        *_held(conn, "dr_account", "dr_pending_fen"),
        *_held(conn, "cr_account", "cr_pending_fen"),
    ]


def _forgotten() -> Select[tuple[object]]:
    """Give the open holds that end before the ledger would look for them."""
    found = select(hold.c.id).outerjoin(ledger, ledger.c.id == 1).where(hold.c.state == "pending")
    unseen = or_(ledger.c.next_expiry.is_(None), ledger.c.next_expiry > hold.c.expires_at)
    return found.where(hold.c.expires_at.is_not(None), unseen)


def _held(conn: Connection, side: str, column: str) -> list[Violation]:
    summed = (
        select(hold.c[side].label("key"), func.sum(hold.c.amount_fen).label("fen"))
        .where(hold.c.state == "pending")
        .group_by(hold.c[side])
        .subquery()
    )
    query = (
        select(account.c.address)
        .join(balance, balance.c.account_id == account.c.id)
        .outerjoin(summed, summed.c.key == account.c.id)
        .where(balance.c[column] != func.coalesce(summed.c.fen, 0))
        .order_by(account.c.address)
    )
    return _named(conn, "I4", query, "what {} holds is not the sum of its open holds")


def _reversals(conn: Connection) -> list[Violation]:
    taken = (
        select(transfer.c.reverses, func.sum(transfer.c.amount_fen).label("fen"))
        .where(transfer.c.reverses.is_not(None))
        .group_by(transfer.c.reverses)
        .subquery()
    )
    query = (
        select(taken.c.reverses)
        .outerjoin(request, request.c.id == taken.c.reverses)
        .outerjoin(transfer, transfer.c.posted_seq == request.c.posted_seq)
        .where(
            or_(
                transfer.c.id.is_(None),
                transfer.c.kind.not_in([Kind.SINGLE, Kind.POST]),
                taken.c.fen > transfer.c.amount_fen,
            )
        )
    )
    return _named(conn, "I5", query, "more is taken back of transfer {} than was posted")


def _guards(conn: Connection) -> list[Violation]:
    query = (
        select(account.c.address)
        .join(balance, balance.c.account_id == account.c.id)
        .where(
            or_(
                balance.c.guard != account.c.guard,
                balance.c.currency != account.c.currency,
                and_(
                    account.c.guard == "dr<=cr",
                    balance.c.dr_posted_fen + balance.c.dr_pending_fen > balance.c.cr_posted_fen,
                ),
                and_(
                    account.c.guard == "cr<=dr",
                    balance.c.cr_posted_fen + balance.c.cr_pending_fen > balance.c.dr_posted_fen,
                ),
            )
        )
    )
    return _named(conn, "I5", query, "account {} is beyond its guard")


def _order(conn: Connection) -> list[Violation]:
    counted, highest = conn.execute(
        select(func.count(), func.coalesce(func.max(transfer.c.posted_seq), 0))
    ).one()
    last_seq = conn.scalar(select(ledger.c.posted_seq)) or 0
    violations = []
    moments = select(
        transfer.c.posted_seq,
        transfer.c.posted_at,
        func.lag(transfer.c.posted_at).over(order_by=transfer.c.posted_seq).label("previous"),
    ).subquery()
    back = select(moments.c.posted_seq).where(moments.c.posted_at < moments.c.previous)
    violations += _named(conn, "I6", back, "transfer number {} was posted before the one before it")
    if counted == highest == last_seq:
        return violations
    found = f"{counted} transfers, the highest is number {highest}, the ledger counted {last_seq}"
    return [*violations, Violation(invariant="I6", found=found)]


def _named(conn: Connection, invariant: str, query: Select[tuple[object]], sentence: str) -> list[Violation]:
    names = conn.scalars(query.limit(100))
    return [Violation(invariant=invariant, found=sentence.format(name)) for name in names]
