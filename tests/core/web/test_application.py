"""The application of a running server: it answers, and beside that it goes round the city."""

from __future__ import annotations

import time
from datetime import date

from starlette.testclient import TestClient

from citycard import registry
from citycard.clearing.events import RUN_CLOSED
from citycard.store import publish, reading, undelivered, writing
from citycard.web import create_app

SECONDS_MOST = 10


def waiting(city) -> int:
    with reading(city.engine) as conn:
        return len(undelivered(conn))


def test_while_a_server_runs_the_events_that_wait_are_told(empty_city):
    with writing(empty_city.engine) as conn:
        publish(conn, RUN_CLOSED, [{"run": 1, "records": 0, "settled_fen": 0}])
    with TestClient(create_app(empty_city)):
        end = time.monotonic() + SECONDS_MOST
        while waiting(empty_city) and time.monotonic() < end:
            time.sleep(0.02)

    assert waiting(empty_city) == 0


def test_a_card_shows_what_it_entitles_to(client, operator, town, city):
    with writing(city.engine) as conn:
        right = registry.Entitlement(
            name="resident", source="town-hall", starts_on=date(2026, 1, 1), asn=town.cards[3]
        )
        registry.add_entitlements(conn, [right])

    card = client.get(f"/api/cards/{town.cards[3]}", headers=operator).json()

    assert card["entitlements"] == [{"name": "resident", "source": "town-hall", "until": None}]
