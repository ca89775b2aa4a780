"""``citycard wallet accounts``, ``balance``, ``transfers``: look into the ledger."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, pairs, table

if TYPE_CHECKING:
    from citycard.ledger import Balance

__all__ = ["accounts", "balance", "transfers"]

_MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]


@click.command()
@click.argument("start", default="", metavar="[START]")
@click.option("--code", type=click.IntRange(min=1), help="Only accounts of this code of the chart.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many.")
@city_option
@json_option
def accounts(start: str, code: int | None, limit: int, folder: Path, as_json: bool) -> None:
    """List accounts whose address begins with START, by address, with what they hold.

    With --json: an array of objects with address, code, side, guard, owner, currency, debits_fen,
    credits_fen, debits_pending_fen, credits_pending_fen, transfers, balance_fen and available_fen.
    """
    from citycard.ledger.reading import accounts_from
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        found = accounts_from(conn, start, code=code, limit=limit)
    city.close()
    if as_json:
        emit([_account(one) for one in found])
        return
    table(
        ("address", "code", "currency", "balance", "available", "transfers"),
        [
            (
                one.address,
                one.code,
                one.currency,
                _amount(one.balance_fen, one.currency),
                _amount(one.available_fen, one.currency),
                one.transfers,
            )
            for one in found
        ],
    )


@click.command()
@click.argument("address")
@click.option("--at", type=click.DateTime(_MOMENTS), help="A past moment, in the city's time (default: now).")
@city_option
@json_option
def balance(address: str, at: datetime | None, folder: Path, as_json: bool) -> None:
    """Show what the account ADDRESS holds, now or at a past moment.

    With --json: the object that accounts gives; with --at address, at, currency and balance_fen.
    """
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        now = city.ledger.balance(conn, address)
        moment = None if at is None else at.replace(tzinfo=city.timezone)
        then_fen = now.balance_fen if moment is None else city.ledger.balance_at(conn, address, moment)
    city.close()
    if moment is not None:
        if as_json:
            emit({"address": address, "at": moment, "currency": now.currency, "balance_fen": then_fen})
        else:
            pairs([("address", address), ("at", moment), ("balance", _amount(then_fen, now.currency))])
    elif as_json:
        emit(_account(now))
    else:
        pairs(
            [
                ("address", now.address),
                ("code", now.code),
                ("guard", now.guard.value),
                ("owner", now.owner or "-"),
                ("balance", _amount(now.balance_fen, now.currency)),
                ("available", _amount(now.available_fen, now.currency)),
                ("transfers", now.transfers),
            ]
        )


@click.command()
@click.argument("address")
@click.option("--before", type=click.IntRange(min=1), metavar="N", help="Only below this number of posting.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@city_option
@json_option
def transfers(address: str, before: int | None, limit: int, folder: Path, as_json: bool) -> None:
    """List the transfers of the account ADDRESS, newest first.

    With --json: an array of objects with posted_seq, posted_at and transfer, which has id, debit_address,
    credit_address, amount_fen, code, event_time, business_date, kind, ref and more.
    """
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        currency = city.ledger.balance(conn, address).currency
        found = city.ledger.transfers_of(conn, address, limit=limit, before=before)
    city.close()
    if as_json:
        emit(found)
        return
    table(
        ("number", "day", "code", "kind", "debit", "credit", "amount", "id"),
        [
            (
                one.posted_seq,
                one.transfer.business_date,
                one.transfer.code,
                one.transfer.kind.value,
                one.transfer.debit_address,
                one.transfer.credit_address,
                _amount(one.transfer.amount_fen, currency),
                one.transfer.id,
            )
            for one in found
        ],
    )


def _account(found: Balance) -> dict[str, object]:
    import attrs

    said = {field.name: getattr(found, field.name) for field in attrs.fields(type(found))}
    return said | {name: getattr(found, name) for name in ("balance_fen", "available_fen")}


def _amount(fen: int, currency: str) -> str:
    from citycard.ledger.reading import MONEY
    from citycard.money import yuan

    return yuan(fen) if currency == MONEY else str(fen)
