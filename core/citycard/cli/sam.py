"""``citycard sam``: the security modules of terminals, made in a reader or as files."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from citycard.cli.lazy import ListedGroup
from citycard.cli.options import NewFile, city_option, json_option, opened
from citycard.cli.output import emit, say, table

if TYPE_CHECKING:
    from citycard.cli.reader_options import CardAt
    from citycard.registry.sams import Sam, SamChange

__all__ = ["group"]

Function = Callable[..., Any]


@click.group(cls=ListedGroup)
def group() -> None:
    """Issue, update, list and revoke the SAMs of terminals."""


def _sam_option(*, new: bool = False) -> Callable[[Function], Function]:
    """Add --reader and --image; a new image may be a file that is not there yet."""

    def add(function: Function) -> Function:
        image = click.option(
            "--image",
            type=NewFile(again=True) if new else click.Path(path_type=Path, dir_okay=False, exists=True),
            help="The file of a SAM in software" + (", made when it is not there." if new else "."),
        )
        reader = click.option("--reader", help="The SAM's reader: its index, name or expression.")
        return reader(image(function))

    return add


def _at(reader: str | None, image: Path | None) -> CardAt:
    from citycard.cli.reader_options import CardAt

    if (reader is None) == (image is None):
        raise click.UsageError("where is the SAM? give --reader or --image")
    return CardAt(reader=reader, image=image, profile=None, wait=10.0, shared=False, trace=False)


@group.command()
@click.argument("terminal")
@click.option("--number", help="The SAM's number, 20 digits [default: the city's code and the terminal].")
@click.option("--blocking", is_flag=True, help="Give it the key that blocks blacklisted cards, too.")
@click.option("--fuel", is_flag=True, help="Give it the key that locks cards at a fuel pump, too.")
@_sam_option(new=True)
@city_option
@json_option
def issue(
    terminal: str,
    number: str | None,
    blocking: bool,
    fuel: bool,
    reader: str | None,
    image: Path | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Make a blank SAM the SAM of TERMINAL (12 digits, registered); interrupted, call it again.

    With --json: an object with number, terminal, status, issued_at, revoked_at and keys (purpose: versions).
    """
    at, city = _at(reader, image), opened(folder)
    if image is not None and not image.exists():
        from citycard.cli.cardfile import CardFile, write_card_file
        from citycard.psam import TRANSIT_PSAM, Psam

        blank = Psam.blank(TRANSIT_PSAM)
        write_card_file(image, CardFile(kind="psam", profile=TRANSIT_PSAM.name, image=blank.image()))
    with at.opened() as sam:
        made = city.sams.issue(
            terminal, sam, number=number, blocking=blocking, fuel=fuel, actor=getpass.getuser()
        )
    city.close()
    _tell(made, as_json=as_json, words=f"SAM {made.number} is the SAM of terminal {terminal}")


@group.command()
@click.argument("number")
@_sam_option()
@city_option
@json_option
def update(number: str, reader: str | None, image: Path | None, folder: Path, as_json: bool) -> None:
    """Load the key versions of today into SAM NUMBER; those it has stay, and so does its serial.

    With --json: the object of ``sam issue``.
    """
    at, city = _at(reader, image), opened(folder)
    with at.opened() as sam:
        updated = city.sams.update(number, sam, actor=getpass.getuser())
    city.close()
    _tell(updated, as_json=as_json, words=f"SAM {number} has its keys: {_keys(updated)}")


@group.command("list")
@click.option("--status", type=click.Choice(["issued", "in use", "revoked"]), help="Only those of a status.")
@city_option
@json_option
def list_(status: str | None, folder: Path, as_json: bool) -> None:
    """List the SAMs by number; with --json: a list of the objects of ``sam issue``."""
    from citycard.registry.sams import SamStatus

    city = opened(folder)
    found = city.sams.held(None if status is None else SamStatus(status))
    city.close()
    if as_json:
        emit([_plain(sam) for sam in found])
        return
    rows = ((sam.number, sam.terminal, sam.status, _keys(sam)) for sam in found)
    table(("number", "terminal", "status", "keys"), rows)


@group.command()
@click.argument("number")
@city_option
@json_option
def show(number: str, folder: Path, as_json: bool) -> None:
    """Show a SAM and what happened to it.

    With --json: the object of ``sam issue`` and history, a list of at, what, reason and actor.
    """
    city = opened(folder)
    sam, history = city.sams.find(number), city.sams.history(number)
    city.close()
    if as_json:
        emit(_plain(sam) | {"history": [_step(change) for change in history]})
        return
    click.echo(f"SAM {sam.number} of terminal {sam.terminal}: {sam.status}; keys: {_keys(sam)}")
    rows = ((f"{one.at:%Y-%m-%d %H:%M:%S} UTC", one.what, one.reason, one.actor) for one in history)
    table(("at", "what", "reason", "by"), rows)


@group.command()
@click.argument("number")
@click.option("--reason", required=True, help="Why: lost, stolen, broken …")
@city_option
@json_option
def revoke(number: str, reason: str, folder: Path, as_json: bool) -> None:
    """Revoke SAM NUMBER for ever: what it signs from now on is held at clearing.

    With --json: the object of ``sam issue``.
    """
    city = opened(folder)
    sam = city.sams.revoke(number, reason=reason, actor=getpass.getuser())
    city.close()
    _tell(sam, as_json=as_json, words=f"SAM {number} of terminal {sam.terminal} is revoked")


def _tell(sam: Sam, *, as_json: bool, words: str) -> None:
    if as_json:
        emit(_plain(sam))
    else:
        say(words)


def _plain(sam: Sam) -> dict[str, Any]:
    plain = attrs.asdict(sam)
    return plain | {"status": str(sam.status)}


def _step(change: SamChange) -> dict[str, Any]:
    return {name: value for name, value in attrs.asdict(change).items() if name != "sam"}


def _keys(sam: Sam) -> str:
    versions = (f"{purpose} {', '.join(map(str, held))}" for purpose, held in sam.keys.items())
    return "; ".join(versions) or "none yet"
