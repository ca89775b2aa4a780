"""Online applications: filed with a proof of identity, decided step by step, each within its working days.

What a citizen wrote is sealed. A fee is charged before the application is filed, under an id that follows
from the application's, so that neither happens twice. Deadlines count the city's working days.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, select, update

from citycard.errors import ActDiffers, Phrase
from citycard.store import publish, writing
from citycard_egov.errors import ApplicationRefused, ApplicationUnknown, EgovInvalid, ServiceNotOffered
from citycard_egov.events import APPLICATION_CHANGED, APPLICATION_OVERDUE
from citycard_egov.files import FileReader, ResidentFile, open_file
from citycard_egov.office import Office
from citycard_egov.settings import OnlineService
from citycard_egov.tables import application, application_step

__all__ = [
    "Application",
    "Done",
    "Look",
    "State",
    "applications_of",
    "change_application",
    "decide",
    "due_day",
    "find_application",
    "history",
    "hold_application",
    "look",
    "mark_overdue",
    "note_step",
    "queue",
    "service_of",
    "withdraw_application",
]

_LONGEST = 500
_QUEUE = 200


class State(StrEnum):
    """Where an application is; ``paying`` until its fee was taken, and nobody sees it before."""

    PAYING = "paying"
    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@attrs.frozen(kw_only=True)
class Done:
    """Something that was done with an application: ``filed``, ``approved``, ``refused``, ``withdrawn``."""

    step: int
    action: str
    actor: str
    words: str
    at: dt.datetime


@attrs.frozen(kw_only=True)
class Application:
    """An application: whose turn it is (``department``) at which step (from 0), and until which day."""

    id: UUID
    service: str
    asn: str
    state: State
    step: int
    department: str
    due_on: dt.date | None
    overdue: bool
    fee_fen: int
    filed_at: dt.datetime
    closed_at: dt.datetime | None
    resident: UUID = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Look:
    """What the department whose turn it is sees: the application, its form, its history, and the file."""

    application: Application
    form: Mapping[str, str]
    done: tuple[Done, ...]
    file: ResidentFile


def service_of(office: Office, name: str) -> OnlineService:
    """Give a service; raise ServiceNotOffered."""
    found = office.settings.service(name)
    if found is None:
        known = ", ".join(one.id for one in office.settings.services) or "none"
        raise ServiceNotOffered(service=name[:40], known=known)
    return found


def decide(
    office: Office,
    act: UUID,
    identity: UUID,
    department: str,
    *,
    approve: bool,
    words: str,
    actor: str,
) -> Application:
    """Decide the step whose turn it is, once for each ``act``: on to the next step, or closed.

    Raise ApplicationUnknown, ApplicationRefused when it is not this department's turn, ActDiffers.
    """
    if len(words) > _LONGEST or (not approve and not words.strip()):
        raise EgovInvalid(
            field="words",
            value="…",
            expected=Phrase("the reason, at most {longest} characters", longest=_LONGEST),
        )
    action = "approved" if approve else "refused"
    with writing(office.engine) as conn:
        found = hold_application(conn, identity)
        if _done_before(conn, act, identity, action):
            return found
        if found.state is not State.OPEN:
            raise ApplicationRefused(
                id=identity, reason=Phrase("it is {state}, and not open any more", state=found.state)
            )
        if found.department != department:
            raise ApplicationRefused(
                id=identity, reason=Phrase("it is the turn of {department}", department=found.department)
            )
        note_step(conn, office, identity, found.step, action, actor, words.strip(), act)
        wanted = service_of(office, found.service)
        following = found.step + 1
        if approve and following < len(wanted.steps):
            values: dict[str, Any] = {
                "step": following,
                "department": wanted.steps[following].department,
                "due_on": due_day(office, wanted, following),
                "overdue": False,
            }
        else:
            state = State.APPROVED if approve else State.REFUSED
            values = {"state": state.value, "closed_at": office.now(), "due_on": None}
        return change_application(conn, identity, values)


def withdraw_application(office: Office, act: UUID, identity: UUID, who: UUID, *, actor: str) -> Application:
    """Take an open application back, by the resident whose it is; the fee stays. Once for each ``act``."""
    with writing(office.engine) as conn:
        found = hold_application(conn, identity)
        if found.resident != who:
            raise ApplicationUnknown(id=identity)
        if _done_before(conn, act, identity, "withdrawn"):
            return found
        if found.state is not State.OPEN:
            raise ApplicationRefused(
                id=identity, reason=Phrase("it is {state}, and not open any more", state=found.state)
            )
        note_step(conn, office, identity, found.step, "withdrawn", actor, "", act)
        values = {"state": State.WITHDRAWN.value, "closed_at": office.now(), "due_on": None}
        return change_application(conn, identity, values)


def look(office: Office, identity: UUID, department: str, *, actor: str) -> Look:
    """Show an open application to the department whose turn it is; the reading of the file is written down.

    It sees the fields of the register that the service names and no other. Raise ApplicationRefused.
    """
    with writing(office.engine) as conn:
        found = find_application(conn, identity)
        if found.state is not State.OPEN or found.department != department:
            raise ApplicationRefused(
                id=identity, reason=Phrase("it is not with {department}", department=department)
            )
        wanted = service_of(office, found.service)
        reader = FileReader(name=actor, department=department, why=f"application {identity}: {wanted.title}")
        file = open_file(conn, office, found.resident, reader, wanted.fields)
        sealed = conn.scalar(select(application.c.form_sealed).where(application.c.id == identity))
        form = json.loads(office.open(f"application/{identity}", sealed or b""))
        return Look(application=found, form=form, done=history(conn, office, identity), file=file)


def history(conn: Connection, office: Office, identity: UUID) -> tuple[Done, ...]:
    """List what was done with an application, oldest first."""
    mine = select(application_step).where(application_step.c.application == identity)
    return tuple(
        Done(
            step=row.step,
            action=row.action,
            actor=row.actor,
            words=office.open(f"step/{row.act}", row.words_sealed),
            at=row.at,
        )
        for row in conn.execute(mine.order_by(application_step.c.seq))
    )


def find_application(conn: Connection, identity: UUID) -> Application:
    """Give one application; raise ApplicationUnknown."""
    row = conn.execute(select(application).where(application.c.id == identity)).one_or_none()
    if row is None:
        raise ApplicationUnknown(id=identity)
    return _application(row)


def applications_of(conn: Connection, who: UUID, *, limit: int = 100) -> list[Application]:
    """List the applications of a resident, newest first."""
    filed = application.c.state != State.PAYING.value
    mine = select(application).where(application.c.resident == who, filed)
    rows = conn.execute(mine.order_by(application.c.filed_at.desc(), application.c.id).limit(limit))
    return [_application(row) for row in rows]


def queue(conn: Connection, department: str | None = None) -> list[Application]:
    """List the open applications that wait for a department (or for any), the most urgent first."""
    mine = select(application).where(application.c.state == State.OPEN.value)
    if department is not None:
        mine = mine.where(application.c.department == department)
    rows = conn.execute(mine.order_by(application.c.due_on, application.c.filed_at).limit(_QUEUE))
    return [_application(row) for row in rows]


def mark_overdue(office: Office) -> int:
    """Mark the open applications whose last day is over, tell it once for each step, and say how many."""
    today = office.now().date()
    late = (
        (application.c.state == State.OPEN.value)
        & application.c.overdue.is_(False)
        & (application.c.due_on < today)
    )
    with writing(office.engine) as conn:
        rows = conn.execute(select(application).where(late)).all()
        for row in rows:
            conn.execute(update(application).where(application.c.id == row.id, late).values(overdue=True))
        publish(
            conn,
            APPLICATION_OVERDUE,
            [
                {
                    "application": str(row.id),
                    "service": row.service,
                    "department": row.department,
                    "due_on": row.due_on.isoformat(),
                }
                for row in rows
            ],
        )
    return len(rows)


# ── inside ───────────────────────────────────────────────────────────────────────────────────────


def due_day(office: Office, wanted: OnlineService, step: int) -> dt.date:
    """Give the last day of a step that comes to its department today, by the city's working days."""
    # The day on which it comes is not counted: day 1 is the next working day.
    today = office.now().date()
    first = office.city.calendar.on_or_after(today + dt.timedelta(days=1))
    return office.city.calendar.add(first, wanted.steps[step].working_days - 1)


def hold_application(conn: Connection, identity: UUID) -> Application:
    """Give one application, held until the transaction ends; raise ApplicationUnknown."""
    conn.execute(select(application.c.id).where(application.c.id == identity).with_for_update())
    return find_application(conn, identity)


def _done_before(conn: Connection, act: UUID, identity: UUID, action: str) -> bool:
    row = conn.execute(select(application_step).where(application_step.c.act == act)).one_or_none()
    if row is not None and (row.application, row.action) != (identity, action):
        raise ActDiffers(id=act, kind="decision")
    return row is not None


def change_application(conn: Connection, identity: UUID, values: Mapping[str, Any]) -> Application:
    """Change an application that is held, tell it, and give it as it is now."""
    conn.execute(update(application).where(application.c.id == identity).values(**values))
    row = conn.execute(select(application).where(application.c.id == identity)).one()
    _tell(conn, dict(row._mapping))  # noqa: SLF001 - a Row's own way
    return _application(row)


def note_step(
    conn: Connection,
    office: Office,
    identity: UUID,
    step: int,
    action: str,
    actor: str,
    words: str,
    act: UUID,
) -> None:
    """Write down what was done with an application, under the id of the act."""
    row = {"application": identity, "step": step, "action": action, "actor": actor, "at": office.now()}
    sealed = office.seal(f"step/{act}", words)
    conn.execute(insert(application_step), row | {"words_sealed": sealed, "act": act})


def _tell(conn: Connection, row: Mapping[str, Any]) -> None:
    body = {
        "application": str(row["id"]),
        "service": row["service"],
        "asn": row["asn"],
        "state": row["state"],
        "step": row["step"],
    }
    publish(conn, APPLICATION_CHANGED, [body])


def _application(row: Any) -> Application:
    names = [field.name for field in attrs.fields(Application)]
    values = {name: getattr(row, name) for name in names}
    return Application(**values | {"state": State(row.state)})
