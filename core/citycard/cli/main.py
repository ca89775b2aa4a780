"""The entry point of ``citycard``: finds the command, runs it, and turns every error into one line.

Exit codes: 0 done, 1 the work found something wrong, 2 the call is wrong, 3 the input is wrong,
4 something needed is missing, 5 refused, 70 an unexpected error, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from citycard.cli.lazy import LazyGroup
from citycard.errors import CitycardError

__all__ = ["cli", "main"]

# Name -> (where the click command stands, its line in --help). Loaded only when called.
_COMMANDS = {
    "access": ("citycard.cli.access:group", "Grant, list and revoke access to the web pages."),
    "bank": ("citycard.cli.bank:group", "Instruct the bank, take in its statements, reconcile."),
    "account": ("citycard.cli.account:group", "Online accounts: pay, hold, limit; shadows of cards."),
    "bench": ("citycard.cli.bench:group", "Measure what this machine can do."),
    "agent": ("citycard.cli.agent:group", "Load agents: quota, deposits, closed days, statements."),
    "card": ("citycard.cli.card:group", "Read cards at a reader; load, pay, issue and manage them."),
    "chip": ("citycard.cli.chip:group", "Make software cards and offer them to any PC/SC program."),
    "chargeback": ("citycard.cli.chargeback:group", "Top-ups that a bank or provider takes back."),
    "city": ("citycard.cli.city:group", "Make a city, look at it."),
    "clearing": ("citycard.cli.clearing:group", "Receive batches, clear them, settle."),
    "float": ("citycard.cli.floating:command", "What the city owes and holds, at any moment."),
    "interconnect": ("citycard.cli.interconnect:group", "Other cities' cards here, ours there."),
    "job": ("citycard.cli.job:group", "Make many cards of a product: open a job, run it, look at it."),
    "key": ("citycard.cli.key:group", "Key versions, ceremonies, keys under transport."),
    "partner": ("citycard.cli.partner:group", "Register partners, list and show them."),
    "plugin": ("citycard.cli.plugin:group", "List, inspect, enable and disable plugins."),
    "points": ("citycard.cli.points:group", "Points of partners: earn, use, exchange."),
    "product": ("citycard.cli.product:group", "List card products, show and retire them."),
    "refund": ("citycard.cli.refund:group", "Give back purchases, list what was given back."),
    "replay": ("citycard.cli.replay:group", "Play a city's taps through terminals and chips."),
    "sandbox": ("citycard.cli.sandbox:group", "Run a payment provider of your own, to try top-ups against."),
    "sam": ("citycard.cli.sam:group", "Issue, update, list and revoke the SAMs of terminals."),
    "serve": ("citycard.cli.serve:serve", "Serve the city's pages and endpoints."),
    "simulate": ("citycard.cli.simulate:command", "Let a made-up city of any size tap, with known truth."),
    "statement": ("citycard.cli.statement:group", "Statements of cards and partners."),
    "stock": ("citycard.cli.stock:group", "Keep number ranges and the stock of blank cards."),
    "subsidy": ("citycard.cli.subsidy:group", "Subsidy programmes: fund, grant, report."),
    "supervision": ("citycard.cli.supervision:group", "Adoption by district and domain, against targets."),
    "terminal": ("citycard.cli.terminal:group", "Register terminals; what they must know."),
    "topup": ("citycard.cli.topup:group", "Orders paid online, loads whose end is open, automatic top-up."),
    "wallet": ("citycard.cli.wallet:group", "Look into the ledger, seal it, verify it, prove answers."),
}


_UNEXPECTED = 70


class _Commands(LazyGroup):
    """The core's commands by name, and one group per installed plugin that brings commands."""

    def lines(self) -> dict[str, str]:
        # The lines come from the table and the entry points, so that --help imports nothing.
        from citycard.cli.plugged import plugin_names

        return {name: f"Commands of the plugin {name}." for name in plugin_names()} | super().lines()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from citycard.cli.plugged import plugin_command

        return super().get_command(ctx, cmd_name) or plugin_command(cmd_name)


@click.group(cls=_Commands, table=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="citycard", prog_name="citycard")
def cli() -> None:
    """Run a city on one card: issue, tap, clear, settle."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        answer: Any = cli.main(args=arguments, prog_name="citycard", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as asked:
        # Called without a word: the help is the answer, and it was still not a call.
        click.echo(asked.message, err=True)
        return 2
    except BrokenPipeError:
        # The reader went away (citycard … | head); nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # a plugin's command may raise anything; a user never meets a traceback
        line, exit_code = _told(error)
        if exit_code == _UNEXPECTED and os.environ.get("CITYCARD_DEBUG"):
            raise
        click.echo(" ".join(line.split()), err=True)
        return exit_code
    return answer if isinstance(answer, int) else 0


def _told(error: Exception) -> tuple[str, int]:
    """Say an error in one line, and give its exit code."""
    store = sys.modules.get("sqlalchemy.exc")
    if isinstance(error, click.NoSuchOption) and error.option_name.lstrip("-")[:1].isdigit():
        context = error.ctx
        expected = "an amount is yuan without a sign, such as 12.34: what begins with - is read as an option"
        told = f"{context.command_path if context else 'citycard'}: {expected}", 2
    elif isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        told = f"{context.command_path if context else 'citycard'}: {error.format_message()}", 2
    elif isinstance(error, click.Abort):
        told = "citycard: interrupted", 130
    elif isinstance(error, CitycardError):
        told = f"citycard: {error}", error.exit_code
    elif isinstance(error, OSError):
        # The disk says no: a folder that cannot be written, a full disk, a file that is gone.
        told = f"citycard: {error.filename or 'the disk'}: {error.strerror or error}", 4
    elif store is not None and isinstance(error, store.OperationalError):
        told = f"citycard: the city's database does not do it: {error.orig}", 4
    else:
        kind = type(error).__name__
        told = f"citycard: unexpected {kind}: {error} (CITYCARD_DEBUG=1 shows where)", _UNEXPECTED
    return told
