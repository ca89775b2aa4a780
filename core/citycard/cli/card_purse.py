"""``citycard card load``, ``pay`` and ``verify``: a card at a reader, with the city's keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, say, table
from citycard.cli.reader_options import CardAt, card_option

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.city.handheld import Paid
    from citycard.clearing.codes import Code

__all__ = ["load", "pay", "verify"]

_terminal = click.option(
    "--terminal", required=True, metavar="NUMBER", help="The registered terminal that this is, 12 digits."
)


@click.command()
@click.argument("amount", metavar="YUAN")
@_terminal
@click.option("--agent", default="", help="The partner who takes the citizen's money [default: the city].")
@city_option
@card_option
@json_option
def load(amount: str, terminal: str, agent: str, folder: Path, at: CardAt, as_json: bool) -> None:
    """Put YUAN on the purse: MAC1 to the city's desk, MAC2 to the card, TAC to the ledger.

    A card that left meanwhile is held to the reader again and the same command repeated: it finds out how the
    load ended, and loads only when it was not done. With --json: an object with asn, amount_fen,
    balance_before_fen, balance_after_fen, counter, terminal, at and recovered.
    """
    from citycard.city.handheld import Handheld
    from citycard.cli.amount import amount_of
    from citycard.money import yuan

    amount_fen = amount_of(amount)
    city = opened(folder)
    try:
        if agent:
            _check_agent(city, agent)
        with Handheld(city, terminal, agent=agent) as handheld, at.opened() as reader:
            done = handheld.load(reader, amount_fen)
    finally:
        city.close()
    if as_json:
        emit(
            {
                "asn": done.asn,
                "amount_fen": done.amount_fen,
                "balance_before_fen": done.balance_before_fen,
                "balance_after_fen": done.balance_after_fen,
                "counter": done.counter,
                "terminal": done.terminal,
                "at": done.at,
                "recovered": done.recovered,
            }
        )
        return
    if done.recovered:
        say("an earlier load of this card had been torn: it was done, and nothing was loaded again")
    click.echo(
        f"card {done.asn}: loaded {yuan(done.amount_fen)}, balance {yuan(done.balance_after_fen)} yuan"
    )


def _check_agent(city: City, agent: str) -> None:
    """Refuse a name that is no load agent: nobody would ever be asked for the money."""
    from citycard.store import reading
    from citycard.wallet.agents import find_agent

    with reading(city.engine) as conn:
        find_agent(conn, agent)


@click.command()
@click.argument("amount", metavar="YUAN")
@_terminal
@click.option("--service", default=None, help="What is paid for: a service of a plugin, by its name.")
@city_option
@card_option
@json_option
def pay(amount: str, terminal: str, service: str | None, folder: Path, at: CardAt, as_json: bool) -> None:
    """Take YUAN from the purse as a terminal with its SAM does, and write the record into a batch file.

    Hand the file in with citycard clearing receive. A record without --service is kept there until somebody
    says what it was for. A card that left meanwhile is held to the reader again and the same command
    repeated. Where another purchase of the card had been torn, its record is in a file of its own: hand in
    both. With --json: an object with asn, amount_fen, balance_before_fen, balance_after_fen, counter,
    terminal, terminal_serial, tac, at, recovered, finished_fen (of another purchase that was done after all,
    or null), batch, earlier_batch (the file of another purchase, or null) and warning (null, or why clearing
    will suspend it).
    """
    from citycard.city.handheld import Handheld
    from citycard.cli.amount import amount_of
    from citycard.money import yuan
    from citycard.terminal import RecordPlan

    amount_fen = amount_of(amount)
    city = opened(folder)
    try:
        number = _service(city, service) if service else 0
        plan = RecordPlan(service=number, list_price_fen=amount_fen)
        with Handheld(city, terminal) as handheld, at.opened() as reader:
            try:
                paid = handheld.pay(reader, amount_fen, plan)
            finally:
                _tell_earlier(handheld.earlier)
            warning = _warning(city, service, *handheld.priced(paid))
    finally:
        city.close()
    debit = paid.debit
    if as_json:
        emit(
            {
                "asn": debit.asn,
                "amount_fen": debit.amount_fen,
                "balance_before_fen": debit.balance_before_fen,
                "balance_after_fen": debit.balance_after_fen,
                "counter": debit.counter,
                "terminal": debit.terminal,
                "terminal_serial": debit.terminal_serial,
                "tac": debit.tac,
                "at": debit.at,
                "recovered": debit.recovered,
                "finished_fen": _done_fen(paid.earlier),
                "batch": paid.batch,
                "earlier_batch": paid.earlier.batch if paid.earlier is not None else None,
                "warning": warning,
            }
        )
        return
    if debit.recovered:
        say("an earlier purchase of this card had been torn: it was done, and nothing was taken again")
    left = yuan(debit.balance_after_fen)
    click.echo(f"card {debit.asn}: paid {yuan(debit.amount_fen)}, balance {left} yuan")
    click.echo(f"record in {paid.batch}")
    if warning is not None:
        say(warning)


def _tell_earlier(earlier: Paid | None) -> None:
    """Tell of another purchase that was torn, also when the one asked for is refused or torn, too."""
    from citycard.money import yuan

    if earlier is None:
        return
    ended = "nobody can tell whether it was done" if _done_fen(earlier) is None else "it was done"
    say(f"another purchase of this card, of {yuan(earlier.debit.amount_fen)} yuan, had been torn: {ended}")
    say(f"its record in {earlier.batch}")


def _done_fen(earlier: Paid | None) -> int | None:
    from citycard.terminal.views import Outcome

    return earlier.debit.amount_fen if earlier and earlier.debit.outcome is Outcome.DONE else None


def _warning(city: City, service: str | None, code: Code | None, why: str) -> str | None:
    """Say at the till that clearing will suspend the record, and what settles; None when it will not."""
    if code is None or str(code.state) != "suspended":
        return None
    names = ", ".join(sorted(owned.record.name for owned in city.plugins.services()))
    settles = "pay with --service and one of: " + names if names else "enable a plugin with a service"
    if service is not None:
        settles = "let the city's rules give this service such a price"
    reason = f" ({why})" if why else ""
    return f"clearing will suspend this record, {code.name}: {code.title}{reason}; {settles}"


def _service(city: City, name: str) -> int:
    services = {owned.record.name: owned.record.number for owned in city.plugins.services()}
    if name not in services:
        raise click.UsageError(f"--service {name}: services: {', '.join(sorted(services)) or 'none'}")
    return services[name]


@click.command()
@city_option
@card_option
@json_option
def verify(folder: Path, at: CardAt, as_json: bool) -> int:
    """Say whether the card is genuine: its keys, MACs, counters, log and what the registry knows of it.

    Nothing is written on the card. Exit code 1: something is wrong. With --json: an object with genuine and
    checks (name, ok, words); ok is null where this card could not be asked.
    """
    from citycard.city.genuine import verify_card

    city = opened(folder)
    try:
        with at.opened() as reader:
            checks = verify_card(city, reader)
    finally:
        city.close()
    genuine = all(check.ok is not False for check in checks)
    if as_json:
        emit({"genuine": genuine, "checks": checks})
    else:
        words = {True: "ok", False: "WRONG", None: "-"}
        table(("check", "", ""), [(check.name, words[check.ok], check.words) for check in checks])
        click.echo("\nthe card is genuine" if genuine else "\nthe card is NOT what it should be")
    return 0 if genuine else 1
