"""``citycard terminal``: the terminals of a city, and what they must know to work offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import click

from citycard.cli.lazy import ListedGroup
from citycard.cli.lists import lists
from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, table

__all__ = ["group"]


@click.group(cls=ListedGroup)
def group() -> None:
    """Register terminals, and show what they must know to work offline."""


group.add_command(lists)


@group.command()
@click.argument("number")
@click.option("--partner", metavar="ID", help="Who runs it and is paid; needed when it is new.")
@click.option("--place", type=click.IntRange(1, 0xFFFFFFFF), metavar="CODE", help="Where it stands.")
@click.option("--place-name", metavar="NAME", help="Register that place by this name, too.")
@click.option(
    "--opened-on", type=click.DateTime(["%Y-%m-%d"]), help="Its first day [default: today, in the city]."
)
@city_option
@json_option
def add(
    number: str,
    partner: str | None,
    place: int | None,
    place_name: str | None,
    opened_on: Any,
    folder: Path,
    as_json: bool,
) -> None:
    """Register terminal NUMBER (12 digits); again without harm, refused when it is registered otherwise.

    With --json: an object with added, number, partner, place, opened_on and status.
    """
    from citycard import registry
    from citycard.errors import RegistryMissing
    from citycard.store import writing

    if place_name is not None and place is None:
        raise click.UsageError("--place-name: which place? give its --place, too")
    changes: dict[str, Any] = {
        "partner": partner,
        "place": place,
        "opened_on": opened_on.date() if opened_on is not None else None,
    }
    changes = {key: value for key, value in changes.items() if value is not None}
    city = opened(folder)
    try:
        with writing(city.engine) as conn:
            try:
                wanted = attrs.evolve(registry.find_terminal(conn, number), **changes)
            except RegistryMissing:
                if partner is None:
                    raise click.UsageError(f"terminal {number} is new: give its --partner") from None
                changes = {"opened_on": city.now_local().date()} | changes
                wanted = registry.Terminal(number=number, **changes)
            if place is not None and place_name is not None:
                registry.add_places(conn, [registry.Place(code=place, name=place_name)])
            added = registry.add_terminals(conn, [wanted]) == 1
    finally:
        city.close()
    if as_json:
        emit({"added": added} | attrs.asdict(wanted) | {"status": str(wanted.status)})
    else:
        how = "registered" if added else "registered already"
        click.echo(f"terminal {number} is {how}: partner {wanted.partner}")


@group.command("list")
@click.option("--partner", metavar="ID", help="Only those of a partner.")
@city_option
@json_option
def list_(partner: str | None, folder: Path, as_json: bool) -> None:
    """List the terminals by number.

    With --json: an array of objects with number, partner, place, opened_on and status.
    """
    from citycard import registry
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        found = registry.terminals(conn, partner=partner)
    city.close()
    if as_json:
        emit([attrs.asdict(one) | {"status": str(one.status)} for one in found])
        return
    rows = (
        (one.number, one.partner, "" if one.place is None else one.place, one.opened_on, one.status)
        for one in found
    )
    table(("terminal", "partner", "place", "opened", "status"), rows)


@group.command("config")
@click.option("--terminal", metavar="NUMBER", help="Sign it for this terminal (12 digits).")
@city_option
@json_option
def config(terminal: str | None, folder: Path, as_json: bool) -> None:
    """Print the configuration in force; what has changed since is published under the next number first.

    With --json: an object with number, digest, published_at and content; for a terminal also terminal and
    mac, the AES-CMAC (hex) by that terminal's key over the bytes that docs/city.md describes.
    """
    city = opened(folder)
    if terminal is not None:
        from citycard.registry import find_terminal
        from citycard.store import reading

        with reading(city.engine) as conn:
            find_terminal(conn, terminal)
    found = city.configuration()
    answer: dict[str, Any] = {
        "number": found.number,
        "digest": found.digest,
        "published_at": found.published_at,
        "content": found.content,
    }
    if terminal is not None:
        answer |= {"terminal": terminal, "mac": city.sams.sign_configuration(terminal, found)}
    city.close()
    if as_json:
        emit(answer)
        return
    content = answer.pop("content")
    shown = {
        **answer,
        "published_at": f"{found.published_at:%Y-%m-%d %H:%M:%S} UTC",
        "rules": content["rules_version"],
        "blacklist": content["blacklist"],
        "products": ", ".join(content["products"]),
        "plugins": ", ".join(content["enabled"]["city"]),
    }
    if "mac" in answer:
        shown["mac"] = answer["mac"].hex().upper()
    table(("", "configuration"), shown.items())
