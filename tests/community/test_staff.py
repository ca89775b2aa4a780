"""Rights of people who work there, and rights that the company takes back."""

import datetime as dt

import pytest

from citycard.city.office import Office
from citycard.errors import RegistryMissing
from citycard_community.errors import CommunityUnknown, RightRefused, RightUnknown
from citycard_community.staff import give_staff, take_back

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def admit(estate):
    def admit(card, zones=(0, 2), hours=1, last=30, community="sunrise"):
        number = card if isinstance(card, str) else card.asn
        until = estate.today + last * DAY
        return give_staff(estate.city, estate.settings, community, number, zones, hours, estate.today, until)

    return admit


def test_a_cleaner_opens_what_is_cleaned_within_the_hours(estate, admit):
    cleaner = estate.town.card()
    assert admit(cleaner) == admit(cleaner)
    estate.kiosk().collect(cleaner.reader, estate.now)
    assert [estate.opens(door, cleaner) for door in ("gate", "west", "east")] == [
        "staff",
        "staff",
        "not-here",
    ]
    estate.town.pass_time(15 * HOUR)
    assert estate.opens("west", cleaner) == "hours"


def test_what_is_taken_back_is_refused_from_the_next_list_on(estate, admit):
    cleaner = estate.town.card()
    given = admit(cleaner)
    estate.kiosk().collect(cleaner.reader, estate.now)
    first = take_back(estate.city, given.id)
    estate.town.pass_time(HOUR)
    assert take_back(estate.city, given.id) == first
    assert estate.opens("west", cleaner) == "revoked"
    assert admit(cleaner).id != given.id


def test_what_cannot_be_given_is_refused_by_field(estate, admit):
    cleaner, lost = estate.town.card(), estate.town.card()
    Office(estate.city, "desk").lost(lost.asn)
    for more, said in (
        ({"zones": ()}, "zones is"),
        ({"zones": (0, 9)}, r"zones is .* expected some of \[0, 1, 2\]"),
        ({"hours": 9}, r"hours is 9, expected one of \[0, 1\]"),
        ({"last": -1}, "days is"),
        ({"last": 500}, "days is"),
        ({"card": lost}, "card is 'lost'"),
    ):
        with pytest.raises(RightRefused, match=said):
            admit(**({"card": cleaner} | more))
    with pytest.raises(CommunityUnknown):
        admit(cleaner, community="moon")
    with pytest.raises(RegistryMissing):
        admit("9" * 20)
    with pytest.raises(RightUnknown):
        take_back(estate.city, 1)


def test_the_company_does_it_online_and_no_other(estate):
    cleaner = estate.town.card()
    company, other = (estate.town.client("partner", name) for name in ("sunrise-pm", "other"))
    body = {
        "community": "sunrise",
        "card": cleaner.asn,
        "zones": [0],
        "starts_on": "2026-03-02",
        "ends_on": "2026-03-31",
    }
    assert other.post("/community/staff", json=body).status_code == 403
    given = company.post("/community/staff", json=body).json()
    assert (given["kind"], given["revoked_at"]) == ("staff", None)
    path = f"/community/rights/{given['serial']}/end"
    assert other.post(path, json={}).status_code == 403
    assert company.post(path, json={}).json()["revoked_at"] == "2026-03-02T08:00:00"
    assert company.post("/community/rights/99/end", json={}).status_code == 404
    assert company.post("/community/staff", json=body | {"zones": ["a"]}).status_code == 422
