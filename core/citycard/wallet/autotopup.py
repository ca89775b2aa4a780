"""Automatic top-up: a card that is seen online with little in its purse is loaded, as its rule says."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, delete, insert, select, update

from citycard.errors import Phrase, TopUpRuleInvalid
from citycard.ledger.records import Limit
from citycard.wallet.acts import Act, noted_before
from citycard.wallet.load import Load, LoadState
from citycard.wallet.tables import auto_top_up

__all__ = [
    "AutoTopUp",
    "auto_limit",
    "change_rule",
    "find_rule",
    "remove_rule",
    "same_sight",
    "set_rule",
]

_SOURCE = re.compile(r"account/[0-9]{20}|agreement/[A-Za-z0-9_-]{1,64}")
_LARGEST_FEN = 1_000_000


def _amount(_: AutoTopUp, attribute: attrs.Attribute[Any], value: object) -> None:
    if type(value) is not int or not 0 < value <= _LARGEST_FEN:
        expected = Phrase("1 to {most_fen} fen", most_fen=_LARGEST_FEN)
        raise TopUpRuleInvalid(field=attribute.name, value=value, expected=expected)


def _source(_: AutoTopUp, attribute: attrs.Attribute[Any], value: str) -> None:
    if not _SOURCE.fullmatch(value):
        expected = "account/ and a number of 20 digits, or agreement/ and the provider's agreement"
        raise TopUpRuleInvalid(field=attribute.name, value=value, expected=expected)


@attrs.frozen(kw_only=True)
class AutoTopUp:
    """A card's rule: below ``threshold_fen``, load ``amount_fen``, at most ``daily_limit_fen`` a day.

    ``source`` is ``account/<number>`` for an online account, or ``agreement/<id>`` for a payment provider
    that pays without asking; ``set_at`` is aware UTC.
    """

    asn: str
    threshold_fen: int = attrs.field(validator=_amount)
    amount_fen: int = attrs.field(validator=_amount)
    daily_limit_fen: int = attrs.field(validator=_amount)
    source: str = attrs.field(validator=_source)
    actor: str = ""
    set_at: datetime

    def __attrs_post_init__(self) -> None:
        if self.daily_limit_fen < self.amount_fen:
            expected = Phrase("{amount_fen} fen, the amount of one load, or more", amount_fen=self.amount_fen)
            raise TopUpRuleInvalid(field="daily_limit_fen", value=self.daily_limit_fen, expected=expected)

    @property
    def agreement(self) -> str:
        """Give the provider's agreement, or nothing when an account pays."""
        kind, _, name = self.source.partition("/")
        return name if kind == "agreement" else ""


def set_rule(conn: Connection, rule: AutoTopUp) -> None:
    """Give a card a rule in place of the one it had."""
    values = attrs.asdict(rule)
    if conn.execute(update(auto_top_up).where(auto_top_up.c.asn == rule.asn).values(values)).rowcount == 0:
        conn.execute(insert(auto_top_up), values)


def remove_rule(conn: Connection, asn: str) -> bool:
    """Take a card's rule away; say whether it had one."""
    return conn.execute(delete(auto_top_up).where(auto_top_up.c.asn == asn)).rowcount == 1


def change_rule(
    conn: Connection, identity: UUID, asn: str, rule: AutoTopUp | None, *, actor: str, at: datetime
) -> AutoTopUp | None:
    """Give a card a rule, or take it away with None, once under an id; give the rule that it has then.

    Asked again it changes nothing, whatever was set meanwhile; ``at`` is aware UTC. Raise ActDiffers when the
    id stands for something else.
    """
    fields = ("threshold_fen", "amount_fen", "daily_limit_fen", "source")
    content = {name: getattr(rule, name) for name in fields} if rule is not None else {}
    act = Act(id=identity, kind="auto-top-up", number=asn, actor=actor[:100], content=content)
    if not noted_before(conn, act, at):
        if rule is None:
            remove_rule(conn, asn)
        else:
            set_rule(conn, rule)
    return find_rule(conn, asn)


def find_rule(conn: Connection, asn: str) -> AutoTopUp | None:
    """Give the rule of a card, or None."""
    row = conn.execute(select(auto_top_up).where(auto_top_up.c.asn == asn)).one_or_none()
    return None if row is None else AutoTopUp(**row._mapping)  # noqa: SLF001 - how a row is read by name


def auto_limit(rule: AutoTopUp, day: date) -> Limit:
    """Give the condition under which money is reserved for a card on a day, whoever pays."""
    return Limit(key=f"card/{rule.asn}/auto-top-up/{day}", max_fen=rule.daily_limit_fen)


def same_sight(loads: Sequence[Load], balance_fen: int, automatic: Container[str]) -> bool:
    """Say whether a card shows nothing since its last load, which its rule made: this is still that sight.

    ``loads`` are the card's own, in the order of its counter; ``automatic`` are the payers of a rule's loads.
    """
    done = [one for one in loads if one.state is LoadState.PROVEN]
    if not done or done[-1].agent not in automatic:
        return False
    return balance_fen == done[-1].balance_before_fen + done[-1].amount_fen
