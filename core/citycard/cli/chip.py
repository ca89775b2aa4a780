"""``citycard chip``: software cards as files, and in the slots of the virtual reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from citycard.cli.cardnumber import CardNumber
from citycard.cli.lazy import LazyGroup
from citycard.cli.options import NewFile, city_option, json_option, opened
from citycard.cli.output import emit, pairs, say, table

__all__ = ["group", "new", "show"]

# Name -> (where the click command stands, its line in --help). Loaded only when called.
_COMMANDS = {
    "new": ("citycard.cli.chip:new", "Make a card file: a blank chip, or a city's card of a product."),
    "serve": ("citycard.cli.chip_serve:serve", "Put software cards into the virtual PC/SC reader."),
    "show": ("citycard.cli.chip:show", "Show what a card file holds."),
}
_DIGITS = 20


@click.group(cls=LazyGroup, table=_COMMANDS)
def group() -> None:
    """Make software cards and offer them to any PC/SC program."""


@click.command()
@click.argument("file", type=NewFile())
@click.option(
    "--profile",
    default="t-union",
    show_default=True,
    help="The make of a blank card: a chip, a PSAM, a sector card.",
)
@click.option("--open", "transport", flag_value=False, default=True, help="Without a transport key.")
@click.option("--product", default=None, help="A product of the city: personalise the card with its keys.")
@click.option("--asn", type=CardNumber(), default=None, help="The number of the city's card, 20 digits.")
@city_option
@json_option
def new(
    file: Path,
    profile: str,
    transport: bool,
    product: str | None,
    asn: str | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Make FILE, a software card. FILE holds keys: keep it as you keep a card.

    Without --product it is a blank card of a profile, as its maker delivers it. With --product and --asn it
    is a card of the city, personalised, enabled, and entered in the registry under a number that no card has.
    With --json: an object with file, kind, profile, product and asn.
    """
    from citycard.cli.cardfile import blank_file, chip_file, write_card_file

    if (product is None) != (asn is None):
        raise click.UsageError("a city's card needs both: --product and --asn")
    if product is None:
        card = blank_file(profile, transport=transport)
    else:
        profile = "t-union"
        card = chip_file(_personalised(folder, product, str(asn)), profile)
    write_card_file(file, card)
    if as_json:
        emit({"file": file, "kind": card.kind, "profile": profile, "product": product, "asn": asn})
    else:
        say(f"made {file}: {f'card {asn} of product {product}' if product else f'a blank {profile} chip'}")


def _personalised(folder: Path, product: str, asn: str) -> Any:
    """Make a chip of the city and enter it in the registry; refuse a number that a card has."""
    from citycard import registry
    from citycard.errors import CardNumberTaken
    from citycard.store import writing

    if len(asn) != _DIGITS or not asn.isdecimal():
        raise click.UsageError(f"--asn {asn}: a card number has {_DIGITS} digits")
    city = opened(folder)
    try:
        on = city.now_local().date()
        chip = city.issuing.chip(asn, product, on)
        with writing(city.engine) as conn:
            if not registry.add_cards(conn, [city.issuing.card(asn, product, on)]):
                raise CardNumberTaken(asn=asn)
    finally:
        city.close()
    return chip


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--profile", default=None, help="The make, for a bare image that does not say it.")
@json_option
def show(file: Path, profile: str | None, as_json: bool) -> None:
    """Show what FILE holds: its kind, its make, its memory, and its files without their content.

    With --json: an object with kind, profile, algorithms, atr, used_bytes, capacity_bytes, interrupted and
    files (path, kind, size_bytes).
    """
    from citycard.cli.cardfile import read_card_file

    card_file = read_card_file(file, profile)
    card = card_file.card()
    facts: dict[str, Any] = {
        "kind": card_file.kind,
        "profile": card_file.profile,
        "algorithms": card_file.algorithms,
        "atr": card.atr,
        **_memory(card),
    }
    if as_json:
        emit(facts)
        return
    files = facts.pop("files")
    pairs((name.replace("_", " "), _said(value)) for name, value in facts.items() if value != ())
    if files:
        click.echo()
        table(("file", "kind", "bytes"), [(one["path"], one["kind"], one["size_bytes"]) for one in files])


def _memory(card: Any) -> dict[str, Any]:
    structure = getattr(card, "structure", None)
    if structure is None:
        return {"files": []}
    eeprom = card.eeprom
    return {
        "used_bytes": len(eeprom.cells),
        "capacity_bytes": eeprom.capacity,
        "interrupted": bool(eeprom.journal),
        "files": list(_files(structure, structure.root, "")),
    }


def _files(structure: Any, directory: Any, above: str) -> Iterator[dict[str, Any]]:
    from citycard.card.enums import FileKind

    path = f"{above}/{directory.fid:04X}"
    yield {"path": path, "kind": "directory", "size_bytes": directory.end - directory.address}
    for file in directory.files.values():
        known = file.kind in FileKind._value2member_map_
        kind = FileKind(file.kind).name.lower() if known else f"{file.kind:02X}"
        yield {"path": f"{path}/{file.fid:04X}", "kind": kind, "size_bytes": file.size}
    for address in directory.children.values():
        yield from _files(structure, structure.directories[address], path)


def _said(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex(" ").upper()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else value
