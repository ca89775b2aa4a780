"""Load agents where they need the registry: an agent is a partner of the kind ``agent``."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

from citycard import registry
from citycard.errors import AgentConflict
from citycard.store import reading, writing
from citycard.wallet.agentdays import AgentDay, close_agent_day
from citycard.wallet.agents import (
    Agent,
    AgentStanding,
    agent_deposit,
    agents,
    open_agent,
    set_credit,
    standing_of,
)

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["close_day", "give_credit", "open_load_agent", "paid_in", "standing", "standings"]

_KIND = "agent"


def open_load_agent(city: City, partner: str, *, commission_bp: int = 0, credit_fen: int = 0) -> Agent:
    """Open a registered partner as a load agent; again without harm.

    Raise RegistryMissing, and AgentConflict for other terms or a partner of another kind.
    """
    with writing(city.engine) as conn:
        kind = registry.find_partner(conn, partner).kind
        if kind != _KIND:
            raise AgentConflict(agent=partner, field="kind", existing=kind, wanted=_KIND)
        wanted = Agent(
            id=partner, commission_bp=commission_bp, credit_fen=credit_fen, opened_at=city.clock.now()
        )
        return open_agent(conn, city.ledger, wanted, at=city.now_local())


def give_credit(city: City, agent: str, credit_fen: int, *, identity: UUID) -> Agent:
    """Give an agent another credit line, once under an id."""
    with writing(city.engine) as conn:
        return set_credit(conn, city.ledger, agent, credit_fen, id=identity, at=city.now_local())


def paid_in(city: City, agent: str, amount_fen: int, *, identity: UUID, ref: str) -> bool:
    """Take note of what an agent paid into the trust account, once under an id; say whether it is new."""
    with writing(city.engine) as conn:
        return agent_deposit(conn, city.ledger, agent, amount_fen, ref=ref, id=identity, at=city.now_local())


def close_day(city: City, agent: str, day: dt.date, *, actor: str) -> AgentDay:
    """Close a business day of an agent, once, and give its statement."""
    with writing(city.engine) as conn:
        return close_agent_day(conn, city.ledger, agent, day, actor=actor, at=city.now_local())


def standing(city: City, agent: str) -> AgentStanding:
    """Give where an agent stands now; raise AgentUnknown."""
    with reading(city.engine) as conn:
        return standing_of(conn, city.ledger, agent)


def standings(city: City) -> list[AgentStanding]:
    """Give where every agent stands, by id."""
    with reading(city.engine) as conn:
        return [standing_of(conn, city.ledger, known.id) for known in agents(conn)]
