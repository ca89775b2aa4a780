"""``citycard terminal``: what terminals must know to work offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from citycard.cli.lazy import ListedGroup
from citycard.cli.lists import lists
from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, table

__all__ = ["group"]


@click.group(cls=ListedGroup)
def group() -> None:
    """Show what terminals must know to work offline."""


group.add_command(lists)


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
