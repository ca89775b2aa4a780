"""An online account in words, as ``citycard account show`` and every command that changes one say it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from citycard.cli.output import emit, pairs
from citycard.money import yuan

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.city.accountview import AccountView, PaymentLine
    from citycard.wallet import AccountHold
    from citycard.wallet.actbook import ActLine

__all__ = ["act_words", "hold_words", "show_account"]

_NEWEST = 10


def show_account(city: City, number: str, as_json: bool) -> None:
    """Print an account: all its kinds of money, its newest holds and payments; as JSON all that are kept."""
    from citycard.city.accountview import read_account

    view = read_account(city, number)
    if as_json:
        emit(view)
    else:
        pairs(_lines(view))


def hold_words(one: AccountHold) -> str:
    """Say how much a hold is, for whom, where it stands, and what was captured of it."""
    said = f"{yuan(one.amount_fen)} yuan for {one.partner}, {one.state}"
    return said + (f", {yuan(one.captured_fen)} captured" if one.captured_fen else "")


def act_words(one: ActLine) -> str:
    """Say what was asked for under an id, and what was answered."""
    asked = {name: value for name, value in one.asked.items() if value not in {"", None}}
    amount_fen = asked.pop("amount_fen", None)
    words = [one.kind, *(f"{name} {value}" for name, value in asked.items())]
    words += [] if amount_fen is None else [f"{yuan(amount_fen)} yuan"]
    return f"{', '.join(words)}: {one.refusal or 'done'}"


def _lines(view: AccountView) -> Iterator[tuple[str, str]]:
    yield "account", view.number
    yield "card", view.asn
    yield "status", view.status
    yield "balance", f"{yuan(view.balance_fen)} yuan"
    yield "available", f"{yuan(view.available_fen)} yuan"
    if view.owed_fen:
        yield "owed", f"{yuan(view.owed_fen)} yuan"
    for subsidy in view.subsidies:
        until = f"{yuan(subsidy.available_fen)} yuan until {subsidy.ends_on}"
        yield f"subsidy {subsidy.programme}", until
    for points in view.points:
        left = f"{points.points}, {points.next_points} of them until {points.next_expiry}"
        yield f"points {points.scheme}", left
    for hold in view.holds[:_NEWEST]:
        yield f"hold {hold.id}", f"{hold.at:%Y-%m-%d %H:%M} {hold_words(hold)}"
    for payment in view.payments[:_NEWEST]:
        yield f"payment {payment.id}", _paid(payment)
    for refused in view.refusals[:_NEWEST]:
        yield f"refused {refused.id}", act_words(refused)


def _paid(one: PaymentLine) -> str:
    said = f"{one.at:%Y-%m-%d %H:%M} {yuan(one.amount_fen)} yuan to {one.partner}"
    said += f", of hold {one.hold}" if one.hold is not None else ""
    return said + (f", {yuan(one.returned_fen)} given back" if one.returned_fen else "")
