"""The gates of a venue: they check what a card carries, keep anybody from using it twice, and count.

A gate is offline: it knows its settings, its SAM and the card. The gates of one group share a memory: who is
inside, and which pass was used when. The card's own record says the same, so that a pass that comes to
another gate, or to one that forgot, is refused as well.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from threading import RLock
from typing import TYPE_CHECKING, Any

import attrs

from citycard.card.codec import evolve
from citycard.city.till import Receipt, Sale, Till, Visit
from citycard.errors import CardLacksSector, CitycardError, CodecError, Phrase
from citycard_tourism.errors import (
    AlreadyInside,
    GateFull,
    NotInside,
    PassNotNow,
    PassUsedAgain,
    RightMissing,
    SlotNotNow,
)
from citycard_tourism.sectors import (
    BRANCHES,
    MEMBERSHIP,
    PASS,
    TICKETS,
    PassRecord,
    RightKind,
    Step,
    TicketRecord,
    TicketState,
    VisitFacts,
)
from citycard_tourism.services import VISIT

if TYPE_CHECKING:
    from citycard.terminal import Reader
    from citycard_tourism.seals import Seals
    from citycard_tourism.settings import Plan, TourismSettings, Venue

__all__ = ["Admission", "Gate", "GateGroup"]

_VISITS_MOST = 0xFF
_USES_MOST = 0xFFFF
# No slot and no passback time is longer.
_REMEMBERED = dt.timedelta(days=2)


@attrs.frozen(kw_only=True)
class Admission:
    """Who was let in or out by which right; ``inside`` is how many people are inside then."""

    right: RightKind
    serial: int
    people: int
    inside: int
    receipt: Receipt


@attrs.define
class GateGroup:
    """What the gates of one group remember together: ``inside`` people by right, and when a right was used.

    ``capacity`` 0 is any number. ``state`` and ``restore`` carry it over a restart.
    """

    number: int
    capacity: int = 0
    people: dict[str, int] = attrs.field(factory=dict)
    used: dict[str, dt.datetime] = attrs.field(factory=dict)
    _lock: Any = attrs.field(factory=RLock, repr=False, eq=False)

    @property
    def inside(self) -> int:
        """Give how many people are inside."""
        return sum(self.people.values())

    @property
    def lock(self) -> Any:
        """What a gate holds from its look at the group until the card was written."""
        return self._lock

    def state(self) -> dict[str, Any]:
        """Give what has to be kept over a restart, as plain values."""
        used = {right: at.isoformat() for right, at in self.used.items()}
        return {"number": self.number, "people": dict(self.people), "used": used}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` gave."""
        self.people = dict(state["people"])
        self.used = {right: dt.datetime.fromisoformat(at) for right, at in state["used"].items()}

    def close_day(self, at: dt.datetime) -> int:
        """Say that nobody is inside any more, and return how many the gates did not see leave."""
        left = self.inside
        self.people.clear()
        self.used = {right: used for right, used in self.used.items() if at - used < _REMEMBERED}
        return left


@attrs.frozen(kw_only=True)
class _Chosen:
    """A right that lets in: what is written, and the facts of the record."""

    right: RightKind
    number: int
    serial: int
    people: int
    sector: str
    record: Any

    @property
    def key(self) -> str:
        """Name the right among those that a group remembers."""
        return _key(self.right, self.serial)


class Gate:
    """One gate of a venue: a till that works with what is on the card."""

    def __init__(
        self, till: Till, settings: TourismSettings, seals: Seals, venue: str, group: GateGroup | None = None
    ) -> None:
        self._till, self._settings, self._seals = till, settings, seals
        self.venue: Venue = settings.venue(venue)
        self.group = group or GateGroup(self.venue.gates, self.venue.capacity)
        self._pending: dict[str, tuple[Step, _Chosen]] = {}

    def enter(self, reader: Reader, at: dt.datetime) -> Admission:
        """Let the holder of a card in by a ticket, pass or membership.

        Raise RightMissing, SlotNotNow, AlreadyInside, PassNotNow, PassUsedAgain, RightForged, GateFull.
        """
        return self._through(reader, at, Step.ENTER, self._way_in)

    def leave(self, reader: Reader, at: dt.datetime) -> Admission:
        """Let the holder of a card out by what let them in; raise NotInside."""
        return self._through(reader, at, Step.LEAVE, self._way_out)

    def _through(
        self, reader: Reader, at: dt.datetime, step: Step, choose: Callable[[Visit, dt.datetime], _Chosen]
    ) -> Admission:
        def decide(visit: Visit) -> Sale:
            chosen = choose(visit, at)
            facts = VisitFacts(
                venue=self.venue.number,
                right=chosen.right,
                number=chosen.number,
                serial=chosen.serial,
                step=step,
                people=chosen.people,
                group=self.group.number,
            )
            record = self._seals.stamp(chosen.sector, visit, chosen.record)
            self._pending[visit.asn] = step, chosen
            return Sale(service=VISIT, amount_fen=0, facts=facts, writes={chosen.sector: record})

        with self.group.lock:
            receipt = self._till.serve(reader, at, decide)
            done_step, done = self._count(receipt, at)
            if done_step is not step:
                # The card left at a tap of the other kind, which is finished now; this one comes after it.
                receipt = self._till.serve(reader, at, decide)
                _, done = self._count(receipt, at)
            return Admission(
                right=done.right,
                serial=done.serial,
                people=done.people,
                inside=self.group.inside,
                receipt=receipt,
            )

    def _count(self, receipt: Receipt, at: dt.datetime) -> tuple[Step, _Chosen]:
        """Count who went through; of a tap that was torn and done, what was chosen then."""
        step, done = self._pending.pop(receipt.debit.asn)
        if step is Step.ENTER:
            self.group.people[done.key] = done.people
            self.group.used[done.key] = at
        else:
            self.group.people.pop(done.key, None)
        return step, done

    # ── in ───────────────────────────────────────────────────────────────────────────────────────

    def _way_in(self, visit: Visit, at: dt.datetime) -> _Chosen:
        refused: list[CitycardError] = []
        for choose in (self._by_ticket, self._by_pass):
            for found in choose(visit, at, refused):
                self._check_room(found.people)
                return found
        raise refused[0] if refused else RightMissing(asn=visit.asn, venue=self.venue.name)

    def _check_room(self, people: int) -> None:
        group = self.group
        if group.capacity and group.inside + people > group.capacity:
            raise GateFull(inside=group.inside, capacity=group.capacity, group=group.number, people=people)

    def _by_ticket(self, visit: Visit, at: dt.datetime, refused: list[CitycardError]) -> Iterator[_Chosen]:
        shows = {show.number: show for show in self._settings.shows if show.venue == self.venue.id}
        for sector in TICKETS:
            record = _read(visit, sector)
            if record is None or record.show not in shows or record.starts is None:
                continue
            try:
                self._seals.check(sector, visit, record)
                self._check_ticket(record, shows[record.show].early_minutes, at)
            except CitycardError as no:
                refused.append(no)
                continue
            yield _Chosen(
                right=RightKind.TICKET,
                number=record.show,
                serial=record.serial,
                people=record.people,
                sector=sector,
                record=evolve(record, state=TicketState.USED, at=at.replace(microsecond=0)),
            )

    def _check_ticket(self, record: TicketRecord, early_minutes: int, at: dt.datetime) -> None:
        assert record.starts is not None
        opens = record.starts - dt.timedelta(minutes=early_minutes)
        ends = record.starts + dt.timedelta(minutes=record.minutes)
        used = self.group.used.get(_key(RightKind.TICKET, record.serial))
        if record.state is not TicketState.VALID or used:
            raise AlreadyInside(serial=record.serial, at=used or record.at)
        if not opens <= at < ends:
            raise SlotNotNow(starts=record.starts, opens=opens, ends=ends)

    def _by_pass(self, visit: Visit, at: dt.datetime, refused: list[CitycardError]) -> Iterator[_Chosen]:
        plans = {plan.number: plan for plan in self._settings.plans if self.venue.id in plan.venues}
        for sector, right in ((PASS, RightKind.PASS), (MEMBERSHIP, RightKind.MEMBERSHIP)):
            record = _read(visit, sector)
            if record is None or record.plan not in plans:
                continue
            plan = plans[record.plan]
            try:
                self._seals.check(sector, visit, record)
                self._check_pass(right, record, plan, at)
            except CitycardError as no:
                refused.append(no)
                continue
            yield _Chosen(
                right=right,
                number=record.plan,
                serial=record.serial,
                people=1,
                sector=sector,
                record=evolve(
                    record,
                    uses=min(record.uses + 1, _USES_MOST),
                    visits=_counted(record.visits, plan.venues.index(self.venue.id)),
                    group=self.group.number,
                    at=at.replace(microsecond=0),
                    inside=True,
                ),
            )

    def _check_pass(self, right: RightKind, record: PassRecord, plan: Plan, at: dt.datetime) -> None:
        reason = ""
        if record.starts is None or record.ends is None or not record.starts <= at.date() <= record.ends:
            reason = Phrase("it is valid from {starts} to {ends}", starts=record.starts, ends=record.ends)
        elif record.frozen:
            reason = "it is frozen: a counter thaws it"
        if reason:
            raise PassNotNow(serial=record.serial, reason=reason)
        here = record.at if record.group == self.group.number else None
        last = max(filter(None, (here, self.group.used.get(_key(right, record.serial)))), default=None)
        wait = dt.timedelta(minutes=plan.passback_minutes)
        if last is not None and at < last + wait:
            raise PassUsedAgain(serial=record.serial, at=last, until=last + wait)

    # ── out ──────────────────────────────────────────────────────────────────────────────────────

    def _way_out(self, visit: Visit, _: dt.datetime) -> _Chosen:
        for sector, right in ((PASS, RightKind.PASS), (MEMBERSHIP, RightKind.MEMBERSHIP)):
            record = _read(visit, sector)
            if record is not None and record.inside and record.group == self.group.number:
                self._seals.check(sector, visit, record)
                out = evolve(record, inside=False)
                return _Chosen(
                    right=right, number=record.plan, serial=record.serial, people=1, sector=sector, record=out
                )
        for sector in TICKETS:
            record = _read(visit, sector)
            people = self.group.people.get(_key(RightKind.TICKET, record.serial)) if record else None
            if record is not None and people:
                self._seals.check(sector, visit, record)
                return _Chosen(
                    right=RightKind.TICKET,
                    number=record.show,
                    serial=record.serial,
                    people=people,
                    sector=sector,
                    record=record,
                )
        raise NotInside(asn=visit.asn, group=self.group.number)


def _key(right: RightKind, serial: int) -> str:
    return f"{right.name.lower()}-{serial}"


def _read(visit: Visit, sector: str) -> Any:
    try:
        return visit.read(sector)
    except (CardLacksSector, CodecError):
        # The card has no such place, or what is there is no record: it lets nobody in.
        return None


def _counted(visits: bytes, place: int) -> bytes:
    assert len(visits) == BRANCHES
    return visits[:place] + bytes((min(visits[place] + 1, _VISITS_MOST),)) + visits[place + 1 :]
