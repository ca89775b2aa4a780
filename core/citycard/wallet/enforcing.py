"""Post what an account pays or holds under its limits, and say which limit was in the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs
from sqlalchemy import Connection, select

from citycard.errors import LimitExceeded
from citycard.ledger.records import Limit, Transfer
from citycard.ledger.tables import limit_use
from citycard.store.bulk import select_in
from citycard.wallet import limits as rules
from citycard.wallet.addresses import online_account
from citycard.wallet.context import WalletContext
from citycard.wallet.limits import ActKind, LimitRule
from citycard.wallet.online import OnlineAccount, own_limits

__all__ = ["post_limited", "refuse_over", "rule_of"]


def rule_of(conn: Connection, context: WalletContext, number: str, act: ActKind) -> LimitRule:
    """Give the limits that hold for one kind of act of an account: the city's, tightened by its owner's."""
    rule, own = context.limits.of(act), own_limits(conn, number).get(act)
    return rule if own is None else rule.tightened(own)


def post_limited(
    conn: Connection,
    context: WalletContext,
    account: OnlineAccount,
    act: ActKind,
    own_fen: int,
    transfers: Sequence[Transfer],
) -> None:
    """Post transfers under the limits of an account; raise LimitExceeded, which names the limit and its end.

    ``own_fen`` is what limits count; the transfer that moves it carries them.
    """
    number, at = account.number, context.now_local()
    rule = rule_of(conn, context, number, act)
    counted = rules.conditions(number, act, rule, at) if own_fen else ()
    if own_fen:
        _refuse_single(number, act, rule, at, own_fen)
    address = online_account(number)
    wanted = [attrs.evolve(one, limits=counted) if one.debit_address == address else one for one in transfers]
    outcomes = context.ledger.post(conn, wanted)
    if all(outcome.posted for outcome in outcomes):
        return
    found = rules.broken(number, act, rule, at, amount_fen=own_fen, used=_uses(conn, counted))
    if found is not None:
        raise _exceeded(number, found)
    context.ledger.post_all(conn, wanted)  # what nobody foresaw is told as the ledger says it


def refuse_over(
    conn: Connection,
    context: WalletContext,
    number: str,
    act: ActKind,
    amount_fen: int,
    before: Iterable[tuple[datetime, int]],
) -> None:
    """Raise LimitExceeded when an act that is only asked for yet is more than an account's limits allow.

    ``before`` gives the local moment and the fen of every act that counts, from the beginning of the month
    and the week; hold the account, so that no other is asked for meanwhile.
    """
    at = context.now_local()
    rule = rule_of(conn, context, number, act)
    fen: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for moment, counted_fen in before:
        for limit in rules.conditions(number, act, rule, moment):
            fen[limit.key] += counted_fen
            times[limit.key] += 1
    used = {key: (fen[key], times[key]) for key in times}
    found = rules.broken(number, act, rule, at, amount_fen=amount_fen, used=used)
    if found is not None:
        raise _exceeded(number, found)


def _refuse_single(number: str, act: ActKind, rule: LimitRule, at: datetime, own_fen: int) -> None:
    single = LimitRule(single_fen=rule.single_fen)
    found = rules.broken(number, act, single, at, amount_fen=own_fen, used={})
    if found is not None:
        raise _exceeded(number, found)


def _exceeded(number: str, found: rules.Broken) -> LimitExceeded:
    return LimitExceeded(
        number=number,
        limit=found.limit,
        limit_value=found.limit_value,
        used=found.used,
        wanted=found.wanted,
        resets_at=found.resets_at.isoformat(" ", "minutes") if found.resets_at else "",
    )


def _uses(conn: Connection, counted: Sequence[Limit]) -> dict[str, tuple[int, int]]:
    keys = [limit.key for limit in counted]
    rows = select_in(conn, select(limit_use), limit_use.c.key, keys)
    return {row.key: (row.used_fen, row.used_count) for row in rows}
