"""The commands of health: what an office does with files, and what it wants to know."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.cardnumber import CardNumber
from citycard.cli.options import NewFile, actor_option, city_option, json_option, opened

if TYPE_CHECKING:
    from citycard_health.claims import ClaimStatement

__all__ = [
    "claims_command",
    "day_command",
    "export_command",
    "import_command",
    "insured_command",
    "report_command",
    "schedule_command",
    "settle_command",
    "sports_command",
]

_DAY = click.DateTime(["%Y-%m-%d"])
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("insured")
@click.argument("file", type=_FILE)
@city_option
@json_option
def insured_command(file: Path, folder: Path, as_json: bool) -> None:
    """Take in FILE, CSV of card,plan,until: who is insured by which plan. All of it, or nothing.

    With --json: an object with lines.
    """
    from citycard.cli.output import emit
    from citycard_health.opening import settings_of
    from citycard_health.patients import import_insured

    with closing(opened(folder)) as city:
        lines = import_insured(city, settings_of(city), file.read_bytes(), file=file.name)
    emit({"lines": lines}) if as_json else click.echo(f"{lines} cards are insured as {file.name} says")


@click.command("schedule")
@click.argument("file", type=_FILE)
@city_option
@json_option
def schedule_command(file: Path, folder: Path, as_json: bool) -> None:
    """Take in FILE, CSV of doctors' hours, cut into slots that can be booked. All of it, or nothing.

    Its columns are clinic, department, doctor, level, day, from, until, minutes and places. With --json: an
    object with slots.
    """
    from citycard.cli.output import emit
    from citycard_health.booking import import_schedule
    from citycard_health.opening import settings_of

    with closing(opened(folder)) as city:
        slots = import_schedule(city, settings_of(city), file.read_bytes(), file=file.name)
    emit({"slots": slots}) if as_json else click.echo(f"{slots} slots are as {file.name} says")


@click.command("day")
@click.argument("clinic")
@click.option("--on", "day", type=_DAY, default=None, help="The day (default: today).")
@city_option
@json_option
def day_command(clinic: str, day: datetime | None, folder: Path, as_json: bool) -> None:
    """List who is expected at CLINIC on a day: what its tills take along to work offline.

    With --json: an object with clinic, day and appointments, each with id, asn, state, clinic, department,
    doctor, level, starts_at, ends_at, changed_at and record.
    """
    from citycard.cli.output import emit, table
    from citycard_health.booking import clinic_day
    from citycard_health.errors import NotFound
    from citycard_health.opening import settings_of

    with closing(opened(folder)) as city:
        if not settings_of(city).has_clinic(clinic):
            raise NotFound(what="clinic", name=clinic)
        found = clinic_day(city, clinic, (day or city.now_local()).date())
    if as_json:
        emit(found)
        return
    rows = [(f"{one.starts_at:%H:%M}", one.doctor, one.asn, one.state.value) for one in found.appointments]
    table(("AT", "DOCTOR", "CARD", "STATE"), rows)


@click.command("claims")
@click.argument("insurer")
@click.argument("month")
@click.option("--out", "--to", "target", type=NewFile(), help="Write the claims (CSV) into this new file.")
@city_option
@json_option
def claims_command(insurer: str, month: str, target: Path | None, folder: Path, as_json: bool) -> None:
    """Close MONTH (2026-03) of INSURER: its claims become a statement that the bank expects to be paid.

    Again it gives the same statement. With --json: an object with id, insurer, month, claims, total_fen,
    reference, state, closed_at and settled_at.
    """
    from citycard.store import reading
    from citycard_health.claims import claim_file, close_month
    from citycard_health.opening import settings_of

    with closing(opened(folder)) as city:
        made = close_month(city, settings_of(city), insurer, month)
        if target is not None:
            with reading(city.engine) as conn:
                target.write_text(claim_file(conn, made), encoding="utf-8")
    _show([made], as_json=as_json, one=True)


@click.command("settle")
@city_option
@json_option
def settle_command(folder: Path, as_json: bool) -> None:
    """Pass on to the clinics what insurers paid, for each statement whose money the bank has booked.

    With --json: an array of the statements that were settled now.
    """
    from citycard_health.claims import settle_paid
    from citycard_health.opening import settings_of

    with closing(opened(folder)) as city:
        settings_of(city)
        settled = settle_paid(city)
    _show(settled, as_json=as_json)


def _show(statements: list[ClaimStatement], *, as_json: bool, one: bool = False) -> None:
    from citycard.cli.output import emit, table
    from citycard.money import yuan

    if as_json:
        emit(statements[0] if one else statements)
        return
    rows = [(s.insurer, s.month, s.claims, yuan(s.total_fen), s.reference, s.state.value) for s in statements]
    table(("INSURER", "MONTH", "CLAIMS", "YUAN", "REFERENCE", "STATE"), rows)


@click.command("export")
@click.argument("card", type=CardNumber())
@click.argument("target", metavar="FILE", type=NewFile())
@click.option("--reason", required=True, help="Why it is read: its holder is told.")
@actor_option
@city_option
@json_option
def export_command(card: str, target: Path, reason: str, actor: str, folder: Path, as_json: bool) -> None:
    """Write the health record of CARD's holder into FILE, as an HL7 FHIR document (R4).

    With --json: an object with card and bytes.
    """
    from citycard.cli.output import emit
    from citycard.web.permissions import Actor, Role
    from citycard_health.access import open_record
    from citycard_health.fhir import export_summary
    from citycard_health.opening import settings_of

    with closing(opened(folder)) as city:
        settings_of(city)
        who = Actor(role=Role.OPERATOR, subject=actor)
        open_record(city, who, card, what="summary", reason=reason)
        content = export_summary(city, card).encode()
    target.write_bytes(content)
    if as_json:
        emit({"card": card, "bytes": len(content)})
    else:
        click.echo(f"the record of {card} is in {target}")


@click.command("import")
@click.argument("card", type=CardNumber())
@click.argument("file", type=_FILE)
@actor_option
@city_option
@json_option
def import_command(card: str, file: Path, actor: str, folder: Path, as_json: bool) -> None:
    """Take in FILE, an HL7 FHIR document (R4) about CARD's holder. All of it, or nothing.

    With --json: an object with card and added.
    """
    from citycard.cli.output import emit
    from citycard_health.fhir import import_summary
    from citycard_health.opening import settings_of

    with closing(opened(folder)) as city:
        settings_of(city)
        added = import_summary(city, card, file.read_bytes(), source=f"file by {actor}")
    emit({"card": card, "added": added}) if as_json else click.echo(f"{added} entries are new")


@click.command("sports")
@click.option("--from", "starts_on", type=_DAY, required=True, help="Its first day.")
@click.option("--until", "ends_on", type=_DAY, required=True, help="Its last day.")
@city_option
@json_option
def sports_command(starts_on: datetime, ends_on: datetime, folder: Path, as_json: bool) -> None:
    """Open the programme that pays sports at the city's venues; `citycard subsidy` funds and grants it.

    With --json: an object with added and programme.
    """
    from citycard.cli.output import emit
    from citycard_health.opening import settings_of
    from citycard_health.sports import open_programme

    with closing(opened(folder)) as city:
        settings = settings_of(city)
        added = open_programme(city, settings, starts_on.date(), ends_on.date())
    name = settings.sports.programme
    if as_json:
        emit({"added": added, "programme": name})
    else:
        click.echo(f"programme {name} is {'there now' if added else 'there already'}")


@click.command("report")
@city_option
@json_option
def report_command(folder: Path, as_json: bool) -> None:
    """Say what clinics took by who paid, what insurers owe, and what venues took.

    With --json: an object with clinics, insurers and venues.
    """
    from citycard.cli.output import emit, table
    from citycard.money import yuan
    from citycard.store import reading
    from citycard_health.opening import settings_of
    from citycard_health.reports import report

    with closing(opened(folder)) as city:
        settings = settings_of(city)
        with reading(city.engine) as conn:
            found = report(conn, settings)
    if as_json:
        emit(found)
        return
    rows = [
        (
            one.clinic,
            one.visits,
            *map(yuan, (one.price_fen, one.insured_fen, one.online_fen, one.purse_fen, one.returned_fen)),
        )
        for one in found.clinics
    ]
    table(("CLINIC", "VISITS", "PRICE", "INSURED", "ONLINE", "PURSE", "RETURNED"), rows)
    table(("INSURER", "OPEN"), [(one.insurer, yuan(one.open_fen)) for one in found.insurers])
    table(
        ("VENUE", "ENTRANCES", "PAID"),
        [(one.venue, one.entrances, yuan(one.paid_fen)) for one in found.venues],
    )
