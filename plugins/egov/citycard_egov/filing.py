"""File an application: its fee is charged, and then it is open.

The row is there before the fee is asked for, in the state ``paying`` that nobody sees; so a process that is
killed in between leaves something that ``finish_paying`` can look after.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Connection, delete, select

from citycard.errors import ActDiffers, CitycardError, Phrase
from citycard.ids import derived_id
from citycard.store import reading, writing
from citycard.store.bulk import insert_missing
from citycard_egov.applications import (
    Application,
    State,
    change_application,
    due_day,
    find_application,
    hold_application,
    note_step,
    service_of,
)
from citycard_egov.errors import EgovInvalid
from citycard_egov.fees import charge_fee
from citycard_egov.office import Office
from citycard_egov.settings import OnlineService
from citycard_egov.tables import application

__all__ = ["file_application", "finish_paying"]

_LONGEST = 500


def file_application(
    office: Office,
    identity: UUID,
    who: UUID,
    asn: str,
    service: str,
    form: Mapping[str, str],
    *,
    actor: str,
) -> Application:
    """File an application for the resident ``who``, proven by card ``asn``; once for each ``identity``.

    It is open once its fee was taken; broken off in between, ``finish_paying`` finds out. Raise
    ServiceNotOffered, EgovInvalid for a form that is not the service's, ActDiffers, what ``charge`` raises.
    """
    wanted = service_of(office, service)
    written = json.dumps(_form(wanted, form), ensure_ascii=False, sort_keys=True)
    content = office.digest("application", f"{who}/{asn}/{service}/{written}")
    row = {
        "id": identity,
        "service": service,
        "resident": who,
        "asn": asn,
        "state": State.PAYING.value,
        "step": 0,
        "department": wanted.steps[0].department,
        "due_on": None,
        "overdue": False,
        "form_sealed": office.seal(f"application/{identity}", written),
        "content": content,
        "fee_fen": 0,
        "filed_at": office.now(),
        "closed_at": None,
    }
    with writing(office.engine) as conn:
        insert_missing(conn, application, [row])
        known = _known(conn, identity, content)
    if known.state is not State.PAYING:
        return known
    try:
        fee_fen = charge_fee(office, _fee_id(identity), asn, wanted, actor=actor)
    except CitycardError:
        paid_fen = _give_up(office, identity)
        if paid_fen is None:
            raise
        fee_fen = paid_fen
    return _open(office, identity, fee_fen, actor)


def finish_paying(office: Office) -> int:
    """Open applications whose fee was taken before they broke off, give the others up, and say how many.

    Those of the last two minutes may still be on their way; what is given up is never paid any more.
    """
    late = office.now() - dt.timedelta(minutes=2)
    mine = (application.c.state == State.PAYING.value) & (application.c.filed_at < late)
    with reading(office.engine) as conn:
        waiting = [
            find_application(conn, one) for one in conn.scalars(select(application.c.id).where(mine)).all()
        ]
    for one in waiting:
        paid_fen = _give_up(office, one.id)
        if paid_fen is not None:
            _open(office, one.id, paid_fen, "job finish-applications")
    return len(waiting)


def _form(wanted: OnlineService, form: Mapping[str, str]) -> dict[str, str]:
    if set(form) != set(wanted.form):
        expected = Phrase("exactly these fields: {fields}", fields=", ".join(wanted.form) or "none")
        raise EgovInvalid(field="form", value=sorted(form), expected=expected)
    for name, text in form.items():
        if not 0 < len(text.strip()) <= _LONGEST:
            raise EgovInvalid(
                field=f"form.{name}",
                value="…",
                expected=Phrase("1 to {longest} characters", longest=_LONGEST),
            )
    return {name: text.strip() for name, text in form.items()}


def _fee_id(identity: UUID) -> UUID:
    return derived_id("egov fee", identity)


def _open(office: Office, identity: UUID, fee_fen: int, actor: str) -> Application:
    with writing(office.engine) as conn:
        found = hold_application(conn, identity)
        if found.state is not State.PAYING:
            return found
        note_step(conn, office, identity, 0, "filed", actor, "", derived_id("egov filed", identity))
        due_on = due_day(office, service_of(office, found.service), 0)
        return change_application(
            conn, identity, {"state": State.OPEN.value, "fee_fen": fee_fen, "due_on": due_on}
        )


def _give_up(office: Office, identity: UUID) -> int | None:
    """Forget an application whose fee was not taken, and now never is; give the fee of one where it was."""
    from citycard.city.charging import give_up_charge

    with writing(office.engine) as conn:
        paid = give_up_charge(office.city, conn, _fee_id(identity), actor="egov")
        if paid is not None:
            return paid.amount_fen
        mine = (application.c.id == identity) & (application.c.state == State.PAYING.value)
        conn.execute(delete(application).where(mine))
        return None


def _known(conn: Connection, identity: UUID, content: bytes) -> Application:
    row = conn.execute(select(application).where(application.c.id == identity)).one()
    if row.content != content:
        raise ActDiffers(id=identity, kind="application")
    return find_application(conn, identity)
