"""The endpoints: for whom they are, what they do once, and what they say to bad input."""

from __future__ import annotations

import pytest

from citycard.ids import new_id

NOBODY = "01019901009999999999"


@pytest.fixture
def card(leisure):
    made = leisure.town.card()
    leisure.town.account(made, 50_000)
    return made


@pytest.fixture
def operator(leisure):
    return leisure.town.client("operator")


@pytest.fixture
def citizen(leisure, card):
    return leisure.town.client("citizen", card.asn)


def wanted(leisure, card, **more):
    starts = leisure.at("10:00").isoformat()
    return {"id": str(new_id()), "card": card.asn, "show": "dinosaurs", "starts": starts, "people": 2} | more


def test_everybody_sees_what_is_on(leisure):
    public = leisure.town.client("public")
    programme = public.get("/tourism/programme").json()
    assert [len(programme[kind]) for kind in ("venues", "shows", "plans")] == [7, 2, 2]
    slots = public.get("/tourism/slots?show=dinosaurs&day=2026-03-02").json()
    assert [(one["starts"], one["left"]) for one in slots] == [
        ("2026-03-02T10:00:00", 20),
        ("2026-03-02T12:00:00", 20),
        ("2026-03-02T14:00:00", 20),
    ]
    assert public.get("/tourism/slots?show=moon").status_code == 404
    unasked = public.get("/tourism/slots")
    assert (unasked.status_code, "expected one of dinosaurs" in unasked.text) == (422, True)
    desk = leisure.town.client("operator")
    assert desk.post("/tourism/fees", json={"card": ""}).status_code == 404
    assert public.get("/tourism/slots?show=film&day=tomorrow").status_code == 422


def test_a_ticket_is_bought_moved_and_given_back_once(leisure, card, citizen):
    body = wanted(leisure, card)
    bought = [citizen.post("/tourism/tickets", json=body) for _ in range(2)]
    assert [one.status_code for one in bought] == [200, 200]
    assert bought[0].json() == bought[1].json()
    assert bought[0].json()["price_fen"] == 6000
    where = f"/tourism/tickets/{body['id']}"
    move = {"id": str(new_id()), "starts": leisure.at("14:00").isoformat()}
    for _ in range(2):
        assert citizen.post(f"{where}/moves", json=move).json()["starts"] == "2026-03-02T14:00:00"
    back = {"id": str(new_id())}
    for _ in range(2):
        assert citizen.post(f"{where}/returns", json=back).json()["state"] == "returned"
    shown = citizen.get(f"/tourism/cards/{card.asn}").json()
    assert ([one["state"] for one in shown["tickets"]], shown["refunds_due_fen"]) == (["returned"], 0)
    account = citizen.get(f"/api/accounts/{card.asn}").json()
    assert account["available_fen"] == 50_000 - 600


def test_the_same_id_for_something_else_is_refused(leisure, card, citizen):
    body = wanted(leisure, card)
    citizen.post("/tourism/tickets", json=body)
    assert citizen.post("/tourism/tickets", json=body | {"people": 3}).status_code == 409
    assert citizen.post(
        "/tourism/passes", json={"id": str(new_id()), "card": card.asn, "plan": "gym"}
    ).json()["detail"]


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"show": "moon"}, 404, "there is no show 'moon'"),
        ({"starts": "2026-03-02T10:01:00"}, 404, "it begins at"),
        ({"starts": "2026-03-02T10:00:00+08:00"}, 422, "without a zone"),
        ({"starts": "soon"}, 422, "starts"),
        ({"starts": "2026-02-02T10:00:00"}, 404, "it is over"),
        ({"people": 0}, 409, "expected 1 to 50"),
        ({"people": 51}, 409, "expected 1 to 50"),
        ({"people": "2"}, 422, "people"),
        ({"people": 21}, 409, "20 places left"),
        ({"people": 2**80}, 422, "people"),
        ({"points": -1}, 422, "points"),
        ({"points": 5}, 409, "do not pay for it"),
        ({"scheme": "bookshop", "points": 5}, 409, "do not pay for it"),
        ({"id": "1"}, 422, "id"),
        ({"colour": "red"}, 422, "colour"),
        ({"card": NOBODY}, 404, NOBODY),
        ({"card": "x' OR 1=1"}, 404, "card"),
    ],
)
def test_bad_tickets_get_one_clear_answer(leisure, card, operator, change, status, told):
    answer = operator.post("/tourism/tickets", json=wanted(leisure, card) | change)
    assert (answer.status_code, told in answer.text) == (status, True), answer.text
    assert operator.get(f"/tourism/cards/{card.asn}").json()["tickets"] == []


def test_bodies_that_are_no_bodies(leisure, card, operator):
    for content in (b"", b"[]", b"{", b'{"id": 1, "id": 2}', b"\xff"):
        answer = operator.post(
            "/tourism/tickets", content=content, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 422
    big = wanted(leisure, card, scheme="x" * 70_000)
    assert operator.post("/tourism/tickets", json=big).status_code == 413
    assert operator.post("/tourism/tickets", data={"id": "1"}).status_code == 415


def test_a_citizen_has_the_own_card_only(leisure, card, citizen):
    other = leisure.town.card()
    leisure.town.account(other, 50_000)
    assert citizen.get(f"/tourism/cards/{other.asn}").status_code == 403
    assert citizen.post("/tourism/tickets", json=wanted(leisure, other)).status_code == 403
    assert (
        citizen.post(
            "/tourism/passes", json={"id": str(new_id()), "card": other.asn, "plan": "gym"}
        ).status_code
        == 403
    )
    body = wanted(leisure, other)
    operator = leisure.town.client("operator")
    operator.post("/tourism/tickets", json=body)
    for identity in (body["id"], str(new_id())):
        answer = citizen.post(f"/tourism/tickets/{identity}/returns", json={"id": str(new_id())})
        assert answer.status_code == 403
    assert (
        operator.post(f"/tourism/tickets/{new_id()}/returns", json={"id": str(new_id())}).status_code == 404
    )
    assert operator.post("/tourism/tickets/7/returns", json={"id": str(new_id())}).status_code == 422
    assert leisure.town.client("public").get(f"/tourism/cards/{card.asn}").status_code == 401
    assert citizen.post("/tourism/fees", json={"card": other.asn}).status_code == 403
    assert citizen.get("/tourism/visits").status_code == 403


def test_a_venue_sells_and_sees_its_own(leisure, card):
    from citycard_tourism.loyalty import open_schemes

    open_schemes(leisure.office)
    shop, museum = leisure.town.client("partner", "bookshop"), leisure.town.client("partner", "city-museum")
    sale = {"id": str(new_id()), "card": card.asn, "venue": "bookshop", "list_price_fen": 1250}
    for _ in range(2):
        assert shop.post("/tourism/sales", json=sale).json() == {
            "id": sale["id"],
            "amount_fen": 1250,
            "points": 12,
        }
    assert museum.post("/tourism/sales", json=sale).status_code == 403
    assert shop.post("/tourism/sales", json=sale | {"list_price_fen": 0}).status_code == 422
    assert shop.post("/tourism/sales", json=sale | {"list_price_fen": 10**9}).status_code == 422
    small = sale | {"id": str(new_id()), "list_price_fen": 99}
    assert shop.post("/tourism/sales", json=small).json()["points"] == 0

    slot = {"show": "dinosaurs", "starts": leisure.at("10:00").isoformat(), "capacity": 7}
    assert museum.post("/tourism/slots", json=slot).json()["left"] == 7
    assert shop.post("/tourism/slots", json=slot).status_code == 403
    assert museum.post("/tourism/slots", json=slot | {"capacity": -1}).status_code == 422
    assert museum.post("/tourism/slots", json=slot | {"starts": "2026-03-02T11:00"}).status_code == 404
    assert museum.get("/tourism/visits").json() == []
    assert museum.get("/tourism/visits?venue=bookshop").status_code == 403
    assert museum.get("/tourism/visits?since=2026").status_code == 422
    assert museum.get("/tourism/visits?since=2026-03-02&until=2026-03-01").status_code == 422


def test_visits_are_counted_for_their_venue(leisure):
    card = leisure.town.card()
    leisure.town.load(card, 50_000)
    leisure.counter("city-museum").sell_pass(new_id(), card.reader, leisure.settings.plan("museums"))
    for venue in ("city-museum", "science-museum"):
        leisure.gate(venue).enter(card.reader, leisure.at("09:00"))
    leisure.clear()
    museum, operator = leisure.town.client("partner", "city-museum"), leisure.town.client("operator")
    line = {"venue": "city-museum", "right": "pass", "name": "museums", "visits": 1, "people": 1}
    assert museum.get("/tourism/visits").json() == [line]
    assert operator.get("/tourism/visits").json() == [line, line | {"venue": "science-museum"}]
    assert operator.get("/tourism/visits?until=2026-03-01").json() == []


def test_books_come_back_and_are_kept_longer(leisure, card, citizen, operator):
    desk = leisure.library()
    desk.register(card.reader)
    loan = desk.lend(new_id(), card.reader, ["B1"])[0]
    where = f"/tourism/loans/{loan.serial}/renewals"
    leisure.town.pass_time(leisure.at("10:00", days=5) - leisure.town.now)
    assert citizen.post(where, json={"card": card.asn}).json()["due_on"] == "2026-04-06"
    assert citizen.post(where, json={"card": card.asn}).status_code == 409
    for bad in ("0", "x", "9" * 40, "²"):
        assert citizen.post(f"/tourism/loans/{bad}/renewals", json={"card": card.asn}).status_code == 409
    library, shop = leisure.town.client("partner", "city-library"), leisure.town.client("partner", "bookshop")
    back = {"venue": "city-library", "item": "B1"}
    assert shop.post("/tourism/books", json=back).status_code == 403
    assert library.post("/tourism/books", json=back | {"day": "2099-01-01"}).status_code == 409
    assert library.post("/tourism/books", json=back).json()["paid"] is True
    assert library.post("/tourism/books", json=back).status_code == 409
    assert operator.post("/tourism/books", json=back | {"venue": "bookshop"}).status_code == 404
    assert citizen.post("/tourism/fees", json={"card": card.asn}).json()["amount_fen"] == 0


def test_a_pass_is_bought_once(leisure, card, citizen):
    body = {"id": str(new_id()), "card": card.asn, "plan": "museums"}
    answers = [citizen.post("/tourism/passes", json=body) for _ in range(2)]
    assert [(one.status_code, one.json()["state"]) for one in answers] == [(200, "active")] * 2
    again = citizen.post("/tourism/passes", json=body | {"id": str(new_id())})
    assert (again.status_code, "extend that" in again.text) == (409, True)
    assert citizen.post("/tourism/passes", json=body | {"plan": "moon"}).status_code == 404


def test_a_counters_hold_is_freed_by_its_venue(leisure, card):
    from citycard_tourism.tickets import hold

    act = new_id()
    hold(leisure.office, act, card.asn, leisure.settings.show("film"), leisure.at("19:30"), 3, way="purse")
    cinema, museum = (
        leisure.town.client("partner", "old-cinema"),
        leisure.town.client("partner", "city-museum"),
    )
    where, body = f"/tourism/tickets/{act}/releases", {"id": str(new_id())}
    assert museum.post(where, json=body).status_code == 403
    for _ in range(2):
        assert cinema.post(where, json=body).json()["state"] == "lapsed"


def test_the_endpoints_are_described(operator):
    described = operator.get("/openapi.json").json()
    mine = {path for path in described["paths"] if path.startswith("/tourism/")}
    assert {"/tourism/tickets", "/tourism/passes", "/tourism/slots", "/tourism/mine"} <= mine
