"""``citycard card readers``, ``read``, ``dump`` and ``apdu``: a card at a reader, without any key."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from citycard.cli.options import json_option, opened
from citycard.cli.output import emit, pairs, table
from citycard.cli.reader_options import CardAt, card_option

if TYPE_CHECKING:
    from citycard.pcsc.reading import Purse

__all__ = ["apdu", "dump", "read", "readers"]

_SHORTEST, _ID = 4, 2


@click.command()
@json_option
def readers(as_json: bool) -> int:
    """List the PC/SC readers of this machine by index, and whether a card is in each.

    Exit code 1: the service runs and has no reader. With --json: an array of objects with index, name,
    present, in_use and atr.
    """
    from citycard.pcsc.context import PcscContext

    context = PcscContext()
    try:
        names = context.readers()
        seen = context.look(names)
    finally:
        context.close()
    rows = [(index, name, seen[name]) for index, name in enumerate(names) if name in seen]
    if as_json:
        emit(
            [
                {"index": index, "name": name, "present": one.present, "in_use": one.in_use, "atr": one.atr}
                for index, name, one in rows
            ]
        )
    else:
        table(
            ("index", "reader", "card", "answer to reset"),
            [
                (
                    index,
                    name,
                    "in use" if one.in_use else "yes" if one.present else "no",
                    one.atr.hex(" ").upper(),
                )
                for index, name, one in rows
            ],
        )
    return 0 if rows else 1


@click.command()
@card_option
@json_option
def read(at: CardAt, as_json: bool) -> int:
    """Show what a card says about itself: number, validity, balance, log and journeys. No keys are needed.

    T-Union, City Union and several cities' own cards are known; of a sector card it shows the number that it
    shows to everybody. Exit code 1: a card is there, and no purse that is known. With --json: an object with
    atr, uid and purses (name, aid, number, start, expiry, balance_fen, log, journeys and more).
    """
    from citycard.pcsc.reading import read_card

    with at.opened() as reader:
        card = read_card(reader)
    if as_json:
        emit(card)
    elif card.uid:
        pairs([("card", "sector card (MIFARE Classic)"), ("uid", card.uid.hex(" ").upper())])
    else:
        for purse in card.purses:
            _show(purse)
        if not card.purses:
            click.echo(f"a card that is not known here; its answer to reset is {card.atr.hex(' ').upper()}")
    return 0 if card.purses or card.uid else 1


def _show(purse: Purse) -> None:
    from citycard.money import yuan

    pairs(_facts(purse))
    if purse.log:
        click.echo()
        table(
            ("no", "when", "what", "amount", "terminal"),
            [(one.counter, one.at, _name(one.tti), yuan(one.amount_fen), one.terminal) for one in purse.log],
        )
    elif purse.log_status not in {"9000", "6A83"}:  # an empty log has no record 1
        from citycard.pcsc.statuswords import explain

        status = bytes.fromhex(purse.log_status)
        click.echo(f"\nthe log cannot be read ({purse.log_status}): {explain(status)}")
    if purse.journeys:
        click.echo()
        table(
            ("when", "what", "by", "city", "station", "amount"),
            [
                (one.at, _name(one.kind), _name(one.industry), one.city, one.station, yuan(one.amount_fen))
                for one in purse.journeys
            ],
        )


def _facts(purse: Purse) -> Iterator[tuple[str, object]]:
    from citycard.money import yuan

    yield "card", f"{purse.name} {purse.name_zh}"
    for label, value in (("number", purse.number), ("issuer", purse.issuer), ("city", purse.city)):
        if value:
            yield label, value
    if purse.kind is not None:
        yield "kind", f"{purse.kind}{'' if purse.interoperable else ', in its own city only'}"
    if purse.start or purse.expiry:
        yield "valid", f"{purse.start or '?'} to {purse.expiry or '?'}"
    if purse.enabled is not None:
        yield "enabled", "yes" if purse.enabled else "no"
    yield "balance", "cannot be read" if purse.balance_fen is None else f"{yuan(purse.balance_fen)} yuan"


def _name(value: Any) -> str:
    return str(value.name).lower().replace("_", " ")


@click.command()
@click.option(
    "--city", "folder", type=click.Path(path_type=Path), help="Decode sectors as this city has them."
)
@card_option
@json_option
def dump(folder: Path | None, at: CardAt, as_json: bool) -> None:
    """Show every file that a short id reaches and that the card lets anybody read, decoded and in hex.

    With --city the sectors of its plugins are decoded too. With --json: an array of directories, each with
    name, aid, fci and files (sfi, title, status, hex, fields, records).
    """
    from citycard.pcsc.applications import find_applications, reset_selection
    from citycard.pcsc.files import read_files

    sectors = _sectors(folder) if folder is not None else {}
    found: list[dict[str, Any]] = []
    with at.opened() as reader:
        reader.connect()
        if reset_selection(reader):
            found.append(
                {"name": "master file", "aid": "", "fci": "", "files": _files(read_files(reader), "", {})}
            )
        found += [
            {
                "name": application.name,
                "aid": application.aid,
                "fci": fci,
                "files": _files(read_files(reader), application.layout, sectors),
            }
            for application, fci in find_applications(reader)
        ]
    if as_json:
        emit(found)
        return
    for directory in found:
        click.echo(
            f"{directory['name']}  {directory['aid'].hex().upper() if directory['aid'] else ''}".rstrip()
        )
        for file in directory["files"]:
            _show_file(file)


def _sectors(folder: Path) -> dict[int, type]:
    """Give the layouts of a city's sectors by the record id under which its cards carry them."""
    city = opened(folder)
    try:
        layouts = {owned.record.name: owned.record.record for owned in city.plugins.sectors()}
        places = [place for version in city.issuing.publish() for place in version.places]
    finally:
        city.close()
    return {place.record_id: layouts[place.sector] for place in places if place.sector in layouts}


def _files(files: Any, layout: str, sectors: dict[int, type]) -> list[dict[str, Any]]:
    """Decode files by the layouts of a transit card; those of other cards stay bytes."""
    from citycard.card import TRANSIT_PROFILE

    known = {file.sfi: file for file in TRANSIT_PROFILE.files} if layout == "t-union" else {}
    found = []
    for file in files:
        entry = known.get(file.sfi)
        record = entry.record if entry is not None else None
        held = sectors if file.sfi == TRANSIT_PROFILE.sector_sfi else {}
        found.append(
            {
                "sfi": f"{file.sfi:02X}",
                "title": entry.title if entry is not None else "",
                "status": file.status,
                "hex": file.data,
                "fields": _decoded(record, file.data) if file.data else None,
                "records": [
                    {"hex": one, "fields": _sector(held, one) or _decoded(record, one)}
                    for one in file.records
                ],
            }
        )
    return found


def _sector(sectors: dict[int, type], record: bytes) -> dict[str, Any] | None:
    """Decode a record of sectors: two bytes of id, one of length, the body."""
    kind = sectors.get(int.from_bytes(record[:_ID], "big"))
    return _decoded(kind, record[_ID + 1 :])


def _decoded(kind: type | None, data: bytes) -> dict[str, Any] | None:
    from citycard.card import decode
    from citycard.errors import CodecError

    if kind is None:
        return None
    try:
        fields: dict[str, Any] = attrs.asdict(decode(kind, data))
    except CodecError:
        return None
    return fields


def _show_file(file: dict[str, Any]) -> None:
    from citycard.pcsc.statuswords import explain

    status = file["status"]
    why = "" if status == "9000" else f"  {status}: {explain(bytes.fromhex(status))}"
    click.echo(f"  {file['sfi']}  {file['title']}{why}".rstrip())
    for number, one in enumerate([file] if file["hex"] else file["records"], 1):
        head = "" if one is file else f"{number}: "
        if not one["hex"].strip(b"\x00") or not one["hex"].strip(b"\xff"):
            click.echo(f"      {head}{len(one['hex'])} bytes, empty")
            continue
        click.echo(f"      {head}{one['hex'].hex(' ').upper()}")
        for name, value in (one["fields"] or {}).items():
            shown = (
                _name(value) if hasattr(value, "name") else value.hex() if isinstance(value, bytes) else value
            )
            click.echo(f"        {name} = {shown}")


@click.command()
@click.argument("commands", nargs=-1, metavar="[HEX]...")
@click.option("--check", is_flag=True, help="Stop at the first answer that is not 9000, with exit code 1.")
@card_option
@json_option
def apdu(commands: Sequence[str], check: bool, at: CardAt, as_json: bool) -> int:
    """Send raw commands, each one argument in hex, or one a line on stdin; show answers and what they mean.

    On stdin empty lines and what follows a # are left out, and the word reset powers the card up anew. With
    --json: an array of objects with command, data, status and meaning.
    """
    from citycard.pcsc.statuswords import explain
    from citycard.pcsc.trace import masked

    answers: list[dict[str, Any]] = []
    failed = False
    with at.opened() as reader:
        reader.connect()
        for command in _script(commands):
            if command is None:
                reader.connect()
                continue
            answer = reader.transmit(command)
            data, status = answer[:-2], answer[-2:]
            shown = masked(command)
            answers.append({"command": shown, "data": data, "status": status, "meaning": explain(status)})
            if not as_json:
                told = f"{data.hex(' ').upper()} " if data else ""
                click.echo(f"> {shown}\n< {told}[{status.hex().upper()}] {explain(status)}")
            if status != b"\x90\x00" and check:
                failed = True
                break
    if as_json:
        emit(answers)
    return 1 if failed else 0


def _script(commands: Sequence[str]) -> Iterator[bytes | None]:
    """Give each command; None stands for a reset. A wrong one is refused before it is sent."""
    for line in commands or sys.stdin:
        text = line.partition("#")[0].strip()
        if text == "reset":
            yield None
        elif text:
            try:
                command = bytes.fromhex(text.replace(":", " "))
            except ValueError:
                raise click.UsageError(f"{text!r} is not hex") from None
            if len(command) < _SHORTEST:
                raise click.UsageError(f"{text!r} is no command: it has at least four bytes")
            yield command
