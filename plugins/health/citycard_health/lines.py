"""What the citizen's card page shows of health: appointments, visits, sports, and who read the record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection

from citycard import CitizenLine
from citycard.store import reading
from citycard_health.booking import BookingState, appointments_of_card
from citycard_health.errors import NotFound
from citycard_health.patients import find_patient, readings_of
from citycard_health.sports import SportState, sports_of
from citycard_health.visits import visits_of

if TYPE_CHECKING:
    from citycard.city import City
    from citycard_health.settings import HealthSettings

__all__ = ["citizen_lines"]

_MOST = 20
_STATES = {
    BookingState.BOOKED: ("You have an appointment", "您已预约"),
    BookingState.CANCELLED: ("Your appointment was cancelled", "您的预约已取消"),
    BookingState.KEPT: ("You kept your appointment", "您已就诊签到"),
    BookingState.MISSED: ("You missed your appointment", "您未按预约就诊"),
}


def citizen_lines(city: City, settings: HealthSettings, asn: str) -> list[CitizenLine]:
    """Give the latest of what happened to the holder of a card, newest first."""
    with reading(city.engine) as conn:
        try:
            owner = find_patient(conn, asn).id
        except NotFound:
            return []
        found = [
            *_appointments(conn, settings, owner),
            *_visits(conn, settings, owner),
            *_sports(conn, settings, owner),
            *_read(conn, settings, owner),
        ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:_MOST]


def _appointments(conn: Connection, settings: HealthSettings, owner: UUID) -> Iterator[CitizenLine]:
    for one in appointments_of_card(conn, owner, limit=_MOST):
        title, title_zh = _STATES[one.state]
        when = f"{one.doctor}, {one.starts_at:%Y-%m-%d %H:%M}"
        yield CitizenLine(
            at=one.changed_at,
            title=f"{title}: {settings.named(one.clinic)}, {when}",
            title_zh=f"{title_zh}：{settings.named(one.clinic, 'zh')}, {when}",
            path="/health/mine",
        )


def _visits(conn: Connection, settings: HealthSettings, owner: UUID) -> Iterator[CitizenLine]:
    for one in visits_of(conn, patient=owner, limit=_MOST):
        yield CitizenLine(
            at=one.at,
            title=f"You visited {settings.named(one.clinic)}",
            title_zh=f"您在{settings.named(one.clinic, 'zh')}就诊",
            amount_fen=one.insured_fen - one.price_fen,
            path="/health/mine",
        )


def _sports(conn: Connection, settings: HealthSettings, owner: UUID) -> Iterator[CitizenLine]:
    for one in sports_of(conn, patient=owner, limit=_MOST):
        if one.state in {SportState.PAID, SportState.RETURNED}:
            paid = one.state is SportState.PAID
            title, title_zh = ("Sports", "健身消费") if paid else ("Sports given back", "健身消费已退")
            yield CitizenLine(
                at=one.at,
                title=f"{title}: {settings.named(one.venue)}",
                title_zh=f"{title_zh}：{settings.named(one.venue, 'zh')}",
                amount_fen=-one.amount_fen if paid else one.amount_fen,
                path="/health/mine",
            )


def _read(conn: Connection, settings: HealthSettings, owner: UUID) -> Iterator[CitizenLine]:
    for one in readings_of(conn, owner, limit=_MOST):
        if one.reason == "own data":
            continue
        title = f"{settings.reader_named(one.reader)} read your {one.what}: {one.reason}"
        title_zh = f"{settings.reader_named(one.reader, 'zh')} 查阅了您的健康数据（{one.what}）：{one.reason}"
        yield CitizenLine(at=one.at, title=title, title_zh=title_zh, path="/health/mine")
