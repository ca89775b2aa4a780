"""The business days of load agents: each is closed once, and says what is to be handed over."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import attrs
from sqlalchemy import Connection, func, insert, select, update

from citycard.errors import DayNotClosable, Phrase
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec
from citycard.wallet.addresses import EXPENSE_COMMISSION, agent_receivable
from citycard.wallet.agents import Agent, agent_transfer, hold_agent, restore_quota
from citycard.wallet.load import LoadState
from citycard.wallet.tables import agent_day, load

__all__ = ["AgentDay", "agent_days", "close_agent_day"]

_BASIS_POINTS = 10_000


@attrs.frozen(kw_only=True)
class AgentDay:
    """A closed business day of an agent: what it loaded, earns, and has to hand over for it.

    ``late`` of the ``loads`` were begun on earlier days and proven since those were closed.
    """

    agent: str
    day: date
    loads: int
    late: int
    amount_fen: int
    commission_fen: int
    actor: str
    closed_at: datetime

    @property
    def hand_over_fen(self) -> int:
        """Give what the agent hands over for this day."""
        return self.amount_fen - self.commission_fen


def close_agent_day(
    conn: Connection, ledger: Ledger, agent: str, day: date, *, actor: str, at: datetime
) -> AgentDay:
    """Close a business day of an agent and give its statement; closed before, it is the same one.

    Every proven load up to that day that no statement has yet goes into this one, late ones too. The
    commission is credited to the agent and restores its quota. Raise DayNotClosable for a day to come, and
    for one before a closed one.
    """
    terms = hold_agent(conn, agent)
    query = select(agent_day).where(agent_day.c.agent == agent).order_by(agent_day.c.day.desc())
    closed = [_day(row) for row in conn.execute(query)]
    for known in closed:
        if known.day == day:
            return known
    if day > at.date():
        raise DayNotClosable(agent=agent, day=day, reason=Phrase("it is still {at}", at=at.date()))
    if closed and day < closed[0].day:
        reason = Phrase("{day} is closed, and what came late stands in there", day=closed[0].day)
        raise DayNotClosable(agent=agent, day=day, reason=reason)
    made = _gathered(conn, terms, day, actor=actor, closed_at=ledger.clock.now())
    conn.execute(insert(agent_day), attrs.asdict(made))
    if made.commission_fen:
        _credit_commission(conn, ledger, made, at)
    return made


def agent_days(conn: Connection, agent: str, *, limit: int = 100) -> list[AgentDay]:
    """Give the closed days of an agent, newest first."""
    query = select(agent_day).where(agent_day.c.agent == agent).order_by(agent_day.c.day.desc())
    return [_day(row) for row in conn.execute(query.limit(limit))]


def _gathered(conn: Connection, terms: Agent, day: date, *, actor: str, closed_at: datetime) -> AgentDay:
    """Put what is proven up to a day into that day, and add it up."""
    begins, ends = datetime.combine(day, time()), datetime.combine(day + timedelta(days=1), time())
    mine = (load.c.agent == terms.id, load.c.state == str(LoadState.PROVEN))
    unclosed = (*mine, load.c.closed_on.is_(None), load.c.at < ends)
    conn.execute(update(load).where(*unclosed).values(closed_on=day))
    late = func.coalesce(func.sum(func.cast(load.c.at < begins, load.c.online_atc.type)), 0)
    sums = select(func.count(), func.coalesce(func.sum(load.c.amount_fen), 0), late)
    count, amount_fen, late_count = conn.execute(sums.where(*mine, load.c.closed_on == day)).one()
    return AgentDay(
        agent=terms.id,
        day=day,
        loads=int(count),
        late=int(late_count),
        amount_fen=int(amount_fen),
        commission_fen=int(amount_fen) * terms.commission_bp // _BASIS_POINTS,
        actor=actor,
        closed_at=closed_at,
    )


def _credit_commission(conn: Connection, ledger: Ledger, made: AgentDay, at: datetime) -> None:
    agent, ref = made.agent, f"agent/{made.agent}/{made.day}"
    expense = AccountSpec(address=EXPENSE_COMMISSION, code=AccountCode.AGENTS_COMMISSION)
    ledger.open_accounts(conn, [expense])
    earned = agent_transfer(
        derived_id("agent commission", agent, made.day),
        EXPENSE_COMMISSION,
        agent_receivable(agent),
        made.commission_fen,
        TransferCode.AGENT_COMMISSION,
        ref,
        at,
    )
    ledger.post_all(conn, [earned])
    restore_quota(conn, ledger, agent, made.commission_fen, ref=ref, id=earned.id, at=at)


def _day(row: Any) -> AgentDay:
    return AgentDay(**row._mapping)  # noqa: SLF001
