"""The gates of a car park: a tap to come in, a tap to leave, and what is done without an entry on the card.

Time, pass and price come from the card and the configuration; the car park's books count the spaces.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs

from citycard.card.codec import evolve
from citycard.city.till import Receipt, Sale, Till, Visit
from citycard.errors import CardRemoved, CitycardError
from citycard_community.errors import AlreadyInside, TerminalElsewhere
from citycard_community.fees import PARKING
from citycard_community.parking import exit_step
from citycard_community.rights import good_rights, key_of
from citycard_community.running import Known
from citycard_community.sectors import (
    RIGHTS,
    STAY,
    ParkingFacts,
    ParkingState,
    ParkingStep,
    Right,
    RightKind,
    Stay,
)
from citycard_community.spaces import ParkedCar, Spaces

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.terminal.reader import Reader

__all__ = ["CarParkGate", "Passage"]


@attrs.frozen(kw_only=True)
class Passage:
    """A car that came in or left: its space, and what the card paid; ``step`` is None for a torn tap."""

    space: int
    step: ParkingStep | None
    receipt: Receipt


class CarParkGate:
    """A gate of a car park at a till; raise TerminalElsewhere when no car park names its number."""

    def __init__(self, till: Till, city: City) -> None:
        self.till, self._city = till, city
        self._take()

    def refresh(self) -> int:
        """Take the newest configuration with its lists, and return its number."""
        number = self.till.refresh()
        self._take()
        return number

    @property
    def spaces(self) -> Spaces:
        """Give the books of the spaces."""
        return self._spaces

    def enter(self, card: Reader, at: dt.datetime, *, plate: str = "") -> Passage:
        """Let a car in; ``plate`` is what a camera read, kept sealed for who loses the card.

        Raise AlreadyInside, CarParkFull, SpaceTaken, CardRefused or CardRemoved.
        """
        taken: list[ParkedCar] = []

        def decide(visit: Visit) -> Sale:
            here: Stay = visit.read(STAY.name)
            if self._still_inside(visit.asn, here):
                raise AlreadyInside(asn=visit.asn, car_park=here.car_park, entered_at=here.entered_at)
            own = next((one for one in self._passes(visit) if one.holds_on(at.date())), None)
            space = own.space if own else None
            taken[:] = [self._spaces.take(visit.asn, at, space=space, plate=plate)]
            facts = self._facts(ParkingStep.ENTRY, taken[0].space, serial=own.serial if own else 0)
            stay = Stay(
                state=ParkingState.INSIDE,
                community=self._community.number,
                car_park=self._park.number,
                space=taken[0].space,
                entered_at=at,
                gate=self.till.number,
            )
            return self._sale(visit, facts, stay)

        try:
            receipt = self.till.serve(card, at, decide)
        except CardRemoved:
            raise  # whether it came in, its next tap tells
        except CitycardError:
            for one in taken:
                self._spaces.give_up(one.id)
            raise
        inside = taken[0] if taken else self._spaces.of_card(receipt.debit.asn)
        assert inside is not None
        return Passage(space=inside.space, step=ParkingStep.ENTRY, receipt=receipt)

    def leave(self, card: Reader, at: dt.datetime, *, plate: str = "", space: int | None = None) -> Passage:
        """Let a car out; without an entry on the card it is found by plate or space: a lost ticket.

        Raise StayUnknown, CardRefused (such as for a purse that is too small) or CardRemoved.
        """
        steps: list[ParkingStep] = []
        leaving: list[ParkedCar] = []

        def decide(visit: Visit) -> Sale:
            here: Stay = visit.read(STAY.name)
            if self._is_here(here) and here.entered_at and self._still_inside(visit.asn, here):
                car = self._spaces.of_card(visit.asn)
                passes = [one for one in self._passes(visit) if one.space == here.space]
                step, since, serial = exit_step(here.entered_at, at, passes)
                facts = self._facts(step, here.space, since=since, serial=serial)
                stay = evolve(here, state=ParkingState.OUTSIDE)
            elif (car := self._spaces.of_card(visit.asn)) and car.entered_at == here.entered_at:
                facts, stay = self._facts(ParkingStep.PAID_EXIT, car.space), here
            else:
                car = self._spaces.lost(plate=plate, space=space)
                facts, stay = self._facts(ParkingStep.LOST_TICKET, car.space), here
            steps[:], leaving[:] = [facts.step], [car] if car else []
            return self._sale(visit, facts, stay)

        receipt = self.till.serve(card, at, decide)
        car = leaving[0] if leaving else self._spaces.of_card(receipt.debit.asn)
        if car is not None:
            self._spaces.leave(car.id, at, receipt.amount_fen)
        return Passage(space=car.space if car else 0, step=steps[0] if steps else None, receipt=receipt)

    def _sale(self, visit: Visit, facts: ParkingFacts, stay: Stay) -> Sale:
        price = visit.price(PARKING, facts)
        return Sale(service=PARKING, amount_fen=price.amount_fen, facts=facts, writes={STAY.name: stay})

    def _facts(
        self, step: ParkingStep, space: int, *, since: dt.datetime | None = None, serial: int = 0
    ) -> ParkingFacts:
        return ParkingFacts(
            community=self._community.number,
            car_park=self._park.number,
            step=step,
            space=space,
            since=since,
            serial=serial,
        )

    def _is_here(self, stay: Stay) -> bool:
        inside = stay.state is ParkingState.INSIDE
        return inside and (stay.community, stay.car_park) == (self._community.number, self._park.number)

    def _still_inside(self, asn: str, stay: Stay) -> bool:
        """Say whether a card is inside: one that was lost there left when its car did."""
        if stay.state is not ParkingState.INSIDE:
            return False
        return not (self._is_here(stay) and self._spaces.is_over(asn, stay.entered_at))

    def _passes(self, visit: Visit) -> list[Right]:
        """Give the card's good passes for this car park, whatever their days."""
        record, key = visit.read(RIGHTS.name), key_of(self._city.vault, visit.asn8)
        return [
            one
            for one in good_rights(record, visit.asn, key, self._known.revoked)
            if one.kind is RightKind.PARKING
            and (one.community, one.car_park) == (self._community.number, self._park.number)
        ]

    def _take(self) -> None:
        self._known = Known.of(self.till)
        found = self._known.settings.gate(self.till.number)
        if found is None:
            raise TerminalElsewhere(terminal=self.till.number, what="gate of a car park")
        self._community, self._park = found
        self._spaces = Spaces(self._city, self._community, self._park)
