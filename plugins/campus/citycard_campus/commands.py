"""``citycard campus``: what a school office does with files, and what the city decides about pots."""

from __future__ import annotations

import csv
import datetime as dt
import sys
from pathlib import Path

import attrs
import click

from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit, pairs, say, table
from citycard.money import yuan
from citycard_campus.errors import FileNotRoll

__all__ = [
    "decide",
    "end",
    "enrol",
    "grant_meals",
    "reopen",
    "roll",
    "settle",
    "statement",
    "timetable",
]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("file", type=_FILE)
@city_option
@json_option
def enrol(file: Path, folder: Path, as_json: bool) -> int:
    """Enrol pupils and teachers from a CSV FILE; again without harm.

    Its columns are school, student_no, role, name, class, card, guardian, until and meal (yuan a month).
    Leaves with 1 when a line is bad; the others are enrolled all the same.

    With --json: an object with enrolled, changed, unchanged and bad (line, reason).
    """
    from citycard_campus.campus import Campus
    from citycard_campus.roll import import_roll

    report = import_roll(Campus.of(opened(folder)), _text(file), file=file.name)
    if as_json:
        emit(report)
    else:
        click.echo(f"{report.enrolled} enrolled, {report.changed} changed, {report.unchanged} as before")
        for line in report.bad:
            say(f"{file.name}, line {line.line}: {line.reason}")
    return int(bool(report.bad))


@click.command()
@click.argument("number", type=click.IntRange(1))
@click.option("--why", default="graduated", show_default=True, help="The reason, as terminals will say it.")
@city_option
@json_option
def end(number: int, why: str, folder: Path, as_json: bool) -> None:
    """End the enrolment with this NUMBER today; terminals know it with their next configuration.

    With --json: an object with number, left_on and why.
    """
    from citycard_campus.campus import Campus
    from citycard_campus.roll import end as end_enrolment

    gone = end_enrolment(Campus.of(opened(folder)), number, why)
    if as_json:
        emit({"number": gone.number, "left_on": gone.left_on, "why": gone.left_why})
        return
    click.echo(f"enrolment {gone.number} ended on {gone.left_on}: {gone.left_why}")


@click.command()
@click.option("--school", default="", help="Of this school alone.")
@city_option
@json_option
def roll(school: str, folder: Path, as_json: bool) -> None:
    """Write who is enrolled as CSV, as ``enrol`` reads it.

    With --json: an array of objects with these columns and number.
    """
    from citycard.store import reading
    from citycard_campus.campus import Campus
    from citycard_campus.roll import COLUMNS, pupils_of
    from citycard_campus.tables import pupil

    campus = Campus.of(opened(folder))
    of_school = [pupil.c.school == campus.settings.school(school).number] if school else []
    with reading(campus.engine) as conn:
        found = pupils_of(conn, pupil.c.left_on.is_(None), *of_school)
    rows = [
        {
            "school": campus.settings.school(one.school).id,
            "student_no": one.student_no,
            "role": one.role,
            "name": campus.opened(one.name),
            "class": one.group,
            "card": one.asn,
            "guardian": one.guardian,
            "until": one.until.isoformat(),
            "meal": yuan(one.meal_fen),
            "number": one.number,
        }
        for one in found
    ]
    if as_json:
        emit(rows)
        return
    writer = csv.DictWriter(sys.stdout, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


@click.command()
@click.argument("file", type=_FILE)
@city_option
@json_option
def timetable(file: Path, folder: Path, as_json: bool) -> int:
    """Take over lessons from a CSV FILE; again without harm.

    Its columns are school, class, weekday (1 is Monday), begins, ends, room, title, from and until. Leaves
    with 1 when a line is bad; the others are taken all the same.

    With --json: an object with added, changed, known and bad (line, reason).
    """
    from citycard_campus.attendance import import_timetable
    from citycard_campus.campus import Campus

    report = import_timetable(Campus.of(opened(folder)), _text(file), file=file.name)
    if as_json:
        emit(report)
    else:
        click.echo(f"{report.added} added, {report.changed} changed, {report.known} known before")
        for line in report.bad:
            say(f"{file.name}, line {line.line}: {line.reason}")
    return int(bool(report.bad))


@click.command("grant-meals")
@click.argument("school")
@click.option("--batch", required=True, help="The month, such as 2026-12: one grant for each account.")
@actor_option
@city_option
@json_option
def grant_meals(school: str, batch: str, actor: str, folder: Path, as_json: bool) -> int:
    """Grant a month's meals to the pupils of a SCHOOL out of its programme; again without harm.

    With --json: an object with programme, batch, granted, granted_fen, repeated and bad (line, reason).
    """
    from citycard_campus.campus import Campus
    from citycard_campus.pots import grant_meals as grant

    campus = Campus.of(opened(folder))
    done = grant(campus, campus.settings.school(school), batch, actor=actor)
    if as_json:
        emit(done)
    else:
        click.echo(f"{done.granted} granted, {yuan(done.granted_fen)} yuan; {done.repeated} before")
        for line in done.bad:
            say(line.reason)
    return int(bool(done.bad))


@click.command()
@city_option
@json_option
def settle(folder: Path, as_json: bool) -> int:
    """Pay canteens for what clearing accepted, and list what waits. Leaves with 1 when something waits.

    With --json: an object with settled (run, uses, settled_fen) and waiting (record, asn, use, pot_fen, why).
    """
    from citycard.store import reading
    from citycard_campus.campus import Campus
    from citycard_campus.settling import settle as settle_all
    from citycard_campus.settling import waiting

    campus = Campus.of(opened(folder))
    done = settle_all(campus)
    with reading(campus.engine) as conn:
        left = waiting(conn)
    if as_json:
        emit({"settled": done, "waiting": left})
    else:
        pairs((f"run {one.run}", f"{one.uses} meals, {yuan(one.settled_fen)} yuan") for one in done)
        if left:
            table(
                ("record", "card", "yuan", "why"),
                [(one.record, one.asn, yuan(one.pot_fen), one.why) for one in left],
            )
    return int(bool(left))


@click.command()
@click.argument("record")
@click.option("--pay/--refuse", required=True, help="Pay it out of its pot, or refuse it.")
@actor_option
@city_option
@json_option
def decide(record: str, pay: bool, actor: str, folder: Path, as_json: bool) -> None:
    """Decide the meal of a RECORD that its pot did not pay by itself.

    With --json: an object with record, state, asn, pot_fen and decided_by.
    """
    from citycard_campus.campus import Campus
    from citycard_campus.settling import decide as decide_use

    use = decide_use(Campus.of(opened(folder)), record, pay=pay, actor=actor)
    if as_json:
        emit(use)
        return
    click.echo(f"{use.record} is {use.state}: {yuan(use.pot_fen)} yuan")


@click.command()
@click.argument("card")
@city_option
@json_option
def reopen(card: str, folder: Path, as_json: bool) -> None:
    """Let the meal pot of a CARD be used again that was closed for doubts.

    With --json: the pot: asn, pupil, loaded_fen, settled_fen, returned_fen, last_use, flagged.
    """
    from citycard_campus.campus import Campus
    from citycard_campus.settling import reopen as reopen_pot

    held = reopen_pot(Campus.of(opened(folder)), card)
    if as_json:
        emit(held)
        return
    click.echo(f"the pot of {held.asn} is open, with {yuan(held.left_fen)} yuan")


@click.command()
@click.argument("school")
@click.option("--from", "since", type=_DAY, default=None, help="The first day (default: of this month).")
@click.option("--until", type=_DAY, default=None, help="The last day (default: today).")
@city_option
@json_option
def statement(
    school: str, since: dt.datetime | None, until: dt.datetime | None, folder: Path, as_json: bool
) -> None:
    """Write the statement of a SCHOOL: meal pots, meals by day and canteen, lessons missed.

    With --json: the statement, as /campus/schools/SCHOOL/statement.
    """
    from citycard.clock import first_and_last
    from citycard_campus.campus import Campus
    from citycard_campus.statements import school_statement

    campus = Campus.of(opened(folder))
    days = (each and each.date() for each in (since, until))
    made = school_statement(campus, school, *first_and_last(*days, today=campus.now().date()))
    if as_json:
        emit(attrs.asdict(made))
        return
    pairs(
        (
            ("school", made.name),
            ("days", f"{made.since} to {made.until}"),
            ("enrolled", made.enrolled),
            ("lessons missed", made.missed),
            ("carried onto cards", yuan(made.pots.loaded_fen)),
            ("eaten", yuan(made.pots.settled_fen)),
            ("gone back", yuan(made.pots.returned_fen)),
            ("left on cards", yuan(made.left_fen)),
            ("uses that never came", made.uses_missing),
        )
    )
    if made.days:
        rows = [
            (one.day, one.canteen, one.meals, yuan(one.settled_fen), yuan(one.purse_fen)) for one in made.days
        ]
        table(("day", "canteen", "meals", "from pots", "from purses"), rows)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as wrong:
        reason = f"byte {wrong.start} is no UTF-8: save it as UTF-8"
        raise FileNotRoll(file=file.name, reason=reason) from wrong
