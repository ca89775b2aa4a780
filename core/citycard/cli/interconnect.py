"""``citycard interconnect``: other cities whose cards are used here, and ours there."""

from __future__ import annotations

from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citycard.cli.interconnect_files import receive_command, send_command, status_command
from citycard.cli.interconnect_money import positions_command, settle_command, statement_command
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import NewFile, actor_option, city_option, json_option, opened
from citycard.cli.output import emit, say, table
from citycard.files import write_whole

if TYPE_CHECKING:
    from citycard.city.othercities import CityView

__all__ = ["group"]

_DAY = click.DateTime(["%Y-%m-%d"])
_PEM = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group(cls=ListedGroup)
def group() -> None:
    """Other cities: who takes part, files both ways, positions, settlement."""


def _day(value: datetime | None) -> date | None:
    return None if value is None else value.date()


@group.command("add")
@click.argument("code")
@click.option("--name", required=True, help="The city's name.")
@click.option("--name-zh", default="", help="Its Chinese name.")
@click.option(
    "--issuer",
    "issuers",
    multiple=True,
    metavar="HEX",
    help="An issuer id of its cards, 16 digits; may be given again (default: 0101, the code, FFFFFFFF).",
)
@click.option("--key", "pem", type=_PEM, help="Its public key, as its own ``interconnect key`` prints it.")
@click.option("--from", "first", type=_DAY, metavar="DAY", help="Its first day (default: in 30 days).")
@click.option("--address", default="", help="Where files are exchanged with it.")
@click.option("--account-name", default="", help="Who is paid.")
@click.option("--account", "account_no", default="", help="The account it is paid on.")
@click.option("--bic", "bank_bic", default="", help="Its bank.")
@city_option
@json_option
def add_command(
    code: str,
    issuers: tuple[str, ...],
    pem: Path | None,
    first: datetime | None,
    folder: Path,
    as_json: bool,
    **told: str,
) -> None:
    """Let the city CODE (four digits) take part from a day on; again without harm.

    With --json: the object of ``interconnect list``.
    """
    from citycard.city.othercities import add_other_city

    wanted: dict[str, Any] = {"code": code, "issuers": issuers or (f"0101{code}FFFFFFFF",), **told}
    if first is not None:
        wanted["valid_from"] = first.date()
    with closing(opened(folder)) as city:
        _told(add_other_city(city, wanted, pem.read_text(encoding="utf-8") if pem else ""), as_json)


@group.command("change")
@click.argument("code")
@click.option("--name", help="The city's name.")
@click.option("--name-zh", help="Its Chinese name.")
@click.option("--address", help="Where files are exchanged with it.")
@click.option("--account-name", help="Who is paid.")
@click.option("--account", "account_no", help="The account it is paid on.")
@click.option("--bic", "bank_bic", help="Its bank.")
@click.option("--reason", required=True, help="Why, for its history.")
@actor_option
@city_option
@json_option
def change_command(
    code: str, reason: str, actor: str, folder: Path, as_json: bool, **told: str | None
) -> None:
    """Change the name, the address or the account of the city CODE; what is left out stays.

    The next settlement pays the new account. What changed, why and who did it is kept. With --json: the
    object of ``interconnect list``.
    """
    from citycard.city.othercities import change_other_city

    changed = {name: value for name, value in told.items() if value is not None}
    if not changed:
        raise click.UsageError("say what is to change, such as --account")
    with closing(opened(folder)) as city:
        _told(change_other_city(city, code, changed, reason=reason, actor=actor), as_json)


@group.command("remove")
@click.argument("code")
@click.option("--until", "last", type=_DAY, metavar="DAY", help="Its last day (default: in 7 days).")
@city_option
@json_option
def remove_command(code: str, last: datetime | None, folder: Path, as_json: bool) -> None:
    """Let the city CODE take part until a day and no longer; what was tapped until then is still settled.

    With --json: the object of ``interconnect list``.
    """
    from citycard.city.othercities import remove_other_city

    with closing(opened(folder)) as city:
        _told(remove_other_city(city, code, _day(last)), as_json)


@group.command("believe")
@click.argument("code")
@click.argument("pem", type=_PEM, metavar="FILE")
@city_option
@json_option
def believe_command(code: str, pem: Path, folder: Path, as_json: bool) -> None:
    """Believe one more public key of the city CODE (Ed25519, PEM), such as its next one.

    With --json: the object of ``interconnect list``.
    """
    from citycard.city.othercities import believe_key

    with closing(opened(folder)) as city:
        _told(believe_key(city, code, pem.read_text(encoding="utf-8")), as_json)


@group.command("fee")
@click.argument("code")
@click.argument("used", type=click.Choice(["here", "there"]))
@click.option("--from", "first", type=_DAY, metavar="DAY", required=True, help="From which day of taps on.")
@click.option("--bp", type=click.IntRange(0, 10_000), default=0, show_default=True, help="Basis points.")
@click.option("--fen", type=click.IntRange(min=0), default=0, show_default=True, help="Fen for each debit.")
@click.option("--service", type=click.IntRange(0, 0xFFFF), help="Of this service alone (default: of all).")
@city_option
@json_option
def fee_command(
    code: str,
    used: str,
    first: datetime,
    bp: int,
    fen: int,
    service: int | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Agree with the city CODE on what the issuer keeps of a debit: of its cards here, or of ours there.

    What was agreed from a day on is never changed; the next fee begins on another day. With --json: the
    object of ``interconnect list``.
    """
    from citycard.city.othercities import agree_fee
    from citycard.registry.cities import EVERY_SERVICE, CityFee, Used

    wanted = CityFee(
        city=code,
        used=Used(used),
        service=EVERY_SERVICE if service is None else service,
        valid_from=first.date(),
        bp=bp,
        fixed_fen=fen,
    )
    with closing(opened(folder)) as city:
        _told(agree_fee(city, wanted), as_json)


@group.command("list")
@city_option
@json_option
def list_command(folder: Path, as_json: bool) -> None:
    """List the cities that take part, did, or will.

    With --json: an array of objects with city (code, name, name_zh, issuers, valid_from, valid_to, address,
    account_name, account_no and bank_bic), takes_part, keys, fees and changes (an array of objects with
    city, field, before, after, reason, at and actor).
    """
    from citycard.city.othercities import listed_cities

    with closing(opened(folder)) as city:
        found = listed_cities(city)
    if as_json:
        emit(found)
        return
    table(
        ("code", "city", "from", "until", "takes part", "keys", "fees"),
        [
            (
                one.city.code,
                one.city.name,
                one.city.valid_from,
                one.city.valid_to or "-",
                "yes" if one.takes_part else "no",
                len(one.keys),
                len(one.fees),
            )
            for one in found
        ],
    )


@group.command("key")
@click.option("--out", type=NewFile(), help="Write it into this new file [default: stdout].")
@city_option
@json_option
def key_command(out: Path | None, folder: Path, as_json: bool) -> None:
    """Print the public key by which other cities believe our files (Ed25519, PEM).

    With --json: an object with id and pem.
    """
    with closing(opened(folder)) as city:
        key = city.exchange_signer.key
    if out is not None:
        write_whole(out, key.pem.encode())
    if as_json:
        emit({"id": key.id, "pem": key.pem})
    elif out is None:
        click.echo(key.pem, nl=False)


for command in (
    send_command,
    receive_command,
    status_command,
    positions_command,
    statement_command,
    settle_command,
):
    group.add_command(command)


def _told(view: CityView, as_json: bool) -> None:
    if as_json:
        emit(view)
        return
    from citycard.registry.cities import EVERY_SERVICE

    until = f" until {view.city.valid_to}" if view.city.valid_to else ""
    say(f"{view.city.name} ({view.city.code}) takes part from {view.city.valid_from}{until}")
    for fee in view.fees:
        service = "every service" if fee.service == EVERY_SERVICE else f"service {fee.service}"
        say(f"from {fee.valid_from} cards used {fee.used}, {service}: {fee.bp} bp and {fee.fixed_fen} fen")
    for one in view.changes:
        say(one.words)
    if not view.keys:
        say(f"none of its files are believed: `citycard interconnect believe {view.city.code} FILE`")
