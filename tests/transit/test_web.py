"""Transit's endpoints, through the city's own server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from citycard.city import City
from citycard.web import create_app
from citycard_transit.morning import generate
from citycard_transit.replay import Clockwork, replay

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("web") / "city"
    city = City.create(folder, ROOT / "examples" / "morning" / "city.toml")
    replay(city, generate(1, 300), clockwork=Clockwork())
    with TestClient(create_app(city)) as client:
        yield client
    city.close()


def test_anybody_may_ask_what_a_ride_costs_and_why(client: TestClient) -> None:
    ride = {"service": "metro", "origin": 101, "place": 310, "minutes_after": 20}
    answer = client.get("/transit/fare", params=ride).json()
    assert answer["price_fen"] == 640
    assert [(line["stage"], line["after_fen"]) for line in answer["lines"]] == [
        ("base price", 800),
        ("discount", 720),
        ("transfer", 640),
    ]


def test_a_ride_that_is_over_the_cap_costs_nothing(client: TestClient) -> None:
    ride = {"service": "bus", "place": 901, "spent_today_fen": 1500}
    assert client.get("/transit/fare", params=ride).json()["price_fen"] == 0


@pytest.mark.parametrize(
    ("ride", "status"),
    [
        ({"service": "ferry"}, 422),
        ({"place": "x"}, 422),
        ({"product": "gold"}, 404),
        ({"service": "metro", "origin": 101, "place": 999}, 409),
    ],
)
def test_a_question_that_has_no_answer_is_a_problem_document(
    client: TestClient, ride: dict[str, object], status: int
) -> None:
    answer = client.get("/transit/fare", params=ride)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.status_code == status


def test_lines_are_listed_with_their_places_in_both_languages(client: TestClient) -> None:
    lines = {line["line"]: line["places"] for line in client.get("/transit/lines").json()}
    assert lines["Line 1"]["106"] == "Old Town 老城"
    assert lines["Bus 1"] == {"901": "Bus 1 1路"}


def test_the_rules_are_for_those_who_may_read_them(client: TestClient) -> None:
    assert client.get("/transit/rules").status_code in {401, 403}


def test_a_price_is_explained_in_the_readers_language(client: TestClient) -> None:
    ride = {"service": "metro", "origin": 101, "place": 310, "minutes_after": 20, "lang": "zh"}
    page = client.get("/transit/fare", params=ride, headers={"accept": "text/html"}).text
    assert "按 95% 支付，超过 ¥4.00 的部分按 85% 支付" in page
    assert "60 分钟内换乘减 ¥0.80" in page
