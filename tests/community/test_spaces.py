"""The books of the spaces: many cars at once never get one space, and none is lost."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from citycard.store import reading
from citycard_community.errors import CarParkFull
from citycard_community.spaces import Spaces
from citycard_community.tables import stay


def spaces_of(estate):
    community = estate.settings.communities[0]
    return Spaces(estate.city, community, community.car_parks[0])


@pytest.fixture
def spaces(estate):
    return spaces_of(estate)


EACH_STORE = ["estate", pytest.param("on_postgresql", marks=pytest.mark.postgresql)]


@pytest.mark.parametrize("town", EACH_STORE)
def test_cars_that_come_at_once_get_spaces_of_their_own(town, request):
    estate = request.getfixturevalue(town)
    spaces = spaces_of(estate)

    def come(number):
        try:
            return spaces.take(f"{number:020d}", estate.now).space
        except CarParkFull:
            return None

    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(come, range(1, 9)))

    assert sorted(space for space in given if space) == [1, 2, 3]
    assert given.count(None) == 5
    assert spaces.occupancy(estate.today).free == 0


def test_the_same_card_keeps_its_space(estate, spaces):
    first = spaces.take("1" * 20, estate.now)
    assert spaces.take("1" * 20, estate.now) == first
    moved = spaces.take("1" * 20, estate.now, space=3)
    assert (moved.space, spaces.occupancy(estate.today).taken) == (3, 1)


def test_plates_are_kept_sealed_and_found(estate, spaces):
    spaces.take("1" * 20, estate.now, plate="京A12345")
    spaces.take("2" * 20, estate.now, plate="京A54321")
    assert spaces.lost(plate="京A54321").asn == "2" * 20
    with reading(estate.city.engine) as conn:
        kept = b"".join(row.plate for row in conn.execute(stay.select()))
    assert "京A".encode() not in kept


def test_leaving_twice_is_leaving_once(estate, spaces):
    car = spaces.take("1" * 20, estate.now)
    for fen in (200, 999):
        spaces.leave(car.id, estate.now, fen)
    with reading(estate.city.engine) as conn:
        assert [row.amount_fen for row in conn.execute(stay.select())] == [200]
