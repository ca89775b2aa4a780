"""Load agents: outlets that take citizens' money within a quota, and hand it over day by day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, func, insert, select, update

from citycard.errors import AgentConflict, AgentUnknown, DayNotClosable
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, Transfer
from citycard.wallet.addresses import (
    EXPENSE_COMMISSION,
    TRUST_BANK,
    agent_quota,
    agent_quota_given,
    agent_receivable,
)
from citycard.wallet.load import LoadState
from citycard.wallet.once import post_once
from citycard.wallet.quota import open_quota, quota_left_fen
from citycard.wallet.tables import agent_day, load, load_agent

__all__ = [
    "Agent",
    "AgentDay",
    "AgentStanding",
    "agent_days",
    "agent_deposit",
    "agents",
    "close_agent_day",
    "find_agent",
    "open_agent",
    "restore_quota",
    "set_credit",
    "standing_of",
]

_BASIS_POINTS = 10_000


@attrs.frozen(kw_only=True)
class Agent:
    """A load agent: a partner's id, its commission in basis points of what it loads, and its credit line.

    A prepaid agent has a credit line of 0: what it may load is what it paid in.
    """

    id: str
    commission_bp: int = attrs.field(
        default=0, validator=[attrs.validators.ge(0), attrs.validators.le(_BASIS_POINTS)]
    )
    credit_fen: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    opened_at: datetime


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


@attrs.frozen(kw_only=True)
class AgentStanding:
    """Where an agent stands: what it may still load, what it owes, and what no statement has yet.

    ``owed_fen`` is below zero for what it paid ahead. ``open_loads`` began, and nobody knows their end.
    """

    agent: Agent
    quota_left_fen: int
    owed_fen: int
    unclosed_loads: int
    unclosed_fen: int
    open_loads: int
    open_fen: int


def open_agent(conn: Connection, ledger: Ledger, wanted: Agent, *, at: datetime) -> Agent:
    """Open a load agent, or give it as it is; ``at`` is local. Raise AgentConflict for other terms."""
    found = _found(conn, wanted.id)
    if found is not None:
        for field in ("commission_bp", "credit_fen"):
            if getattr(found, field) != getattr(wanted, field):
                raise AgentConflict(
                    agent=wanted.id,
                    field=field,
                    existing=getattr(found, field),
                    wanted=getattr(wanted, field),
                )
        return found
    conn.execute(insert(load_agent), attrs.asdict(wanted) | {"credit_fen": 0})
    ledger.open_accounts(conn, [_receivable(wanted.id)])
    open_quota(conn, ledger, wanted.id)
    return set_credit(
        conn, ledger, wanted.id, wanted.credit_fen, id=derived_id("agent opened", wanted.id), at=at
    )


def find_agent(conn: Connection, agent: str) -> Agent:
    """Give a load agent; raise AgentUnknown."""
    found = _found(conn, agent)
    if found is None:
        raise AgentUnknown(agent=agent)
    return found


def agents(conn: Connection) -> list[Agent]:
    """Give all load agents, by id."""
    return [_agent(row) for row in conn.execute(select(load_agent).order_by(load_agent.c.id))]


def set_credit(
    conn: Connection,
    ledger: Ledger,
    agent: str,
    credit_fen: int,
    *,
    id: UUID,  # noqa: A002 - the field's own name
    at: datetime,
) -> Agent:
    """Give an agent another credit line, once under an id; ``at`` is local.

    A line below what is used already lets it load nothing until it has handed that over.
    """
    known = _hold(conn, agent)
    change_fen = credit_fen - known.credit_fen
    if change_fen == 0 or ledger.find(conn, [id]):
        return known
    raised = (agent_quota_given(agent), agent_quota(agent))
    debit, credit = raised if change_fen > 0 else raised[::-1]
    granted = _transfer(id, debit, credit, abs(change_fen), TransferCode.QUOTA_GRANTED, f"agent/{agent}", at)
    ledger.post_all(conn, [granted])
    conn.execute(update(load_agent).where(load_agent.c.id == agent).values(credit_fen=credit_fen))
    return attrs.evolve(known, credit_fen=credit_fen)


def agent_deposit(
    conn: Connection,
    ledger: Ledger,
    agent: str,
    amount_fen: int,
    *,
    ref: str,
    id: UUID,  # noqa: A002 - the field's own name
    at: datetime,
) -> bool:
    """Take what an agent paid into the trust account, and restore its quota; say whether it is new.

    ``id`` stands for one receipt and ``ref`` says where it was read; ``at`` is local.
    """
    _hold(conn, agent)
    trust = AccountSpec(address=TRUST_BANK, code=AccountCode.TRUST_BANK)
    ledger.open_accounts(conn, [trust, _receivable(agent)])
    paid = _transfer(id, TRUST_BANK, agent_receivable(agent), amount_fen, TransferCode.AGENT_DEPOSIT, ref, at)
    new = post_once(conn, ledger, [paid])
    restore_quota(conn, ledger, agent, amount_fen, ref=ref, id=id, at=at)
    return new


def restore_quota(
    conn: Connection,
    ledger: Ledger,
    agent: str,
    amount_fen: int,
    *,
    ref: str,
    id: UUID,  # noqa: A002 - the field's own name
    at: datetime,
) -> bool:
    """Let an agent load again what was posted to its account elsewhere; say whether it is new.

    ``id`` is that of the receipt: it restores the quota once.
    """
    debit, credit = agent_quota_given(agent), agent_quota(agent)
    again = derived_id("quota restored", id)
    restored = _transfer(again, debit, credit, amount_fen, TransferCode.QUOTA_RESTORED, ref, at)
    return post_once(conn, ledger, [restored])


def close_agent_day(
    conn: Connection, ledger: Ledger, agent: str, day: date, *, actor: str, at: datetime
) -> AgentDay:
    """Close a business day of an agent and give its statement; closed before, it is the same one.

    Every proven load up to that day that no statement has yet goes into this one, late ones too. The
    commission is credited to the agent and restores its quota. Raise DayNotClosable for a day to come, and
    for one before a closed one.
    """
    terms = _hold(conn, agent)
    query = select(agent_day).where(agent_day.c.agent == agent).order_by(agent_day.c.day.desc())
    closed = [_day(row) for row in conn.execute(query)]
    for known in closed:
        if known.day == day:
            return known
    if day > at.date():
        raise DayNotClosable(agent=agent, day=day, reason=f"it is still {at.date()}")
    if closed and day < closed[0].day:
        reason = f"{closed[0].day} is closed, and what came late stands in there"
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


def standing_of(conn: Connection, ledger: Ledger, agent: str) -> AgentStanding:
    """Give where an agent stands now; raise AgentUnknown."""
    known = find_agent(conn, agent)
    sums = select(func.count(), func.coalesce(func.sum(load.c.amount_fen), 0)).where(load.c.agent == agent)
    unclosed = conn.execute(
        sums.where(load.c.state == str(LoadState.PROVEN), load.c.closed_on.is_(None))
    ).one()
    pending = conn.execute(sums.where(load.c.state == str(LoadState.PENDING))).one()
    return AgentStanding(
        agent=known,
        quota_left_fen=quota_left_fen(conn, ledger, agent),
        owed_fen=ledger.balance_fen(conn, agent_receivable(agent)),
        unclosed_loads=int(unclosed[0]),
        unclosed_fen=int(unclosed[1]),
        open_loads=int(pending[0]),
        open_fen=int(pending[1]),
    )


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
    earned = _transfer(
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


def _hold(conn: Connection, agent: str) -> Agent:
    row = conn.execute(select(load_agent).where(load_agent.c.id == agent).with_for_update()).one_or_none()
    if row is None:
        raise AgentUnknown(agent=agent)
    return _agent(row)


def _found(conn: Connection, agent: str) -> Agent | None:
    row = conn.execute(select(load_agent).where(load_agent.c.id == agent)).one_or_none()
    return None if row is None else _agent(row)


def _agent(row: Any) -> Agent:
    return Agent(**row._mapping)  # noqa: SLF001 - the documented way to read a row by name


def _day(row: Any) -> AgentDay:
    return AgentDay(**row._mapping)  # noqa: SLF001


def _receivable(agent: str) -> AccountSpec:
    code = AccountCode.LOAD_AGENTS_RECEIVABLE
    return AccountSpec(address=agent_receivable(agent), code=code, owner=agent)


def _transfer(
    identity: UUID, debit: str, credit: str, amount_fen: int, code: TransferCode, ref: str, at: datetime
) -> Transfer:
    return Transfer(
        id=identity,
        debit_address=debit,
        credit_address=credit,
        amount_fen=amount_fen,
        code=code,
        event_time=at,
        business_date=at.date(),
        ref=ref,
    )
