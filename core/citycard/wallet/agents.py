"""Load agents: outlets that take citizens' money within a quota, and hand it over day by day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, func, insert, select, update

from citycard.errors import AgentConflict, AgentUnknown
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, Transfer
from citycard.wallet.acts import Act, noted_before
from citycard.wallet.addresses import (
    TRUST_BANK,
    agent_quota,
    agent_quota_given,
    agent_receivable,
)
from citycard.wallet.load import LoadState
from citycard.wallet.once import post_once
from citycard.wallet.quota import open_quota, quota_left_fen
from citycard.wallet.tables import load, load_agent

__all__ = [
    "Agent",
    "AgentStanding",
    "agent_deposit",
    "agent_transfer",
    "agents",
    "find_agent",
    "hold_agent",
    "open_agent",
    "restore_quota",
    "restore_quotas",
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

    A line below what is used already lets it load nothing until it has handed that over. Sent again, an id
    changes nothing, whatever came in between; raise ActDiffers when it stands for another line or agent.
    """
    known = hold_agent(conn, agent)
    act = Act(id=id, kind="agent credit", content={"agent": agent, "credit_fen": credit_fen})
    mine = derived_id("agent credit", id)
    if noted_before(conn, act, ledger.clock.now()) or ledger.find(conn, [mine]):
        return known
    change_fen = credit_fen - known.credit_fen
    if change_fen == 0:
        return known
    raised = (agent_quota_given(agent), agent_quota(agent))
    debit, credit = raised if change_fen > 0 else raised[::-1]
    granted = agent_transfer(
        mine, debit, credit, abs(change_fen), TransferCode.QUOTA_GRANTED, f"agent/{agent}", at
    )
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
    hold_agent(conn, agent)
    trust = AccountSpec(address=TRUST_BANK, code=AccountCode.TRUST_BANK)
    ledger.open_accounts(conn, [trust, _receivable(agent)])
    mine = derived_id("agent deposit", id)
    paid = agent_transfer(
        mine, TRUST_BANK, agent_receivable(agent), amount_fen, TransferCode.AGENT_DEPOSIT, ref, at
    )
    new = post_once(conn, ledger, [paid])
    restore_quota(conn, ledger, agent, amount_fen, ref=ref, id=mine, at=at)
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
    restored = agent_transfer(again, debit, credit, amount_fen, TransferCode.QUOTA_RESTORED, ref, at)
    return post_once(conn, ledger, [restored])


def restore_quotas(conn: Connection, ledger: Ledger, posted: Iterable[Transfer]) -> int:
    """Restore quotas by what posted transfers credit to agents that have one; return how many were new.

    What they debit, such as a deposit that the bank takes back, is taken from the quota, below zero too.
    Whoever books what agents pay in, such as the bank's side, calls this in the same transaction.
    """
    owners = {agent_receivable(known.id): known.id for known in agents(conn)}
    new = 0
    for one in posted:
        if one.credit_address in owners:
            agent, amount_fen = owners[one.credit_address], one.amount_fen
            new += restore_quota(conn, ledger, agent, amount_fen, ref=one.ref, id=one.id, at=one.event_time)
        if one.debit_address in owners:
            new += _take_back(conn, ledger, owners[one.debit_address], one)
    return new


def _take_back(conn: Connection, ledger: Ledger, agent: str, debited: Transfer) -> bool:
    taken = agent_transfer(
        derived_id("quota taken back", debited.id),
        agent_quota(agent),
        agent_quota_given(agent),
        debited.amount_fen,
        TransferCode.QUOTA_RESTORED,
        debited.ref,
        debited.event_time,
    )
    return post_once(conn, ledger, [taken])


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


def hold_agent(conn: Connection, agent: str) -> Agent:
    """Give an agent that nobody else takes a step with until the transaction ends; raise AgentUnknown."""
    row = conn.execute(select(load_agent).where(load_agent.c.id == agent).with_for_update()).one_or_none()
    if row is None:
        raise AgentUnknown(agent=agent)
    return _agent(row)


def _found(conn: Connection, agent: str) -> Agent | None:
    row = conn.execute(select(load_agent).where(load_agent.c.id == agent)).one_or_none()
    return None if row is None else _agent(row)


def _agent(row: Any) -> Agent:
    return Agent(**row._mapping)  # noqa: SLF001 - the documented way to read a row by name


def _receivable(agent: str) -> AccountSpec:
    code = AccountCode.LOAD_AGENTS_RECEIVABLE
    return AccountSpec(address=agent_receivable(agent), code=code, owner=agent)


def agent_transfer(
    identity: UUID, debit: str, credit: str, amount_fen: int, code: TransferCode, ref: str, at: datetime
) -> Transfer:
    """Make a transfer of an agent's money or quota; ``at`` is local."""
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
