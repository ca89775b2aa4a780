"""Gates and validators, with real terminals and chips."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from itertools import count

import attrs
import pytest

from citycard.card.codec import decode
from citycard.card.files import JourneyKind, JourneyRecord
from citycard.chip import Chip
from citycard.city import City
from citycard.errors import CardRefused
from citycard.terminal.acceptance import Acceptance
from citycard.terminal.reader import InProcessReader
from citycard.terminal.record import RecordFlag, RecordKind, TransactionRecord, read_record
from citycard.terminal.terminal import Terminal
from citycard_transit.gates import Gate, Network, Passage, Served, Site
from citycard_transit.sectors import RAIL, RailRecord, RailState, RideFacts
from citycard_transit.services import METRO, Fares
from citycard_transit.settings import TransitSettings

EIGHT = datetime.fromisoformat("2026-03-02T08:00:00")
IN, OUT, BUS_A, BUS_B = "000101060001", "000101050007", "000209010001", "000209030001"
SITES = {
    IN: Site(place=106, line=METRO),
    OUT: Site(place=105, line=METRO),
    BUS_A: Site(place=901, line="901"),
    BUS_B: Site(place=903, line="903"),
}
SHOP = "000990010001"
_numbers = count(1)


@attrs.frozen
class World:
    """Two gates and two buses of Haibin, and cards to try them."""

    city: City
    gates: dict[str, Gate]

    def card(self, product: str = "full") -> Chip:
        return self.city.issuing.chip(f"03109901{next(_numbers):012d}", product, date(2026, 1, 1))

    def tap(self, chip: Chip, terminal: str, minutes: int, kind: RecordKind | None = None) -> Served:
        kinds = {IN: RecordKind.ENTRY, OUT: RecordKind.EXIT}
        passage = Passage(
            kind=kind or kinds.get(terminal, RecordKind.SINGLE), at=EIGHT + timedelta(minutes=minutes)
        )
        return self.gates[terminal].serve(InProcessReader(chip), passage)

    def records(self, terminal: str) -> list[TransactionRecord]:
        return [read_record(record) for record in self.gates[terminal].terminal.records]

    def balance_fen(self, chip: Chip) -> int:
        session = self.gates[IN].terminal.tap(InProcessReader(chip), EIGHT)
        return session.view.balance_fen

    def rail(self, chip: Chip) -> RailRecord:
        session = self.gates[IN].terminal.tap(InProcessReader(chip), EIGHT)
        return decode(RailRecord, session.read_sector(self.gates[IN].network.rail))


@pytest.fixture
def world(haibin_city: City, haibin: TransitSettings) -> Iterator[World]:
    city = haibin_city
    network = Network(
        code=city.config.city.code,
        institution=city.config.city.issuer,
        fares=Fares.of(haibin),
        rail=city.issuing.version("standard").place(RAIL.name),
        site_of=SITES.get,
    )
    with city.desk.buffered() as desk:
        gates = {
            number: Gate(terminal=Terminal(number, city.sam(number), host=desk), site=site, network=network)
            for number, site in SITES.items()
        }
        yield World(city, gates)


def test_a_metro_ride_costs_what_lies_between_entry_and_exit(world: World) -> None:
    chip = world.card()
    entry, leave = world.tap(chip, IN, 0), world.tap(chip, OUT, 20)
    assert (entry.amount_fen, leave.amount_fen, leave.opened) == (0, 300, False)
    (first,), (last,) = world.records(IN), world.records(OUT)
    assert (first.kind, first.tti, first.amount_fen) == (RecordKind.ENTRY, 9, 0)
    assert (last.kind, last.tti, last.amount_fen) == (RecordKind.EXIT, 9, 300)
    facts = decode(RideFacts, last.facts)
    assert (facts.origin, facts.place, facts.entered_at, facts.entry_terminal) == (106, 105, EIGHT, IN)


def test_both_ends_of_a_ride_are_on_the_card_for_other_cities_to_read(world: World) -> None:
    chip = world.card()
    world.tap(chip, IN, 0)
    world.tap(chip, OUT, 20)
    rail = world.rail(chip)
    assert (rail.state, rail.entry_line, rail.exit_line) == (RailState.EXITED, 1, 1)
    assert (rail.exit_amount_fen, rail.exit_terminal) == (300, f"{OUT}0000")
    session = world.gates[IN].terminal.tap(InProcessReader(chip), EIGHT)
    newest, before = (decode(JourneyRecord, session.read_record(0x1E, number)) for number in (1, 2))
    assert (newest.kind, newest.amount_fen) == (JourneyKind.EP_EXIT, 300)
    assert (before.kind, before.amount_fen) == (JourneyKind.EP_ENTRY, 0)


def test_a_ride_without_an_entry_is_opened_by_the_exit_gate_and_costs_the_highest_price(
    world: World,
) -> None:
    chip = world.card()
    served = world.tap(chip, OUT, 0)
    assert (served.opened, served.amount_fen) == (True, 800)
    assert [(record.kind, record.amount_fen) for record in world.records(OUT)] == [
        (RecordKind.OPENED, 0),
        (RecordKind.EXIT, 800),
    ]
    assert decode(RideFacts, world.records(OUT)[1].facts).origin == 0


def test_a_second_entry_counts_the_first_ride_as_incomplete(world: World) -> None:
    chip = world.card()
    assert world.tap(chip, IN, 0).incomplete is False
    assert world.tap(chip, IN, 30).incomplete is True
    assert world.tap(chip, OUT, 40).amount_fen == 300


def test_an_entry_of_long_ago_is_not_the_entry_of_this_ride(world: World) -> None:
    chip = world.card()
    world.tap(chip, IN, 0)
    served = world.tap(chip, OUT, 241)
    assert (served.opened, served.incomplete, served.amount_fen) == (True, True, 800)


def test_a_short_purse_is_topped_up_through_the_load_protocol(world: World) -> None:
    chip = world.card()
    loads = [world.tap(chip, BUS_A, minute).loads for minute in range(5)]
    # 3.00 a ride on line 901, until 15.00 of the day are reached; one load of 30.00 is enough for all.
    assert [[load.amount_fen for load in made] for made in loads] == [[3000], [], [], [], []]
    assert world.balance_fen(chip) == 3000 - 5 * 300


def test_a_free_rider_needs_no_money(world: World) -> None:
    chip = world.card("free")
    served = world.tap(chip, BUS_A, 0)
    assert (served.amount_fen, served.loads, world.balance_fen(chip)) == (0, [], 0)


def test_a_transfer_is_read_from_the_card_within_the_window_and_on_another_line(world: World) -> None:
    other_line, same_line, too_late = world.card("standard"), world.card("standard"), world.card("standard")
    for chip in (other_line, same_line, too_late):
        assert world.tap(chip, BUS_A, 0).transfer is False
    served = world.tap(other_line, BUS_B, 60)
    assert (served.transfer, served.amount_fen) == (True, 80)
    assert world.tap(same_line, BUS_A, 60).transfer is False
    assert world.tap(too_late, BUS_B, 61).amount_fen == 160
    record = world.records(BUS_B)[0]
    facts = decode(RideFacts, record.facts)
    assert record.flags & RecordFlag.TRANSFER
    assert (facts.previous_place, facts.previous_at) == (901, EIGHT)


def test_for_the_metro_the_window_ends_at_the_entry(world: World) -> None:
    chip = world.card("standard")
    world.tap(chip, BUS_A, 0)
    world.tap(chip, IN, 50)
    served = world.tap(chip, OUT, 75)
    assert (served.transfer, served.amount_fen) == (True, 200)


def test_a_day_costs_no_more_than_its_cap_and_the_next_day_begins_anew(world: World) -> None:
    chip = world.card()
    paid = [
        world.tap(chip, OUT, 0).amount_fen,
        *(world.tap(chip, BUS_A, 10 * n).amount_fen for n in range(1, 5)),
    ]
    assert paid == [800, 300, 300, 100, 0]
    assert world.tap(chip, BUS_A, 24 * 60).amount_fen == 300


def test_what_was_bought_in_a_shop_is_no_part_of_the_days_fares(world: World) -> None:
    chip, shop = world.card(), Terminal(SHOP, world.city.sam(SHOP))
    assert world.tap(chip, BUS_A, 0).amount_fen == 300
    at = EIGHT + timedelta(minutes=5)
    shop.tap(InProcessReader(chip), at).purchase(1500, at)
    assert world.tap(chip, BUS_A, 10).amount_fen == 300


def test_what_the_gate_charged_is_what_clearing_computes_from_its_record(world: World) -> None:
    for product in ("standard", "half", "free", "full"):
        chip = world.card(product)
        for terminal, minutes in ((BUS_A, 0), (IN, 30), (OUT, 50), (BUS_B, 70), (OUT, 90)):
            world.tap(chip, terminal, minutes)
    records = [record for number in SITES for record in world.records(number)]
    assert len(records) == 24
    for record in records:
        quote = world.city.rate(record).quote
        assert quote is not None
        assert quote.amount_fen == record.amount_fen


def test_a_through_ride_is_shared_between_the_operators_of_both_ends(world: World) -> None:
    chip = world.card()
    world.tap(chip, IN, 0)
    elsewhere = attrs.evolve(world.gates[OUT], site=Site(place=304, line=METRO))
    elsewhere.serve(InProcessReader(chip), Passage(kind=RecordKind.EXIT, at=EIGHT + timedelta(minutes=9)))
    shares = world.city.rate(world.records(OUT)[-1]).shares
    assert {(share.partner, share.weight) for share in shares} == {("haibin-metro", 40), ("bay-rail", 60)}


def test_a_card_on_the_blacklist_does_not_pass(world: World) -> None:
    chip = world.card()
    asn = world.gates[IN].terminal.tap(InProcessReader(chip), EIGHT).view.asn
    world.gates[IN].terminal.acceptance = Acceptance(blacklist=frozenset({asn}))
    with pytest.raises(CardRefused, match="reported lost"):
        world.tap(chip, IN, 0)
    assert world.records(IN) == []


# ── power loss ───────────────────────────────────────────────────────────────────────────────────

Ride = Callable[[World, Chip], list[Served]]


def _metro(world: World, chip: Chip) -> list[Served]:
    return [world.tap(chip, IN, 0), world.tap(chip, OUT, 20)]


def _opened(world: World, chip: Chip) -> list[Served]:
    return [world.tap(chip, OUT, 0)]


def _bus(world: World, chip: Chip) -> list[Served]:
    return [world.tap(chip, BUS_A, 0)]


@pytest.mark.parametrize(("ride", "price_fen"), [(_metro, 300), (_opened, 800), (_bus, 300)])
@pytest.mark.parametrize("torn", [False, True])
def test_power_lost_at_any_write_of_a_ride_never_charges_twice_and_never_gives_a_free_ride(
    world: World, ride: Ride, price_fen: int, torn: bool
) -> None:
    recovered = cut = 0
    for writes in count():
        chip = world.card()
        before = chip.eeprom.writes
        chip.eeprom.cut_after(writes, torn=torn)
        served = ride(world, chip)
        chip.eeprom.cut_after(None)
        recovered += sum(one.recovered for one in served)
        loaded_fen = sum(load.amount_fen for one in served for load in one.loads)
        assert loaded_fen - world.balance_fen(chip) == price_fen
        assert sum(one.amount_fen for one in served) == price_fen
        if chip.eeprom.writes - before <= writes:
            break
        cut += 1
    assert cut > 10
    assert recovered > 0
    # Every record that was handed in is one debit that the card made: no counter stands there twice.
    counters = [(record.asn, record.counter) for number in SITES for record in world.records(number)]
    assert len(counters) == len(set(counters))
