"""Public disclosure: what offices publish, and sums in which nobody can be told apart.

A sum that is about fewer persons than ``small_count`` is suppressed, and so is the next smallest one beside
it where the total would give it away.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import func, insert, select, update

from citycard.errors import Phrase, RegistryMissing
from citycard.store import reading, writing
from citycard.wallet import programmes_by_id
from citycard_egov.errors import EgovInvalid, NoticeConflict
from citycard_egov.office import Office
from citycard_egov.tables import application, notice, plan, plan_line

__all__ = ["Disclosed", "Notice", "Sum", "disclose", "publish_notice", "suppressed", "withdraw_notice"]

_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_TITLE, _BODY = 100, 4000


@attrs.frozen(kw_only=True)
class Notice:
    """A published item, in English and Chinese."""

    id: str
    department: str
    title: str
    title_zh: str
    body: str
    body_zh: str
    published_at: dt.datetime


@attrs.frozen(kw_only=True)
class Sum:
    """A published sum: how many persons and how much (fen), both None where too few persons are behind it."""

    name: str
    title: str
    persons: int | None
    amount_fen: int | None = None


@attrs.frozen(kw_only=True)
class Disclosed:
    """What the city makes public: items, subsidies paid by programme, applications by service and state."""

    notices: tuple[Notice, ...]
    subsidies: tuple[Sum, ...]
    applications: tuple[Sum, ...]
    small_count: int


def publish_notice(
    office: Office,
    notice_id: str,
    *,
    department: str,
    title: str,
    body: str,
    title_zh: str = "",
    body_zh: str = "",
    actor: str,
) -> Notice:
    """Publish an item under an id, once; raise EgovInvalid, or NoticeConflict for other words."""
    if not _ID.fullmatch(notice_id):
        raise EgovInvalid(field="id", value=notice_id[:60], expected="small letters, digits and hyphens")
    if office.settings.department(department) is None:
        raise EgovInvalid(field="department", value=department, expected="a department of the city")
    for field, text, most in (("title", title, _TITLE), ("body", body, _BODY)):
        if not 0 < len(text.strip()) <= most:
            raise EgovInvalid(
                field=field, value=text[:40], expected=Phrase("1 to {most} characters", most=most)
            )
    for field, text, most in (("title_zh", title_zh, _TITLE), ("body_zh", body_zh, _BODY)):
        if len(text) > most:
            raise EgovInvalid(
                field=field, value=text[:40], expected=Phrase("at most {most} characters", most=most)
            )
    wanted = {
        "department": department,
        "title": title.strip(),
        "title_zh": title_zh.strip(),
        "body": body.strip(),
        "body_zh": body_zh.strip(),
    }
    with writing(office.engine) as conn:
        known = conn.execute(select(notice).where(notice.c.id == notice_id)).one_or_none()
        if known is None:
            row = {"id": notice_id, "published_at": office.now(), "published_by": actor} | wanted
            conn.execute(insert(notice), row)
            known = conn.execute(select(notice).where(notice.c.id == notice_id)).one()
        elif known.withdrawn_at is not None or any(getattr(known, k) != v for k, v in wanted.items()):
            raise NoticeConflict(notice=notice_id)
        return _notice(known)


def withdraw_notice(office: Office, notice_id: str) -> None:
    """Show an item no longer; again without harm. Raise RegistryMissing."""
    with writing(office.engine) as conn:
        mine = notice.c.id == notice_id
        if conn.scalar(select(notice.c.id).where(mine)) is None:
            raise RegistryMissing(record="published item", key=notice_id)
        alive = mine & notice.c.withdrawn_at.is_(None)
        conn.execute(update(notice).where(alive).values(withdrawn_at=office.now()))


def disclose(office: Office) -> Disclosed:
    """Give what is public now."""
    least = office.settings.small_count
    with reading(office.engine) as conn:
        alive = select(notice).where(notice.c.withdrawn_at.is_(None))
        notices = tuple(_notice(row) for row in conn.execute(alive.order_by(notice.c.published_at.desc())))
        titles = {one.id: one.title for one in programmes_by_id(conn).values()}
        paid = conn.execute(
            select(
                plan.c.programme,
                func.count(plan_line.c.asn.distinct()).label("persons"),
                func.sum(plan_line.c.amount_fen).label("fen"),
            )
            .join(plan_line, plan_line.c.plan == plan.c.id)
            .where(plan_line.c.state == "paid")
            .group_by(plan.c.programme)
            .order_by(plan.c.programme)
        ).all()
        filed = conn.execute(
            select(
                application.c.service,
                application.c.state,
                func.count(application.c.resident.distinct()).label("persons"),
            )
            .where(application.c.state != "paying")
            .group_by(application.c.service, application.c.state)
            .order_by(application.c.service, application.c.state)
        ).all()
    subsidies = [
        Sum(
            name=row.programme,
            title=titles.get(row.programme, row.programme),
            persons=row.persons,
            amount_fen=int(row.fen),
        )
        for row in paid
    ]
    services = {one.id: one.title for one in office.settings.services}
    applications: list[Sum] = []
    for service in sorted({row.service for row in filed}):
        sums = [
            Sum(name=f"{service}/{row.state}", title=services.get(service, service), persons=row.persons)
            for row in filed
            if row.service == service
        ]
        applications += suppressed(sums, least)
    return Disclosed(
        notices=notices,
        subsidies=tuple(suppressed(subsidies, least)),
        applications=tuple(applications),
        small_count=least,
    )


def suppressed(sums: Sequence[Sum], least: int) -> list[Sum]:
    """Hide every sum of fewer than ``least`` persons, and one more where a single one would be hidden.

    With the one more, a total that is known elsewhere does not give the hidden one away.
    """
    small = {one.name for one in sums if (one.persons or 0) < least}
    if len(small) == 1 and len(sums) > 1:
        rest = sorted(
            (one for one in sums if one.name not in small), key=lambda one: (one.persons or 0, one.name)
        )
        small.add(rest[0].name)
    return [attrs.evolve(one, persons=None, amount_fen=None) if one.name in small else one for one in sums]


def _notice(row: Any) -> Notice:
    values: Mapping[str, Any] = row._mapping  # noqa: SLF001 - a Row's own way
    return Notice(**{field.name: values[field.name] for field in attrs.fields(Notice)})
