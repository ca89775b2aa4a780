"""The money of loads: reserved before a MAC2 leaves the desk, taken by proof, given back when not done.

A payer whose money can run out is held to it (docs/ledger.md#loads). When the card shows a load whose
reservation was given back, the money is taken again where it is, and is the city's loss where it is not: the
card is always right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import attrs
from sqlalchemy import Connection

from citycard.errors import AccountNotOpen, LoadRefused, OnlineAccountUnknown, Phrase, PostingFailed
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, HoldState, Kind, Limit, Transfer
from citycard.wallet.addresses import LOSS_UNPAID_LOADS, agent_quota, agent_quota_given, card_purse
from citycard.wallet.load import Load, LoadMoney, LoadState
from citycard.wallet.online import hold_account
from citycard.wallet.orderbook import order_delivered, order_let_go, order_reserved
from citycard.wallet.payer import Payer, PayerKind
from citycard.wallet.quota import has_quota, quota_left_fen

__all__ = ["give_back", "load_transfer", "move_money", "purse_account"]

_PAID = frozenset({LoadMoney.TAKEN, LoadMoney.LOST})


def move_money(
    conn: Connection, ledger: Ledger, loads: Sequence[Load], limits: tuple[Limit, ...] = ()
) -> list[Load]:
    """Post what the states of loads ask for, and give the loads with where their money is now.

    ``limits`` are conditions of reservations. Raise LoadRefused with the reason ``quota``, ``funds``,
    ``order`` or ``limit`` when the money for a new load cannot be had: then nothing may be kept.
    """
    moved = {one.id: one for one in loads}
    wanting = [one for one in loads if one.state is LoadState.PENDING and one.money is LoadMoney.NONE]
    for one in _reserved(conn, ledger, wanting, limits):
        moved[one.id] = one
    proven = [one for one in moved.values() if one.state is LoadState.PROVEN and one.money not in _PAID]
    for one in _taken(conn, ledger, proven):
        moved[one.id] = one
    over = [one for one in moved.values() if one.money is LoadMoney.HELD and one.closed_without_doing]
    for one in give_back(conn, ledger, over):
        moved[one.id] = one
    return list(moved.values())


def give_back(
    conn: Connection, ledger: Ledger, loads: Iterable[Load], at: datetime | None = None
) -> list[Load]:
    """Let go of what is held for loads, where nothing else took it; ``at`` is local, the load's own if not.

    The order of a load that is let go of may be delivered again.
    """
    returned, releases = [], {}
    for one in loads:
        assert one.hold is not None
        found = ledger.hold(conn, one.hold)
        if found is not None and found.state is HoldState.PENDING:
            releases[one.hold] = _released(one, at or one.at)
        returned.append(attrs.evolve(one, money=LoadMoney.RETURNED))
        order_let_go(conn, one)
    if releases:
        ledger.post_all(conn, list(releases.values()))
    return returned


# ── reserve ──────────────────────────────────────────────────────────────────────────────────────


def _reserved(
    conn: Connection, ledger: Ledger, wanting: Sequence[Load], limits: tuple[Limit, ...]
) -> list[Load]:
    quotas = _with_quota(conn, ledger, wanting)
    held = []
    for one in wanting:
        payer = one.payer
        if not payer.reserved_ahead and payer.name not in quotas:
            continue
        if payer.kind is PayerKind.ORDER:
            order_reserved(conn, one)
        if payer.kind is PayerKind.ACCOUNT:
            _check_account(conn, payer.name)
        held.append(_hold(conn, ledger, one, limits))
    return held


def _check_account(conn: Connection, number: str) -> None:
    try:
        hold_account(conn, number).must_be_open()
    except (AccountNotOpen, OnlineAccountUnknown) as refused:
        raise LoadRefused(reason="funds", explanation=refused.phrase) from None


def _hold(conn: Connection, ledger: Ledger, one: Load, limits: tuple[Limit, ...]) -> Load:
    identity = one.hold or derived_id("hold of load", one.id)
    debit, credit = _reserved_between(one)
    agent = one.payer.kind is PayerKind.AGENT
    if not agent:
        ledger.open_accounts(conn, [purse_account(one)])
    wanted = Transfer(
        id=identity,
        debit_address=debit,
        credit_address=credit,
        amount_fen=one.amount_fen,
        code=TransferCode.QUOTA_RESERVED if agent else TransferCode.LOAD_RESERVED,
        event_time=one.at,
        business_date=one.at.date(),
        ref=_ref(one),
        kind=Kind.PENDING,
        limits=limits,
    )
    (outcome,) = ledger.post(conn, [wanted])
    if not outcome.posted:
        raise _refusal(one, str(outcome.result))
    if agent and quota_left_fen(conn, ledger, one.payer.name) < 0:
        left_fen = quota_left_fen(conn, ledger, one.payer.name) + one.amount_fen
        explanation = Phrase(
            "agent {name} may load {left_fen} fen more, not {amount_fen}: its deposit restores the quota",
            name=one.payer.name,
            left_fen=max(0, left_fen),
            amount_fen=one.amount_fen,
        )
        raise LoadRefused(reason="quota", explanation=explanation)
    return attrs.evolve(one, money=LoadMoney.HELD, hold=identity)


def _refusal(one: Load, result: str) -> LoadRefused:
    if result.startswith("limit"):
        return LoadRefused(
            reason="limit",
            explanation=Phrase(
                "{payer} has reached a limit ({result})", payer=one.payer.words, result=result
            ),
        )
    explanation = Phrase(
        "{payer} does not have {amount_fen} fen ({result})",
        payer=one.payer.words,
        amount_fen=one.amount_fen,
        result=result,
    )
    return LoadRefused(reason="funds", explanation=explanation)


# ── take ─────────────────────────────────────────────────────────────────────────────────────────


def _taken(conn: Connection, ledger: Ledger, proven: Sequence[Load]) -> list[Load]:
    """Take the money of proven loads, in one posting as far as nothing is refused."""
    if not proven:
        return []
    quotas = _with_quota(conn, ledger, proven)
    _open(conn, ledger, proven)
    transfers: dict[UUID, Transfer] = {}
    lost = []
    for one in proven:
        if one.payer.kind is PayerKind.ORDER and not order_delivered(conn, one, ledger.clock.now()):
            lost.append(one)
            continue
        transfers[one.id] = load_transfer(one)
        if one.payer.name in quotas:
            used = _quota_used(one)
            transfers[used.id] = used
    outcomes = ledger.post(conn, list(transfers.values()))
    refused = {outcome.id: str(outcome.result) for outcome in outcomes if not outcome.posted}
    for one in proven:
        if one.id in refused and _may_lack(one):
            lost.append(one)
            del refused[one.id]
    if refused:
        first, result = next(iter(refused.items()))
        raise PostingFailed(failed=len(refused), total=len(outcomes), first=str(first), result=result)
    if lost:
        ledger.post_all(conn, [_unpaid(one) for one in lost])
    gone = {one.id for one in lost}
    return [attrs.evolve(one, money=LoadMoney.LOST if one.id in gone else LoadMoney.TAKEN) for one in proven]


def _may_lack(one: Load) -> bool:
    return one.payer.reserved_ahead and one.money is not LoadMoney.HELD


def load_transfer(one: Load) -> Transfer:
    """Give the transfer that takes the money of a proven load."""
    # With quota, it is the quota that is held: what the agent took is owed when the card shows the load.
    held = one.payer.reserved_ahead and one.money is LoadMoney.HELD
    return Transfer(
        id=one.id,
        debit_address=one.payer.address,
        credit_address=card_purse(one.asn),
        amount_fen=one.amount_fen,
        code=TransferCode.LOAD,
        event_time=one.at,
        business_date=one.at.date(),
        ref=_ref(one),
        kind=Kind.POST if held else Kind.SINGLE,
        pending_id=one.hold if held else None,
    )


def _quota_used(one: Load) -> Transfer:
    held = one.money is LoadMoney.HELD
    return Transfer(
        id=derived_id("quota used", one.id),
        debit_address=agent_quota(one.payer.name),
        credit_address=agent_quota_given(one.payer.name),
        amount_fen=one.amount_fen,
        code=TransferCode.QUOTA_USED,
        event_time=one.at,
        business_date=one.at.date(),
        ref=_ref(one),
        kind=Kind.POST if held else Kind.SINGLE,
        pending_id=one.hold if held else None,
    )


def _unpaid(one: Load) -> Transfer:
    return Transfer(
        id=derived_id("load unpaid", one.id),
        debit_address=LOSS_UNPAID_LOADS,
        credit_address=card_purse(one.asn),
        amount_fen=one.amount_fen,
        code=TransferCode.LOAD_UNPAID,
        event_time=one.at,
        business_date=one.at.date(),
        ref=_ref(one),
    )


# ── inside ───────────────────────────────────────────────────────────────────────────────────────


def _released(one: Load, at: datetime) -> Transfer:
    assert one.hold is not None
    debit, credit = _reserved_between(one)
    agent = one.payer.kind is PayerKind.AGENT
    return Transfer(
        id=derived_id("load given back", one.hold),
        debit_address=debit,
        credit_address=credit,
        amount_fen=one.amount_fen,
        code=TransferCode.QUOTA_RELEASED if agent else TransferCode.LOAD_GIVEN_BACK,
        event_time=at,
        business_date=at.date(),
        ref=_ref(one),
        kind=Kind.VOID,
        pending_id=one.hold,
    )


def _reserved_between(one: Load) -> tuple[str, str]:
    payer = one.payer
    if payer.kind is PayerKind.AGENT:
        return agent_quota(payer.name), agent_quota_given(payer.name)
    return payer.address, card_purse(one.asn)


def _with_quota(conn: Connection, ledger: Ledger, loads: Iterable[Load]) -> set[str]:
    agents = {one.agent for one in loads if Payer.read(one.agent).kind is PayerKind.AGENT}
    return {agent for agent in agents if has_quota(conn, ledger, agent)}


def _open(conn: Connection, ledger: Ledger, loads: Iterable[Load]) -> None:
    specs: dict[str, AccountSpec] = {}
    for one in loads:
        specs[card_purse(one.asn)] = purse_account(one)
        if not one.payer.reserved_ahead:
            account = one.payer.account
            specs[account.address] = account
        else:
            specs[LOSS_UNPAID_LOADS] = AccountSpec(address=LOSS_UNPAID_LOADS, code=AccountCode.CARD_LOSS)
    ledger.open_accounts(conn, list(specs.values()))


def purse_account(one: Load) -> AccountSpec:
    """Give the account of the purse that is loaded."""
    return AccountSpec(address=card_purse(one.asn), code=AccountCode.CARD_FLOAT, owner=one.asn)


def _ref(one: Load) -> str:
    return f"load/{one.terminal}/{one.online_atc}"
