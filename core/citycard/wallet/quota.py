"""What a load agent may still load: two memo accounts, of which one is the other's mirror.

The quota is not money. It falls with every load that begins, and rises with what the agent hands over.
"""

from __future__ import annotations

from sqlalchemy import Connection

from citycard.errors import AccountMissing
from citycard.ledger.chart import AccountCode
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec
from citycard.wallet.addresses import agent_quota, agent_quota_given

__all__ = ["has_quota", "open_quota", "quota_left_fen"]


def has_quota(conn: Connection, ledger: Ledger, agent: str) -> bool:
    """Say whether an agent is held to a quota; one that nobody opened is not."""
    try:
        ledger.balance(conn, agent_quota(agent))
    except AccountMissing:
        return False
    return True


def open_quota(conn: Connection, ledger: Ledger, agent: str) -> None:
    """Hold an agent to a quota from now on; it begins at zero."""
    ledger.open_accounts(
        conn,
        [
            AccountSpec(address=agent_quota(agent), code=AccountCode.AGENTS_QUOTA, owner=agent),
            AccountSpec(address=agent_quota_given(agent), code=AccountCode.QUOTA_GIVEN, owner=agent),
        ],
    )


def quota_left_fen(conn: Connection, ledger: Ledger, agent: str) -> int:
    """Give what an agent may still load, less what is reserved; below zero where its credit was cut."""
    return ledger.balance(conn, agent_quota(agent)).available_fen
