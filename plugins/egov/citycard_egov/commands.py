"""``citycard egov register`` and ``application``: what an office's people do with files."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

from citycard.cli.cardnumber import CardNumber
from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit, say, table

__all__ = ["application", "register"]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def register() -> None:
    """The resident register: import, conflicts, settle, show, readings."""


@register.command("import")
@click.argument("department")
@click.argument("file", type=_FILE)
@actor_option
@city_option
@json_option
def import_(department: str, file: Path, actor: str, folder: Path, as_json: bool) -> int:
    """Take DEPARTMENT's CSV FILE of residents.

    Its columns are id_number, day, and fields that the department may tell. Leaves with 1 when a row is bad;
    the others are taken all the same. With --json: an object with residents,
    new, same, conflicts and bad (line, reason).
    """
    from citycard_egov.office import Office
    from citycard_egov.register import import_file
    from citycard_egov.texts import read_text

    office = Office.of(opened(folder))
    done = import_file(office, department, read_text(file), file=file.name, actor=actor)
    if as_json:
        emit(done)
    else:
        if done.bad:
            table(("line", "not taken because"), [(one.line, one.reason) for one in done.bad])
        say(
            f"{done.residents} residents; {done.new} fields are new, {done.same} the same, "
            f"{done.conflicts} in conflict"
        )
    return 1 if done.bad else 0


@register.command()
@city_option
@json_option
def conflicts(folder: Path, as_json: bool) -> None:
    """List what departments tell differently and nobody has settled.

    With --json: an array of objects with id, resident, field, standing_source, told_source and opened_at.
    """
    from citycard.store import reading
    from citycard_egov.office import Office
    from citycard_egov.register import open_conflicts

    office = Office.of(opened(folder))
    with reading(office.engine) as conn:
        found = open_conflicts(conn)
    if as_json:
        emit(found)
        return
    table(
        ("conflict", "field", "stands", "told", "since"),
        [(one.id, one.field, one.standing_source, one.told_source, one.opened_at) for one in found],
    )


@register.command()
@click.argument("conflict", type=click.UUID)
@click.argument("department")
@click.option("--reason", required=True, help="Why its word stands.")
@actor_option
@city_option
@json_option
def settle(conflict: UUID, department: str, reason: str, actor: str, folder: Path, as_json: bool) -> None:
    """Settle CONFLICT for DEPARTMENT, whose word stands from now on.

    With --json: an object with conflict and department.
    """
    from citycard_egov.office import Office
    from citycard_egov.register import settle as settle_one

    settle_one(Office.of(opened(folder)), conflict, department, reason=reason, actor=actor)
    if as_json:
        emit({"conflict": str(conflict), "department": department})
    else:
        say(f"settled for {department}")


@register.command()
@click.argument("card", type=CardNumber())
@click.option("--why", required=True, help="Why the file is read: the holder sees it.")
@click.option("--field", "fields", multiple=True, help="Only this field.")
@actor_option
@city_option
@json_option
def show(card: str, why: str, fields: tuple[str, ...], actor: str, folder: Path, as_json: bool) -> None:
    """Show what stands about the holder of CARD.

    That you read it is written down first. With --json: an array of objects with name, value, source, day and
    disputed.
    """
    from citycard.store import reading
    from citycard_egov.files import FileReader, read_file
    from citycard_egov.office import Office
    from citycard_egov.register import find_by_card

    office = Office.of(opened(folder))
    with reading(office.engine) as conn:
        who = find_by_card(conn, card)
    file = read_file(office, who, FileReader(name=actor, department="", why=why), fields or None)
    if as_json:
        emit(list(file.fields))
        return
    table(
        ("field", "value", "told by", "of", ""),
        [
            (one.name, one.value, one.source, one.day, "disputed" if one.disputed else "")
            for one in file.fields
        ],
    )


@register.command()
@click.argument("card", type=CardNumber())
@city_option
@json_option
def readings(card: str, folder: Path, as_json: bool) -> None:
    """List who read the file of the holder of CARD, newest first.

    With --json: an array of objects with at, reader, department, why and fields.
    """
    from citycard.store import reading
    from citycard_egov.files import readings_of
    from citycard_egov.office import Office
    from citycard_egov.register import find_by_card

    office = Office.of(opened(folder))
    with reading(office.engine) as conn:
        who = find_by_card(conn, card)
    found = readings_of(office, who)
    if as_json:
        emit(found)
        return
    table(
        ("when", "who", "office", "why", "what"),
        [(one.at, one.reader, one.department, one.why, " ".join(one.fields)) for one in found],
    )


@click.group()
def application() -> None:
    """Applications: the queue of an office, and what is overdue."""


@application.command()
@click.option("--department", default=None, help="Only those that wait for this one.")
@city_option
@json_option
def queue(department: str | None, folder: Path, as_json: bool) -> None:
    """List the open applications, the most urgent first.

    With --json: an array of objects with id, service, department, step, due_on and overdue.
    """
    from citycard.store import reading
    from citycard_egov.applications import queue as waiting
    from citycard_egov.office import Office

    office = Office.of(opened(folder))
    with reading(office.engine) as conn:
        found = waiting(conn, department)
    if as_json:
        emit(found)
        return
    table(
        ("application", "service", "office", "step", "due", ""),
        [
            (one.id, one.service, one.department, one.step + 1, one.due_on, "overdue" if one.overdue else "")
            for one in found
        ],
    )


@application.command()
@city_option
@json_option
def overdue(folder: Path, as_json: bool) -> int:
    """Mark the steps whose last day is over.

    Leaves with 1 when any step is overdue. With --json: an object with marked,
    how many are marked now for the first time, and overdue, how many are.
    """
    from citycard.store import reading
    from citycard_egov.applications import mark_overdue
    from citycard_egov.applications import queue as waiting
    from citycard_egov.office import Office

    office = Office.of(opened(folder))
    marked = mark_overdue(office)
    with reading(office.engine) as conn:
        late = sum(one.overdue for one in waiting(conn))
    if as_json:
        emit({"marked": marked, "overdue": late})
    else:
        say(f"{late} overdue, {marked} of them since the last look")
    return 1 if late else 0
