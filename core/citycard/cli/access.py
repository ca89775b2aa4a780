"""``citycard access``: who may see what on the city's pages."""

from __future__ import annotations

from pathlib import Path

import click

from citycard.cli.lazy import ListedGroup
from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, say, table

__all__ = ["group"]

_ROLES = ("operator", "auditor", "clerk", "partner", "citizen")
_WITH_SUBJECT = {"partner": "the partner's id", "citizen": "the card number"}


@click.group(cls=ListedGroup)
def group() -> None:
    """Grant, list and revoke access to the web pages."""


@group.command()
@city_option
@json_option
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What the token may do.")
@click.option(
    "--for", "subject", default="", help="Whose things: a partner's id, or a citizen's card number."
)
@click.option(
    "--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How long it is valid."
)
@click.option("--label", default="", help="A note about who has it.")
def grant(folder: Path, as_json: bool, role: str, subject: str, days: int, label: str) -> None:
    """Make a token and print it. It is kept as a digest only, so it cannot be shown again.

    With --json: an object with id, role, subject, expires_at and token.
    """
    from citycard.registry import find_card, find_partner
    from citycard.store import writing
    from citycard.web.permissions import Role
    from citycard.web.tables import ensure_tables
    from citycard.web.tokens import grant as make

    if role in _WITH_SUBJECT and not subject:
        raise click.UsageError(f"whose things may the {role} see? name {_WITH_SUBJECT[role]} with --for")
    city = opened(folder)
    ensure_tables(city.engine)
    with writing(city.engine) as conn:
        if role == "partner":
            find_partner(conn, subject)
        elif role == "citizen":
            find_card(conn, subject)
        access, secret = make(
            conn, role=Role(role), days=days, at=city.clock.now(), subject=subject, label=label[:100]
        )
    if as_json:
        emit(
            {
                "id": access.id,
                "role": role,
                "subject": subject,
                "expires_at": access.expires_at,
                "token": secret,
            }
        )
        return
    click.echo(secret)
    say(f"access {access.id} for the role {role}, valid until {access.expires_at:%Y-%m-%d %H:%M} UTC")


@group.command("list")
@city_option
@json_option
def list_(folder: Path, as_json: bool) -> None:
    """List the tokens that were made, ended ones too; their secrets are nowhere.

    With --json: an array of objects with id, role, subject, label, created_at, expires_at, revoked_at, valid.
    """
    from citycard.store import reading
    from citycard.web.tables import ensure_tables
    from citycard.web.tokens import listed

    city = opened(folder)
    ensure_tables(city.engine)
    with reading(city.engine) as conn:
        found = listed(conn)
    now = city.clock.now()
    if as_json:
        emit(
            [
                {
                    "id": access.id,
                    "role": access.role.value,
                    "subject": access.subject,
                    "label": access.label,
                    "created_at": access.created_at,
                    "expires_at": access.expires_at,
                    "revoked_at": access.revoked_at,
                    "valid": access.valid(now),
                }
                for access in found
            ]
        )
        return
    table(
        ("id", "role", "for", "valid until", "state", "label"),
        [
            (
                access.id,
                access.role.value,
                access.subject or "-",
                f"{access.expires_at:%Y-%m-%d %H:%M}",
                "valid" if access.valid(now) else "revoked" if access.revoked_at else "expired",
                access.label,
            )
            for access in found
        ],
    )


@group.command()
@city_option
@click.argument("name", metavar="ID")
def revoke(folder: Path, name: str) -> None:
    """End an access at once, with every browser session that was opened with it."""
    from citycard.store import writing
    from citycard.web.tables import ensure_tables
    from citycard.web.tokens import revoke as end

    city = opened(folder)
    ensure_tables(city.engine)
    with writing(city.engine) as conn:
        end(conn, name, at=city.clock.now())
    say(f"access {name} is revoked")
