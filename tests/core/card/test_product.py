from __future__ import annotations

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.card.codec import layout, reserved
from citycard.card.files import TRANSIT_PROFILE
from citycard.card.product import CardProduct, Place, ProductVersion, allocate
from citycard.card.sector import SectorLayout
from citycard.errors import CardFull, ProductInvalid, SectorInvalid


@layout(size=20)
class Small:
    rest: bytes = reserved(20)


@layout(size=125)
class Large:
    rest: bytes = reserved(125)


ADULT = CardProduct(name="adult", title="Adult")
METRO = SectorLayout(name="transit.rail", record=Large, record_id=0x2701)
BUS = SectorLayout(name="transit.bus", record=Large, record_id=0x2702)
ZOO = SectorLayout(name="zoo", record=Small)
LIBRARY = SectorLayout(name="library", record=Small)


def where(version: ProductVersion) -> dict[str, tuple[int, int]]:
    return {place.sector: (place.number, place.record_id) for place in version.places}


def test_published_records_take_their_own_number_and_others_fill_the_gaps_by_name() -> None:
    version = allocate(ADULT, [ZOO, BUS, LIBRARY, METRO])
    assert where(version) == {
        "transit.rail": (1, 0x2701),
        "transit.bus": (2, 0x2702),
        "library": (3, 0x4303),
        "zoo": (4, 0x4304),
    }
    assert version.number == 1


@given(st.permutations([ZOO, BUS, LIBRARY, METRO]))
def test_the_order_of_plugins_never_matters(order: list[SectorLayout]) -> None:
    assert allocate(ADULT, order) == allocate(ADULT, [ZOO, BUS, LIBRARY, METRO])


def test_a_later_sector_never_moves_an_earlier_one() -> None:
    first = allocate(ADULT, [ZOO])
    second = allocate(ADULT, [ZOO, BUS, METRO, LIBRARY], first)
    assert second.number == 2
    assert where(second) == {
        "zoo": (1, 0x4301),
        "transit.bus": (2, 0x2702),
        "library": (3, 0x4303),
        "transit.rail": (4, 0x2701),
    }


def test_the_place_of_a_disabled_plugin_is_kept() -> None:
    first = allocate(ADULT, [ZOO, LIBRARY])
    assert allocate(ADULT, [ZOO], first) is first
    second = allocate(ADULT, [ZOO, BUS], first)
    assert where(second)["library"] == where(first)["library"]
    assert where(second)["transit.bus"] == (3, 0x2702)


def test_nothing_new_makes_no_new_version() -> None:
    first = allocate(ADULT, [ZOO, BUS])
    assert allocate(ADULT, [BUS, ZOO], first) is first


@given(st.lists(st.sets(st.sampled_from([ZOO, BUS, LIBRARY, METRO])), min_size=1, max_size=6))
def test_through_any_history_places_stay_and_numbers_stay_dense(history: list[set[SectorLayout]]) -> None:
    version: ProductVersion | None = None
    for enabled in history:
        later = allocate(ADULT, enabled, version)
        if version is not None:
            assert where(later).items() >= where(version).items()
        assert [place.number for place in later.places] == list(range(1, len(later.places) + 1))
        assert {sector.name for sector in enabled} <= set(where(later))
        version = later


def test_a_changed_layout_needs_a_new_version_and_keeps_its_place() -> None:
    first = allocate(ADULT, [ZOO, LIBRARY])
    with pytest.raises(SectorInvalid, match="changed from 20 to 125 bytes under version 1"):
        allocate(ADULT, [SectorLayout(name="zoo", record=Large)], first)
    second = allocate(ADULT, [SectorLayout(name="zoo", record=Large, version=2)], first)
    assert second.place("zoo") == attrs.evolve(first.place("zoo"), version=2, size=125)


def test_a_product_carries_only_the_sectors_it_names() -> None:
    visitor = CardProduct(name="visitor", sectors=("zoo",))
    assert list(where(allocate(visitor, [ZOO, BUS, LIBRARY]))) == ["zoo"]


def test_sectors_that_do_not_fit_are_refused_with_the_first_one_without_room() -> None:
    profile = attrs.evolve(TRANSIT_PROFILE, sector_room=300)
    with pytest.raises(CardFull) as caught:
        allocate(ADULT, [METRO, BUS, ZOO, LIBRARY], profile=profile)
    assert caught.value.data == {"product": "adult", "needed": 302, "room": 300, "sector": "zoo"}


def test_two_sectors_of_one_name_are_refused() -> None:
    with pytest.raises(ProductInvalid, match="two sectors are named zoo"):
        allocate(ADULT, [ZOO, SectorLayout(name="zoo", record=Large)])


def test_two_sectors_with_one_record_id_are_refused() -> None:
    tram = SectorLayout(name="transit.tram", record=Small, record_id=0x2702)
    with pytest.raises(
        ProductInvalid, match=r"sectors transit\.bus and transit\.tram both want record id 2702"
    ):
        allocate(ADULT, [BUS, tram])


def test_a_version_survives_json() -> None:
    version = allocate(ADULT, [ZOO, BUS, LIBRARY, METRO])
    assert ProductVersion.from_json(version.to_json()) == version
    assert json.loads(version.to_json())["places"][0]["record_id"] == 0x2701


@pytest.mark.parametrize("written", ["", "[]", "{}", '{"places": [{}]}', '{"places": [], "number": 0}'])
def test_a_stored_version_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(ProductInvalid, match="its version cannot be read"):
        ProductVersion.from_json(written)


def test_a_place_wraps_a_body_as_the_card_stores_it() -> None:
    place = Place(sector="zoo", version=1, number=3, record_id=0x4303, size=2)
    assert place.wrap(b"\xab\xcd") == bytes.fromhex("4303 02 ABCD")
    assert place.unwrap(bytes.fromhex("4303 02 ABCD 0000")) == b"\xab\xcd"


@pytest.mark.parametrize("record", ["", "4303", "4304 02 ABCD", "4303 03 ABCDEF", "4303 02 AB"])
def test_another_record_at_the_place_is_refused(record: str) -> None:
    place = Place(sector="zoo", version=1, number=3, record_id=0x4303, size=2)
    with pytest.raises(SectorInvalid, match="sector zoo: record 3 starts with"):
        place.unwrap(bytes.fromhex(record))


def test_a_body_of_another_size_is_refused() -> None:
    place = Place(sector="zoo", version=1, number=3, record_id=0x4303, size=2)
    with pytest.raises(SectorInvalid, match="3 bytes for a place of 2"):
        place.wrap(b"abc")


def test_a_sector_that_is_not_on_the_card_is_named() -> None:
    with pytest.raises(SectorInvalid, match="sector zoo: it is not on cards of product adult version 1"):
        allocate(ADULT, [BUS]).place("zoo")


def test_a_place_remembers_who_may_write_it() -> None:
    deed = SectorLayout(name="deed", record=Small, write="maintenance")
    version = allocate(ADULT, [deed, ZOO])
    assert [place.write.value for place in version.places] == ["maintenance", "purchase"]
    assert ProductVersion.from_json(version.to_json()) == version
