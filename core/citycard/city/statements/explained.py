"""One transfer, seen from an account: how much came or went, what it was, by whom, where and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs

from citycard import registry
from citycard.city.statements.records import Entry, Said
from citycard.city.statements.words import what_of
from citycard.city.wheres import Where, wheres
from citycard.clearing.adjusting import adjustments_about
from citycard.errors import PurchaseRefundUnknown
from citycard.ledger.chart import Side
from citycard.ledger.records import PostedTransfer
from citycard.wallet.chargebacks import find_chargeback
from citycard.wallet.load import Load, refunded_card
from citycard.wallet.refunds import find_refund

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Names", "entry_of", "names_of", "reason_of", "run_of"]

_RUN = "clearing/"


@attrs.frozen(kw_only=True)
class Names:
    """What numbers are called: partners by id, terminals by number, and the city's time."""

    partners: Mapping[str, str]
    wheres: Mapping[str, Where]
    timezone: ZoneInfo

    def party(self, address: str) -> str:
        """Name whoever stands behind an account: a partner, an agent or a card; empty for the city itself."""
        kind, _, rest = address.partition("/")
        key = rest.partition("/")[0]
        return self.partners.get(key, key) if kind in {"partner", "agent", "card", "account"} else ""


def names_of(conn: Connection, timezone: ZoneInfo) -> Names:
    """Read what partners and terminals are called."""
    partners = {partner.id: partner.name for partner in registry.partners(conn)}
    return Names(partners=partners, wheres=wheres(conn), timezone=timezone)


def run_of(posted: PostedTransfer) -> int | None:
    """Give the clearing run that posted a transfer, or None."""
    number = posted.transfer.ref.removeprefix(_RUN)
    return int(number) if number != posted.transfer.ref and number.isdigit() else None


def reason_of(conn: Connection, ref: str) -> Said | None:
    """Say why transfers of a refund, a charge-back or an adjustment were made; None for another reference.

    What a partner gives back by itself has the same kind of reference, and no record of who approved it.
    """
    kind, _, name = ref.partition("/")
    if kind == "refund":
        try:
            refund = find_refund(conn, UUID(name))
        except PurchaseRefundUnknown:
            return None
        by = refund.approved_by
        return Said(
            f"{refund.purchase}: {refund.reason}, approved by {by}, {refund.evidence}",
            f"{refund.purchase}：{refund.reason}，批准人{by}，{refund.evidence}",
        )
    if kind == "chargeback":
        case = find_chargeback(conn, UUID(name))
        return Said(f"charge-back {case.id}: {case.reason}", f"退单{case.id}：{case.reason}")
    if kind == "adjustment":
        code, _, about = name.partition("/")
        reason = next((one.reason for one in adjustments_about(conn, about=about) if one.code == code), "")
        return Said(f"{code}, {about}: {reason}", f"{code}，{about}：{reason}")
    return None


def entry_of(
    posted: PostedTransfer, address: str, names: Names, load: Load | None = None, *, side: Side = Side.CREDIT
) -> Entry:
    """Explain a posted transfer from the account at ``address``, whose balance counts on ``side``."""
    moved = posted.transfer
    credited = moved.credit_address == address
    came = credited is (side is Side.CREDIT)
    other = moved.debit_address if credited else moved.credit_address
    entry = Entry(
        booked_at=posted.posted_at.astimezone(names.timezone).replace(tzinfo=None, microsecond=0),
        at=moved.event_time,
        code=moved.code,
        what=what_of(moved.code),
        who=names.party(other),
        why=Said(moved.ref, moved.ref),
        amount_fen=moved.amount_fen if came else -moved.amount_fen,
        reference=str(moved.id),
    )
    run = run_of(posted)
    if load is not None:
        return _loaded(entry, load, names)
    if run is not None:
        return attrs.evolve(entry, why=Said(f"clearing run {run}", f"第{run}次清分"))
    return entry


def _loaded(entry: Entry, load: Load, names: Names) -> Entry:
    where = names.wheres.get(load.terminal, Where())
    old = refunded_card(load.agent)
    number = load.online_atc + 1
    if old is not None:
        why = Said(f"balance of card {old}, load {number}", f"卡{old}余额，第{number}次充值")
    else:
        why = Said(
            f"load {number} of the card, terminal {load.terminal}",
            f"本卡第{number}次充值，终端{load.terminal}",
        )
    who = "" if old is not None else names.partners.get(load.agent, load.agent)
    return attrs.evolve(entry, who=who or where.partner, where=where.place, why=why)
