"""Options of commands that pay somebody: the id that makes a call harmless twice, and a bank account."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from citycard.ids import new_id

if TYPE_CHECKING:
    from citycard.bank import BankAccount

__all__ = ["creditor_of", "creditor_options", "id_option"]

Function = Callable[..., Any]


def id_option(function: Function) -> Function:
    """Add ``--id UUID``: the id under which it is done once, a fresh one when left out."""
    return click.option(
        "--id",
        "identity",
        type=click.UUID,
        default=new_id,
        help="Its id: called again with the same one, nothing is done twice [default: a fresh one].",
    )(function)


def creditor_options(function: Function) -> Function:
    """Add ``--account-name``, ``--account`` and ``--bic``: a bank account to pay to."""
    named = click.option("--account-name", help="With bank: the holder of the bank account.")
    number = click.option("--account", "account_no", metavar="NUMBER", help="With bank: the account.")
    bank = click.option("--bic", default="", help="With bank: the BIC, where it is known.")
    return named(number(bank(function)))


def creditor_of(account_name: str | None, account_no: str | None, bic: str) -> BankAccount:
    """Give the bank account that the options name; a wrong call without its holder or number."""
    from citycard.bank import BankAccount

    if not account_name or not account_no:
        raise click.UsageError("a payment to a bank account needs --account-name and --account")
    return BankAccount(name=account_name, account=account_no, bic=bic)
