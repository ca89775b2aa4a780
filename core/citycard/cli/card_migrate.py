"""``citycard card migrate``, ``old``, ``take-over``, ``make-old``: what becomes of old sector cards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.options import NewFile, actor_option, city_option, json_option, opened
from citycard.cli.output import emit, table
from citycard.cli.reader_options import CardAt

if TYPE_CHECKING:
    from citycard.registry import OldCardMigration

__all__ = ["make_old", "migrate", "old_card", "take_over"]

# What names a file and no reader: a folder before it, or an ending after it.
_PATH = re.compile(r"/|\.[A-Za-z][A-Za-z0-9]{0,7}$")


def _eight_digits(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[0-9]{8}", value):
        raise click.BadParameter(f"{value!r} is no serial: expected 8 digits, such as 00012345")
    return value


_plan = click.option(
    "--plan", default="construction", show_default=True, help="The old cards' sector plan (docs/mifare.md)."
)


@click.command()
@click.option(
    "--old", metavar="READER|IMAGE", help="Where the old card is; not needed once it was seen empty."
)
@click.option("--new", required=True, metavar="READER|IMAGE", help="Where the new card is.")
@click.option(
    "--terminal", metavar="NUMBER", help="The registered terminal, 12 digits [default: the city's own desk]."
)
@_plan
@click.option("--resume", is_flag=True, help="Go on with a migration that was begun.")
@click.option(
    "--wait", type=click.FloatRange(0), default=10.0, show_default=True, help="Seconds for a card to come."
)
@actor_option
@city_option
@json_option
def migrate(
    old: str | None,
    new: str,
    terminal: str | None,
    plan: str,
    resume: bool,
    wait: float,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Move balance, points and rights of an old sector card to a new card of the city.

    READER is a reader's index or name, IMAGE the file of a software card. May be interrupted anywhere: run
    it again with --resume and the same two cards; once the old card was seen empty, --old may be left out.
    Exit code 5: refused, such as an old card that was replaced before. With --json: an object with old_card,
    new_asn, state, amount_fen, dedicated, started_at and changed_at.
    """
    from citycard.city.migration import CardMigration
    from citycard.mifare import plan_of
    from citycard.money import yuan

    if old is None and not resume:
        raise click.UsageError("--old: where is the old card? Only --resume may do without it")
    at_new, at_old = _at(new, wait), None if old is None else _at(old, wait)
    chosen = plan_of(plan)
    city = opened(folder)
    try:
        migration = CardMigration(city, chosen, terminal=terminal, actor=actor)
        with at_new.opened() as new_reader:
            if at_old is None:
                done = migration.finish(new_reader)
            else:
                with at_old.opened() as old_reader:
                    done = migration.migrate(old_reader, new_reader, resume=resume)
    finally:
        city.close()
    amount_fen = migration.amount_fen(done)
    if as_json:
        emit(_told(done, amount_fen))
        return
    click.echo(f"old card {done.old_card}: {yuan(amount_fen)} yuan moved to card {done.new_asn}")


@click.command("old")
@click.argument("number", metavar="NUMBER")
@city_option
@json_option
def old_card(number: str, folder: Path, as_json: bool) -> None:
    """Show what became of an old sector card, step by step; NUMBER is its number or that of its new card.

    With --json: an object with old_card, new_asn, plan, state, balance_fen, dedicated and steps (state, note,
    at). Exit code 4: nothing is known of it.
    """
    from citycard import registry
    from citycard.errors import MigrationUnknown
    from citycard.store import reading

    city = opened(folder)
    try:
        with reading(city.engine) as conn:
            found = registry.migrations_of(conn, old_card=number.upper(), new_asn=number)
            if not found:
                raise MigrationUnknown(number=number)
            steps = registry.migration_steps(conn, found[0].old_card)
    finally:
        city.close()
    known = found[0]
    if as_json:
        emit(
            {
                "old_card": known.old_card,
                "new_asn": known.new_asn,
                "plan": known.plan,
                "state": str(known.state),
                "balance_fen": known.balance_fen,
                "dedicated": known.dedicated,
                "steps": [{"state": str(one.state), "note": one.note, "at": one.at} for one in steps],
            }
        )
        return
    click.echo(f"old card {known.old_card} of plan {known.plan}, to card {known.new_asn}: {known.state}")
    table(("at", "state", "note"), [(f"{one.at:%F %T}", one.state, one.note) for one in steps])


@click.command("take-over")
@click.argument("amount", metavar="YUAN")
@click.option("--ref", required=True, help="The payment's own name; under one name it is noted once.")
@city_option
@json_option
def take_over(amount: str, ref: str, folder: Path, as_json: bool) -> None:
    """Note that the old system paid over YUAN for the money on its cards.

    With --json: an object with amount_fen, float_fen (the float of old cards after it), and already_at (when
    it was noted before, else null).
    """
    from citycard.city.migration import take_over_float
    from citycard.money import parse_yuan, yuan

    amount_fen = parse_yuan(amount)
    city = opened(folder)
    try:
        done = take_over_float(city, amount_fen, ref=ref)
    finally:
        city.close()
    if as_json:
        emit({"amount_fen": amount_fen, "float_fen": done.float_fen, "already_at": done.noted_at})
        return
    said = f"took over {yuan(amount_fen)} yuan"
    if done.noted_at is not None:
        said = f"payment {ref} of {yuan(amount_fen)} yuan was already noted on {done.noted_at:%F %T}"
    click.echo(f"{said}; the float of old cards is {yuan(done.float_fen)} yuan")


@click.command("make-old")
@click.argument("file", type=NewFile())
@click.option(
    "--serial", required=True, metavar="DIGITS", callback=_eight_digits, help="The card's serial, 8 digits."
)
@click.option("--balance", default="0", metavar="YUAN", show_default=True, help="What its purse holds.")
@click.option("--dedicated", type=click.IntRange(0), default=0, help="What its dedicated purse counts.")
@click.option("--kind", type=click.IntRange(1, 255), default=1, show_default=True, help="The card's kind.")
@_plan
@city_option
@json_option
def make_old(
    file: Path, serial: str, balance: str, dedicated: int, kind: int, plan: str, folder: Path, as_json: bool
) -> None:
    """Make an old sector card with the city's sector keys and write it into FILE, to try a migration.

    With --json: an object with old_card, uid, plan, balance_fen, dedicated and file.
    """
    import os

    from citycard.city.migration import sector_keys
    from citycard.cli.cardfile import CardFile, write_card_file
    from citycard.mifare import PseudoReader, SectorCard, issue_record, personalise_sector_card, plan_of
    from citycard.money import parse_yuan, yuan
    from citycard.terminal import InProcessReader

    chosen, balance_fen = plan_of(plan), parse_yuan(balance)
    city = opened(folder)
    try:
        issue = issue_record(chosen, city=city.config.city.code, serial=serial, card_kind=kind)
        card = SectorCard.blank(b"\x02" + os.urandom(3))
        number = personalise_sector_card(
            InProcessReader(PseudoReader(card)),
            chosen,
            sector_keys(city),
            issue,
            balance_fen=balance_fen,
            dedicated=dedicated,
        )
    finally:
        city.close()
    write_card_file(file, CardFile(kind="sector", image=card.image()))
    if as_json:
        emit(
            {
                "old_card": number,
                "uid": card.uid,
                "plan": plan,
                "balance_fen": balance_fen,
                "dedicated": dedicated,
                "file": file,
            }
        )
        return
    click.echo(f"old card {number} with {yuan(balance_fen)} yuan in {file}")


def _at(where: str, wait: float) -> CardAt:
    """Say where a card is: in a file of this name, or else in a reader; a missing file is a wrong call."""
    path = Path(where)
    if not path.is_file() and _PATH.search(where):
        raise click.BadParameter(f"File {where!r} does not exist.")
    image = path if path.is_file() else None
    reader = None if image else where
    return CardAt(reader=reader, image=image, profile=None, wait=wait, shared=False, trace=False)


def _told(done: OldCardMigration, amount_fen: int) -> dict[str, object]:
    return {
        "old_card": done.old_card,
        "new_asn": done.new_asn,
        "state": str(done.state),
        "amount_fen": amount_fen,
        "dedicated": done.dedicated,
        "started_at": done.started_at,
        "changed_at": done.changed_at,
    }
