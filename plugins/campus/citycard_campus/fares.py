"""From the prices of city.toml to the rules that terminals and clearing ask (docs/campus.md). Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator

from citycard.clearing.pricing import Adjustment, FeeRule, PriceRequest, Stage
from citycard.errors import Phrase
from citycard.money import yuan
from citycard_campus.settings import CampusSettings

__all__ = ["CANTEEN", "COMPUTER", "DESK", "DOOR", "LESSON", "LIBRARY", "fee_rules", "late_fen", "session_fen"]

CANTEEN = "campus-canteen"
COMPUTER = "campus-computer"
DOOR = "campus-door"
LESSON = "campus-lesson"
LIBRARY = "campus-library"
DESK = "campus-desk"

_MINUTE = dt.timedelta(minutes=1)


def fee_rules(settings: CampusSettings) -> Iterator[FeeRule]:
    """Compile the rules: a meal by role and hour, less what the pot pays; a session; a late item."""
    yield _rule("meal", Stage.BASE, CANTEEN, _meal(settings), settings.bands)
    yield _rule("meal-pot", Stage.FEE, CANTEEN, _pot, "pot")
    yield _rule("session", Stage.BASE, COMPUTER, _session(settings), settings.computer)
    yield _rule("late-item", Stage.BASE, LIBRARY, _late(settings), settings.library)
    for service in (DOOR, LESSON, DESK):
        yield _rule(f"{service}-free", Stage.BASE, service, _free, "free")


def session_fen(settings: CampusSettings, role: str, began: dt.datetime, ended: dt.datetime) -> int:
    """Say what a session costs: each begun minute after the free ones, and never more than the cap."""
    computer = settings.computer
    minute_fen = computer.teacher_minute_fen if role == "teacher" else computer.minute_fen
    minutes = max(0, -((began - ended) // _MINUTE) - computer.free_minutes)
    return min(computer.cap_fen, minutes * minute_fen)


def late_fen(settings: CampusSettings, due: dt.date, back: dt.date) -> int:
    """Say what an item costs that comes back on a day: so much for each day after the one it was due on."""
    days = max(0, (back - due).days)
    return min(settings.library.late_cap_fen, days * settings.library.late_day_fen)


def _rule(
    name: str,
    stage: Stage,
    service: str,
    apply: Callable[[PriceRequest, int], Adjustment | None],
    words: object,
) -> FeeRule:
    # The version is a digest of what the rule is made of: it changes exactly when the rule does.
    version = hashlib.sha256(f"{name}{words!r}".encode()).hexdigest()[:12]
    return FeeRule(name=name, stage=stage, services=(service,), apply=apply, version=version)  # type: ignore[arg-type]


def _meal(settings: CampusSettings) -> Callable[[PriceRequest, int], Adjustment | None]:
    def meal(request: PriceRequest, _: int) -> Adjustment | None:
        band = settings.band_at(request.at)
        if band is None:
            return _listed(request)
        role = str(request.facts.get("role", "guest"))
        reason = Phrase("{what} for a {kind}", what=band.name, kind=role)
        return Adjustment(amount_fen=band.price_fen(role), reason=reason)

    return meal


def _listed(request: PriceRequest) -> Adjustment | None:
    """Between meals things are sold at the price that the till gives; nothing is free by accident."""
    if not request.list_price_fen:
        return None
    return Adjustment(amount_fen=request.list_price_fen, reason="between meals, as the till says")


def _pot(request: PriceRequest, amount_fen: int) -> Adjustment | None:
    pot_fen = int(request.facts.get("pot_fen", 0))
    if pot_fen <= 0:
        return None
    reason = Phrase("the meal pot pays {amount}", amount=yuan(pot_fen))
    return Adjustment(amount_fen=max(0, amount_fen - pot_fen), reason=reason)


def _session(settings: CampusSettings) -> Callable[[PriceRequest, int], Adjustment | None]:
    def session(request: PriceRequest, _: int) -> Adjustment:
        began = request.facts.get("began")
        if began is None:
            return Adjustment(amount_fen=0, reason="a session begins")
        role = str(request.facts.get("role", "pupil"))
        return Adjustment(
            amount_fen=session_fen(settings, role, began, request.at),
            reason=Phrase("by the minute, for a {kind}", kind=role),
        )

    return session


def _late(settings: CampusSettings) -> Callable[[PriceRequest, int], Adjustment]:
    def late(request: PriceRequest, _: int) -> Adjustment:
        due = request.facts.get("due")
        if due is None:
            return Adjustment(amount_fen=0, reason="lent")
        return Adjustment(amount_fen=late_fen(settings, due, request.at.date()), reason="by the late day")

    return late


def _free(_: PriceRequest, __: int) -> Adjustment:
    return Adjustment(amount_fen=0, reason="costs nothing")
