"""A debit done at gate A, whose answer A never heard; then the rider goes to gate B."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import count

import pytest

from citycard.errors import CardRemoved
from citycard.terminal import InProcessReader, Terminal
from citycard.terminal.record import RecordFlag, RecordKind, read_record
from citycard_transit.gates import Gate, Network, Passage, Site
from citycard_transit.sectors import RAIL
from citycard_transit.services import METRO, Fares

EIGHT = datetime.fromisoformat("2026-03-02T08:00:00")
IN_A, IN_B, OUT_A, OUT_B = "000101060001", "000101060002", "000101050007", "000101050008"
FRONT, REAR, OTHER = "000209010001", "000209010002", "000209020001"
SITES = {
    IN_A: Site(place=106, line=METRO),
    IN_B: Site(place=106, line=METRO),
    OUT_A: Site(place=105, line=METRO),
    OUT_B: Site(place=105, line=METRO),
    FRONT: Site(place=901, line="901", group="bus 7"),
    REAR: Site(place=901, line="901", group="bus 7"),
    OTHER: Site(place=901, line="901", group="bus 8"),
}
KINDS = {IN_A: RecordKind.ENTRY, IN_B: RecordKind.ENTRY, OUT_A: RecordKind.EXIT, OUT_B: RecordKind.EXIT}
_numbers = count(500_000)


class Torn(InProcessReader):
    """The card makes the debit, and its answer does not come; it does not come back to this gate either."""

    def transmit(self, apdu: bytes) -> bytes:
        answer = super().transmit(apdu)
        if apdu[:2] == b"\x80\x54":
            self._card.power_off()
            self.connect = self._gone
            raise CardRemoved(during="the debit")
        return answer

    def _gone(self) -> bytes:
        raise CardRemoved(during="power up")


class Town:
    def __init__(self, city, settings, desk) -> None:
        self.city = city
        network = Network(
            code=city.config.city.code,
            institution=city.config.city.issuer,
            fares=Fares.of(settings),
            rail=city.issuing.version("standard").place(RAIL.name),
            site_of=SITES.get,
        )
        self.gates = {
            number: Gate(terminal=Terminal(number, city.sam(number), host=desk), site=site, network=network)
            for number, site in SITES.items()
        }

    def card(self):
        chip = self.city.issuing.chip(f"03109901{next(_numbers):012d}", "full", date(2026, 1, 1))
        self.gates[IN_A].terminal.tap(InProcessReader(chip), EIGHT).load(10_000, EIGHT)
        return chip

    def tap(self, chip, gate: str, seconds: int):
        return self.gates[gate].serve(InProcessReader(chip), self.passage(gate, seconds))

    def torn(self, chip, gate: str, seconds: int) -> None:
        with pytest.raises(CardRemoved):
            self.gates[gate].serve(Torn(chip), self.passage(gate, seconds))

    def passage(self, gate: str, seconds: int) -> Passage:
        kind = KINDS.get(gate, RecordKind.SINGLE)
        return Passage(kind=kind, at=EIGHT + timedelta(seconds=seconds))

    def balance(self, chip) -> int:
        chip.power_on()
        chip.transmit(bytes.fromhex("00A4040008A00000063201010500"))
        return int.from_bytes(chip.transmit(bytes.fromhex("805C000204"))[:4], "big")

    def records(self, gate: str):
        return [read_record(record) for record in self.gates[gate].terminal.records]


@pytest.fixture
def town(haibin_city, haibin) -> Iterator[Town]:
    with haibin_city.desk.buffered() as desk:
        yield Town(haibin_city, haibin, desk)


def test_an_exit_debited_at_one_gate_is_not_debited_at_the_next(town):
    card = town.card()
    town.tap(card, IN_A, 0)
    town.torn(card, OUT_A, 1200)
    paid = 10_000 - town.balance(card)
    assert paid > 0
    served = town.tap(card, OUT_B, 1210)
    assert (served.passed, served.amount_fen, served.debits) == (True, 0, [])
    assert town.balance(card) == 10_000 - paid
    assert town.records(OUT_B) == []


def test_the_gate_that_debited_hands_the_exit_in(town):
    card = town.card()
    town.tap(card, IN_A, 0)
    town.torn(card, OUT_A, 1200)
    paid = 10_000 - town.balance(card)
    town.tap(card, OUT_B, 1210)
    terminal = town.gates[OUT_A].terminal
    assert terminal.hand_in_open(EIGHT + timedelta(days=1)) == 1
    (record,) = town.records(OUT_A)
    assert (record.amount_fen, record.flags) == (paid, RecordFlag.UNPROVEN)


def test_the_gate_that_debited_finds_its_exit_when_the_card_comes_again(town):
    card = town.card()
    town.tap(card, IN_A, 0)
    town.torn(card, OUT_A, 1200)
    paid = 10_000 - town.balance(card)
    town.tap(card, OUT_B, 1210)
    town.tap(card, IN_A, 30_000)
    town.tap(card, OUT_A, 31_200)
    first = town.records(OUT_A)[0]
    # Two rides later the card does not give that TAC any more.
    assert (first.amount_fen, first.flags) == (paid, RecordFlag.RECOVERED | RecordFlag.UNPROVEN)


def test_a_rider_who_comes_back_to_the_first_gate_gives_it_the_proof(town):
    card = town.card()
    town.tap(card, IN_A, 0)
    town.torn(card, OUT_A, 1200)
    paid = 10_000 - town.balance(card)
    town.tap(card, OUT_B, 1210)
    served = town.tap(card, OUT_A, 1220)
    assert (served.recovered, served.amount_fen, town.balance(card)) == (1, paid, 10_000 - paid)
    (record,) = town.records(OUT_A)
    assert (record.amount_fen, record.flags) == (paid, RecordFlag.RECOVERED)


def test_an_entry_written_at_one_gate_is_not_an_incomplete_ride_at_the_next(town):
    card = town.card()
    town.torn(card, IN_A, 0)
    served = town.tap(card, IN_B, 10)
    assert (served.passed, served.incomplete) == (True, False)
    exit_ = town.tap(card, OUT_A, 1200)
    assert exit_.amount_fen > 0
    assert not exit_.opened


@pytest.mark.parametrize(("gate", "seconds"), [(OUT_B, 1261), (IN_B, 1210)])
def test_later_or_elsewhere_it_is_another_passage(town, gate, seconds):
    card = town.card()
    town.tap(card, IN_A, 0)
    town.torn(card, OUT_A, 1200)
    assert not town.tap(card, gate, seconds).passed


def test_a_debit_that_the_card_did_not_make_is_made_at_the_next_gate(town):
    class Early(Torn):
        def transmit(self, apdu: bytes) -> bytes:
            if apdu[:2] == b"\x80\x54":
                self._card.power_off()
                self.connect = self._gone
                raise CardRemoved(during="the debit")
            return InProcessReader.transmit(self, apdu)

    card = town.card()
    town.tap(card, IN_A, 0)
    with pytest.raises(CardRemoved):
        town.gates[OUT_A].serve(Early(card), town.passage(OUT_A, 1200))
    assert town.balance(card) == 10_000
    served = town.tap(card, OUT_B, 1210)
    assert not served.passed
    assert town.balance(card) == 10_000 - served.amount_fen < 10_000
    # The first gate learns that it did nothing, and hands in nothing.
    town.tap(card, IN_A, 30_000)
    town.tap(card, OUT_A, 31_200)
    assert [record.amount_fen for record in town.records(OUT_A) if record.at.hour == 8] == []


def test_a_fare_taken_at_the_front_door_is_not_taken_at_the_rear(town):
    card = town.card()
    town.torn(card, FRONT, 0)
    paid = 10_000 - town.balance(card)
    served = town.tap(card, REAR, 20)
    assert (served.passed, town.balance(card)) == (True, 10_000 - paid)


@pytest.mark.parametrize(("gate", "seconds"), [(FRONT, 20), (OTHER, 20), (REAR, 61)])
def test_a_second_rider_on_the_same_card_pays(town, gate, seconds):
    # At the same door a second tap is a second rider, as it is on another bus, or later.
    card = town.card()
    first = town.tap(card, FRONT, 0)
    served = town.tap(card, gate, seconds)
    assert not served.passed
    assert town.balance(card) == 10_000 - first.amount_fen - served.amount_fen
    assert served.amount_fen > 0
