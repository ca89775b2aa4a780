"""The menu shows health to whom it concerns; ``test_web`` has what the pages themselves show."""

import pytest


@pytest.mark.parametrize(
    ("partner", "finds"),
    [("clinic-east", True), ("medicare", True), ("swim-hall", True), ("somebody-else", False)],
)
def test_those_of_health_alone_of_all_partners_find_the_desk_in_the_menu(town, partner, finds):
    menu = town.client("partner", partner).get("/", headers={"accept": "text/html"}).text
    assert ('href="/health/desk"' in menu) == finds
    assert 'href="/health/mine"' not in menu
