"""The endpoints for programs: each does what it says, for who may, and refuses everything else clearly."""

import datetime as dt

import pytest

from citycard.ids import new_id

FEE_FEN = 22_375


@pytest.fixture
def home(estate):
    """A landlord with a flat, a tenant-to-be and a stranger, each with an online account."""
    landlord, tenant, stranger = (estate.town.card() for _ in range(3))
    for card in (landlord, tenant, stranger):
        estate.town.account(card, 50_000)
    flat = estate.home(landlord)
    return flat, landlord, tenant, stranger


def citizen(estate, card):
    return estate.town.client("citizen", card.asn)


def company(estate):
    return estate.town.client("partner", "sunrise-pm")


def lease_body(flat, *tenants, ends_on="2026-12-31"):
    return {
        "id": str(new_id()),
        "unit": flat,
        "tenants": [card.asn for card in tenants],
        "starts_on": "2026-03-02",
        "ends_on": ends_on,
    }


def test_a_landlord_lets_extends_and_ends(estate, home):
    flat, landlord, tenant, _ = home
    client = citizen(estate, landlord)
    begun = client.post("/community/leases", json=lease_body(flat, tenant, ends_on="2026-06-30"))
    assert (begun.status_code, begun.json()["tenants"]) == (200, [tenant.asn])
    place = f"/community/leases/{begun.json()['lease']}"
    longer = client.post(f"{place}/extension", json={"ends_on": "2026-09-30"})
    assert longer.json()["last_day"] == "2026-09-30"
    seen = citizen(estate, tenant).get("/community/home").json()
    assert [(one["door"], one["kind"], one["until"]) for one in seen["doors"]] == [
        ("east", "tenant", "2026-09-30"),
        ("gate", "tenant", "2026-09-30"),
    ]
    ended = client.post(f"{place}/end", json={"last_day": "2026-03-01"})
    assert ended.json()["last_day"] == "2026-03-01"
    assert citizen(estate, tenant).get("/community/home").json()["doors"] == []


def test_others_keep_off_a_flat(estate, home):
    flat, _, tenant, stranger = home
    body = lease_body(flat, tenant)
    assert citizen(estate, stranger).post("/community/leases", json=body).status_code == 403
    assert estate.town.client("partner", "other").post("/community/leases", json=body).status_code == 403
    assert estate.town.client("public").post("/community/leases", json=body).status_code in {401, 403}
    assert company(estate).post("/community/leases", json=body).status_code == 200


def test_a_fee_is_seen_and_paid_by_who_lives_there(estate, home):
    _, landlord, _, stranger = home
    estate.city.plugins.run_job("community.bill")
    client = citizen(estate, landlord)
    assert [bill["owed_fen"] for bill in client.get("/community/home").json()["bills"]] == [FEE_FEN]
    body = {"id": str(new_id()), "card": landlord.asn}
    for _ in range(2):
        paid = client.post("/community/fees/1/payments", json=body)
        assert (paid.json()["amount_fen"], paid.json()["owed_fen"]) == (FEE_FEN, 0)
    other = {"id": str(new_id()), "card": stranger.asn}
    assert citizen(estate, stranger).post("/community/fees/1/payments", json=other).status_code == 403
    assert client.post("/community/fees/1/payments", json=other).status_code == 403
    assert company(estate).get("/community/fees?community=sunrise").json()["owed_fen"] == 0


def test_a_visitor_is_invited_by_code_and_called_off(estate, home):
    flat, landlord, _, stranger = home
    client = citizen(estate, landlord)
    body = {"id": str(new_id()), "card": landlord.asn, "unit": flat, "day": "2026-03-02"}
    first = client.post("/community/visits", json=body).json()
    assert client.post("/community/visits", json=body).json() == first
    assert len(first["code"]) == 8
    mine = body | {"card": stranger.asn, "id": str(new_id())}
    assert citizen(estate, stranger).post("/community/visits", json=mine).status_code == 403
    end = f"/community/visits/{first['visit']}/end"
    assert client.post(end, json={"card": landlord.asn}).json()["ended"]
    assert citizen(estate, stranger).post(end, json={"card": stranger.asn}).status_code == 403


def test_a_pass_is_bought_and_the_car_park_says_what_is_kept(estate, home):
    landlord = home[1]
    body = {
        "id": str(new_id()),
        "card": landlord.asn,
        "community": "sunrise",
        "car_park": 1,
        "space": 2,
        "first": "2026-03-15",
    }
    client = citizen(estate, landlord)
    bought = client.post("/community/passes", json=body)
    assert (bought.json()["starts_on"], bought.json()["last_day"]) == ("2026-03-01", "2026-03-31")
    assert client.post("/community/passes", json=body).json() == bought.json()
    (park,) = estate.town.client("public").get("/community/car-parks?community=sunrise").json()
    assert (park["spaces"], park["taken"], park["kept"], park["free"]) == (3, 0, 1, 2)
    assert client.post("/community/passes", json=body | {"id": str(new_id())}).status_code == 409
    elsewhere = body | {"id": str(new_id()), "car_park": 9}
    assert client.post("/community/passes", json=elsewhere).status_code == 404


def test_who_opened_a_door_is_shown_only_to_who_may(estate, home):
    flat, landlord, tenant, stranger = home
    citizen(estate, landlord).post("/community/leases", json=lease_body(flat, tenant))
    west = estate.town.card()
    estate.home(west, building=2, room="201")
    for card in (landlord, tenant, west):
        estate.kiosk().collect(card.reader, estate.now)
    assert [estate.opens("east", card) for card in (landlord, tenant)] == ["owner", "tenant"]
    estate.clear()
    path = "/community/openings?community=sunrise&door=east"

    told = company(estate).get(path).json()["openings"]
    assert [one["card"] for one in reversed(told)] == [landlord.asn, tenant.asn]
    seen = citizen(estate, tenant).get(path).json()["openings"]
    assert [(one["kind"], one["card"]) for one in reversed(seen)] == [("owner", ""), ("tenant", tenant.asn)]
    for nobody in (citizen(estate, west), citizen(estate, stranger), estate.town.client("partner", "other")):
        assert nobody.get(path).status_code == 403
    page = estate.town.client("operator").get(f"/cards/{tenant.asn}", headers={"accept": "text/html"}).text
    assert "community openings" in page
    assert "You rent a home in Sunrise Court" not in page
    own = citizen(estate, tenant).get(f"/cards/{tenant.asn}", headers={"accept": "text/html"}).text
    assert "You rent a home in Sunrise Court" in own


BAD = [
    ("/community/leases", {"unit": "one"}, 422),
    ("/community/leases", [], 422),
    ("/community/fees/77/payments", {"id": str(new_id()), "card": "{landlord}"}, 403),
    ("/community/fees/1/payments", {"id": "x", "card": "{landlord}"}, 422),
    ("/community/fees/1/payments", {"id": str(new_id()), "card": "{landlord}", "amount_fen": -1}, 409),
    ("/community/fees/1/payments", {"id": str(new_id()), "card": "{landlord}", "amount_fen": 10**15}, 409),
    ("/community/visits", {"id": str(new_id()), "card": "{landlord}", "unit": 99, "day": "2026-03-02"}, 404),
    ("/community/visits", {"id": str(new_id()), "card": "{landlord}", "unit": 1, "day": "2026-03-01"}, 409),
    ("/community/visits", {"id": str(new_id()), "card": "{landlord}", "unit": 1, "day": "2027-03-02"}, 409),
    (
        "/community/visits",
        {"id": str(new_id()), "card": "{landlord}", "unit": 1, "day": "2026-03-02", "visitor": "12"},
        422,
    ),
    (
        "/community/visits",
        {"id": str(new_id()), "card": "{landlord}", "unit": 1, "day": "2026-03-02", "visitor": "9" * 20},
        404,
    ),
    (f"/community/visits/{new_id()}/end", {"card": "{landlord}"}, 404),
    (f"/community/leases/{new_id()}/end", {"last_day": "2026-03-02"}, 404),
    ("/community/leases/none/end", {"last_day": "2026-03-02"}, 404),
]


def test_what_is_sent_wrong_gets_one_clear_answer_and_changes_nothing(estate, home):
    landlord = home[1]
    estate.city.plugins.run_job("community.bill")
    client = citizen(estate, landlord)
    before = client.get("/community/home").json()
    for path, body, status in BAD:
        sent = {
            name: value.format(landlord=landlord.asn) if isinstance(value, str) else value
            for name, value in body.items()
        } if isinstance(body, dict) else body  # fmt: skip
        answer = client.post(path, json=sent)
        assert answer.status_code == status, (path, body, answer.text)
        assert answer.json()["detail"], path
    assert client.get("/community/home").json() == before


def test_units_are_taken_over_all_or_none(estate, home):
    _, landlord, tenant, _ = home
    client = company(estate)
    good = {"building": 2, "room": "302", "area": 5000, "owner": tenant.asn}
    path = "/community/units"
    for wrong in (
        good | {"room": "30 2"},
        good | {"building": 0},
        good | {"area": 0},
        good | {"owner": "9" * 20},
        good | {"owner": "12"},
    ):
        answer = client.post(path, json={"community": "sunrise", "units": [good, wrong]})
        assert answer.status_code in {404, 422}, answer.text
    assert citizen(estate, tenant).get("/community/home").json()["units"] == []
    assert client.post(path, json={"community": "sunrise", "units": [good]}).json() == {"changed": 1}
    assert client.post(path, json={"community": "sunrise", "units": [good]}).json() == {"changed": 0}
    assert citizen(estate, landlord).post(path, json={"community": "sunrise", "units": []}).status_code == 403
    assert client.post(path, json={"community": "other", "units": []}).status_code == 404
    assert citizen(estate, tenant).get("/community/home").json()["units"][0]["place"] == "sunrise 2-302"


def test_a_week_is_asked_for_in_days_that_can_be(estate, home):
    client = company(estate)
    for query in ("since=2026-13-01", "since=2025-01-01&until=2026-01-01", "door=north", "since=2026-03-03"):
        answer = client.get(f"/community/openings?community=sunrise&{query}")
        assert answer.status_code in {400, 422}, answer.text
    told = client.get("/community/openings?community=sunrise&since=2026-03-03&until=2026-03-02").json()
    assert "the first day is 2026-03-03 and the last is 2026-03-02" in told["detail"]
    assert client.get("/community/openings?community=nowhere").status_code == 404
    empty = client.get(f"/community/openings?community=sunrise&until={dt.date(2026, 3, 2)}")
    assert empty.json() == {"community": "sunrise", "openings": []}


def test_every_endpoint_answers_bodies_that_are_none_of_its_own(estate, home):
    """Missing, of another kind, unknown, oversized: a client's error with words, and never the server's."""
    operator = estate.town.client("operator")
    paths = operator.get("/openapi.json").json()["paths"]
    posts = [path for path, one in paths.items() if path.startswith("/community") and "post" in one]
    programs = [path for path in posts if "/mine" not in path and "/desk" not in path]
    assert len(programs) == 10
    before = citizen(estate, home[1]).get("/community/home").json()
    for path in programs:
        where = path
        for name, value in {"bill": "1", "visit": new_id(), "lease": new_id(), "serial": "1"}.items():
            where = where.replace(f"{{{name}}}", str(value))
        bodies = (
            "",
            "{",
            "null",
            "[]",
            '"x"',
            '{"id": 1}',
            '{"nobody": "knows"}',
            '{"id": 1, "id": 2}',
            "{" * 5000,
        )
        for body in bodies:
            answer = operator.post(where, content=body, headers={"content-type": "application/json"})
            assert 400 <= answer.status_code < 500, (where, body[:20], answer.text)
            assert answer.json()["detail"]
        assert operator.post(where, content="{}", headers={"content-type": "text/plain"}).status_code == 415
        large = '{"x": "' + "y" * 2_000_000 + '"}'
        assert (
            operator.post(where, content=large, headers={"content-type": "application/json"}).status_code
            == 413
        )
    assert citizen(estate, home[1]).get("/community/home").json() == before


def test_every_query_is_read_or_refused(estate, home):
    operator = estate.town.client("operator")
    for path in ("home", "openings", "fees", "car-parks"):
        for query in (
            "",
            "card=" + "9" * 500,
            "community=" + "x" * 500,
            "community=%00",
            "card=%ff",
            "door=%27",
        ):
            answer = operator.get(f"/community/{path}?{query}")
            assert 200 <= answer.status_code < 500, (path, query, answer.text)


def test_a_question_that_names_no_community_or_no_card_says_which(estate, home):
    for path in ("openings", "fees", "car-parks"):
        answer = company(estate).get(f"/community/{path}")
        assert (answer.status_code, "community '' is not valid: expected one of sunrise" in answer.text) == (
            422,
            True,
        )
    desk = estate.town.client("operator")
    assert desk.get("/community/home").status_code == 422
    assert desk.get("/community/home?card=99999999999999999999").status_code == 404
