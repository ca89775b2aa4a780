"""When a door opens and when it does not, by nothing but configuration, card and the card's key."""

import datetime as dt

import pytest

from citycard_community.access import admitted
from citycard_community.errors import DoorClosed
from citycard_community.rights import card_rights, sign
from citycard_community.sectors import CardRights, Right, RightKind
from citycard_community.settings import Community, CommunitySettings, Door, Hours, Zone

ASN = "01019901000000000001"
NIGHT = Hours(number=2, name="night", opens=dt.time(22, 0), closes=dt.time(6, 0), weekdays=(5,))
DAYTIME = Hours(number=1, name="day", opens=dt.time(7, 0), closes=dt.time(22, 0))
EAST = Door(id="east", name="East door", zone=1, terminal="990100000012")
COMMUNITY = Community(
    id="sunrise",
    number=7,
    name="Sunrise",
    partner="pm",
    zones=(Zone(number=0, name="Gate", shared=True), Zone(number=1, name="East")),
    doors=(EAST,),
)
SETTINGS = CommunitySettings(communities=(COMMUNITY,), hours=(DAYTIME, NIGHT))
NOON = dt.datetime(2026, 3, 2, 12, 0)


def key(_):
    return bytes(16)


def right(serial=1, **more):
    made = {
        "kind": RightKind.TENANT,
        "community": 7,
        "zones": 0b11,
        "starts_on": NOON.date(),
        "ends_on": NOON.date(),
    }
    return sign(Right(serial=serial, **(made | more)), ASN, key, 1)


def asked(*rights, at=NOON, revoked=(), asn=ASN):
    record = card_rights(rights, ASN, dt.date(2000, 1, 1)) if rights else CardRights()
    return admitted(SETTINGS, COMMUNITY, EAST, record, asn=asn, key=key, revoked=revoked, at=at)


def code(*rights, **more):
    with pytest.raises(DoorClosed) as closed:
        asked(*rights, **more)
    assert closed.value.data["door"] == "East door"
    return closed.value.data["code"]


def test_it_opens_for_the_earliest_right_that_holds():
    assert asked(right(4), right(2), right(3, zones=1)).serial == 2


def test_each_reason_has_a_code_and_the_nearest_one_is_told():
    day = dt.timedelta(days=1)
    assert code() == "no-right"
    assert code(right(kind=RightKind.PARKING)) == "no-right"
    assert code(right(), asn="01019901000000000002") == "forged"
    assert code(right(zones=0b101)) == "not-here"
    assert code(right(community=8)) == "not-here"
    assert code(right(), revoked={1}) == "revoked"
    assert code(right(), at=NOON - day) == "not-yet"
    assert code(right(), at=NOON + day) == "ended"
    assert code(right(hours=1), at=NOON + 10 * dt.timedelta(hours=1)) == "hours"
    assert code(right(hours=99)) == "hours"
    assert code(right(1), right(2), revoked={1, 2}) == "revoked"


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        ("2026-03-06T22:00", True),  # a Friday
        ("2026-03-07T05:59", True),
        ("2026-03-07T06:00", False),
        ("2026-03-07T23:00", False),
        ("2026-03-06T05:00", False),
    ],
)
def test_hours_past_midnight_belong_to_the_day_they_began(at, holds):
    assert NIGHT.hold(dt.datetime.fromisoformat(at)) is holds
    assert SETTINGS.hours_hold(0, dt.datetime.fromisoformat(at))
