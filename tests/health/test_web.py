"""The endpoints and pages of health: who may what, what is recorded, and one clear answer to bad input."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet import fund_programme, grant
from citycard_health.booking import free_slots, keep
from citycard_health.patients import PatientPerson, find_patient, readings_of, set_person
from citycard_health.routes import routes
from citycard_health.sports import open_programme
from citycard_health.visits import VisitItem, charge_visit

BUNDLE = {"content-type": "application/fhir+json"}


@pytest.fixture
def card(town, insure):
    made = town.card("health-card")
    insure(made)
    return made


@pytest.fixture
def as_citizen(town, card):
    return town.client("citizen", card.asn)


@pytest.fixture
def as_clinic(town):
    return town.client("partner", "clinic-east")


@pytest.fixture
def as_operator(town):
    return town.client("operator")


def slots(town):
    with reading(town.city.engine) as conn:
        return free_slots(conn, town.now)


def log(town, card):
    with reading(town.city.engine) as conn:
        return readings_of(conn, find_patient(conn, card.asn).id)


def test_a_citizen_books_and_cancels_the_own_appointments_alone(town, card, as_citizen, as_clinic):
    """Another's card is refused; the clinic sees its own day."""
    slot, west = slots(town)[0], slots(town)[-1]
    free = town.client("public").get("/health/slots?clinic=clinic-east&day=2026-03-03").json()["slots"]
    assert free[0]["id"] == str(slot.id)
    body = {"id": str(uuid4()), "card": card.asn, "slot": str(slot.id)}
    made = as_citizen.post("/health/appointments", json=body)
    assert (made.status_code, made.json()["state"]) == (200, "booked")
    assert as_citizen.post("/health/appointments", json=body).json() == made.json()
    other = town.card()
    stolen = body | {"id": str(uuid4()), "card": other.asn}
    assert as_citizen.post("/health/appointments", json=stolen).status_code == 403
    foreign = body | {"id": str(uuid4()), "slot": str(west.id)}
    assert as_clinic.post("/health/appointments", json=foreign).status_code == 403

    day = as_clinic.get("/health/clinics/clinic-east/day?day=2026-03-03").json()
    assert [one["asn"] for one in day["appointments"]] == [card.asn]
    assert as_clinic.get("/health/clinics/clinic-west/day").status_code == 403
    assert town.client("public").get("/health/clinics/clinic-east/day").status_code == 401
    thief = town.client("citizen", other.asn)
    path = f"/health/appointments/{body['id']}/cancel"
    assert thief.post(path, json={}).status_code == 403
    assert as_clinic.post(f"/health/appointments/{body['id']}/check-in", json={}).json()["state"] == "kept"
    assert as_citizen.post(path, json={}).status_code == 409


def test_a_clinic_charges_shows_and_gives_back_its_own_visits(town, card, as_clinic):
    """The answer says who pays which part; another clinic sees nothing of it."""
    identity = str(uuid4())
    body = {"id": identity, "card": card.asn, "clinic": "clinic-east", "items": [{"code": "scan"}]}
    made = as_clinic.post("/health/visits", json=body).json()
    assert [(one["place"], one["insured_fen"], one["returned"]) for one in made["lines"]] == [
        (1, 10_500, False)
    ]
    assert (made["visit"]["price_fen"], made["visit"]["insured_fen"], made["left_fen"]) == (
        20_001,
        10_500,
        9_501,
    )
    assert as_clinic.get(f"/health/visits/{identity}").json() == made
    west = town.client("partner", "clinic-west")
    assert west.get(f"/health/visits/{identity}").status_code == 403
    assert west.post("/health/visits", json=body).status_code == 403
    back = {"id": str(uuid4()), "lines": [1], "reason": "broken"}
    assert west.post(f"/health/visits/{identity}/returns", json=back).status_code == 403
    done = as_clinic.post(f"/health/visits/{identity}/returns", json=back).json()
    assert (done["insured_fen"], done["purse_fen"], done["amount_fen"]) == (10_500, 9_501, 20_001)


def test_records_are_read_with_a_reason_by_who_treats_the_patient(
    town, card, as_citizen, as_clinic, as_operator
):
    """No reason, no appointment: refused. A broken glass is recorded, and the citizen sees all of it."""
    person = {"name": "王小明", "born": "1970-01-31", "sex": "male"}
    url = f"/health/patients/{card.asn}"
    assert as_clinic.post(f"{url}/person", json=person).status_code == 403
    assert as_operator.post(f"{url}/person", json=person).status_code == 200
    assert as_clinic.get(f"{url}/record?reason=check").status_code == 403
    assert as_operator.get(f"{url}/record").status_code == 403
    assert log(town, card) == []

    shown = as_clinic.get(f"{url}/record?reason=unconscious&break_glass=true").json()
    assert shown["person"]["name"] == "王小明"
    assert [(one.reader, one.break_glass) for one in log(town, card)] == [("partner clinic-east", True)]
    book = {"id": str(uuid4()), "card": card.asn, "slot": str(slots(town)[0].id)}
    as_citizen.post("/health/appointments", json=book)
    added = {"entries": [{"kind": "allergy", "display": "Penicillin", "code": "91936005"}]}
    assert as_clinic.post(f"{url}/entries", json=added).json() == {"added": 1}
    assert as_clinic.post(f"{url}/entries", json=added).json() == {"added": 0}
    dose = {"vaccine": "flu", "on": "2026-02-01", "lot": "L1"}
    assert as_clinic.post(f"{url}/doses", json=dose).json()["dose"] == 1
    mine = as_citizen.get(f"{url}/record").json()
    assert {one["display"] for one in mine["entries"]} == {"Penicillin", "Influenza"}
    assert [(one["vaccine"], one["dose"]) for one in mine["due"]] == [("mmr", 1)]
    assert as_citizen.get(f"{url}/certificate").json()["signature"]
    summary = as_clinic.get(f"{url}/summary?reason=referral")
    assert summary.headers["content-type"].startswith("application/fhir+json")
    again = as_clinic.post(f"{url}/summary", content=summary.content, headers=BUNDLE)
    assert again.json() == {"added": 0}
    readers = {one["reader"] for one in as_citizen.get(f"{url}/readings").json()["readings"]}
    assert readers == {"partner clinic-east", f"citizen {card.asn}"}
    assert town.client("citizen", town.card().asn).get(f"{url}/record").status_code == 404


def test_what_a_clinic_books_itself_shows_it_no_record_until_the_card_checks_in(town, card, as_clinic):
    """Nor does its own word that the patient came; the till's record does."""
    url = f"/health/patients/{card.asn}/record?reason=curious"
    book = {"id": str(uuid4()), "card": card.asn, "slot": str(slots(town)[0].id)}
    assert as_clinic.post("/health/appointments", json=book).json()["state"] == "booked"
    assert as_clinic.get(url).status_code == 403
    assert as_clinic.post(f"/health/appointments/{book['id']}/check-in", json={}).json()["state"] == "kept"
    assert as_clinic.get(url).status_code == 403
    assert log(town, card) == []
    again = book | {"id": str(uuid4()), "slot": str(slots(town)[2].id)}
    as_clinic.post("/health/appointments", json=again)
    with writing(town.city.engine) as conn:
        keep(conn, UUID(again["id"]), card.asn, town.now, "990100000001-1-1")
    assert as_clinic.get(url).status_code == 200


def test_nobody_writes_by_a_permission_to_read(town, settings, card, as_citizen):
    """Who may only look, such as an auditor, does not check a patient in."""
    unsafe = [route for route in routes(settings) if set(route.methods) - {"GET", "HEAD"}]
    assert [route.path for route in unsafe if ".read-" in route.permission] == []
    assert {"/appointments/{id}/check-in"} <= {route.path for route in unsafe}
    book = {"id": str(uuid4()), "card": card.asn, "slot": str(slots(town)[0].id)}
    as_citizen.post("/health/appointments", json=book)
    path = f"/health/appointments/{book['id']}/check-in"
    assert town.client("auditor").post(path, json={}).status_code == 403
    assert as_citizen.post(path, json={}).status_code == 403
    assert town.client("partner", "clinic-west").post(path, json={}).status_code == 403


def test_sports_are_paid_by_the_citizen_or_the_venue(town, settings, card, as_citizen):
    """And given back by the venue alone."""
    open_programme(town.city, settings, date(2026, 1, 1), date(2026, 12, 31))
    fund_programme(town.city.wallet, new_id(), "health-sports", 50_000)
    grant(town.city.wallet, new_id(), "health-sports", town.account(card), 9_000)
    body = {"id": str(uuid4()), "card": card.asn, "venue": "swim-hall"}
    assert as_citizen.post("/health/sports", json=body).json()["amount_fen"] == 3_000
    path = f"/health/sports/{body['id']}/return"
    assert as_citizen.post(path, json={}).status_code == 403
    venue = town.client("partner", "swim-hall")
    assert venue.post("/health/sports", json=body).json()["state"] == "paid"
    assert venue.post(path, json={"reason": "closed"}).json()["state"] == "returned"


def test_an_insurer_reads_its_own_claims(town, settings, card, as_clinic, as_operator):
    """The city closes the month; the insurer gets statement and file."""
    body = {"id": str(uuid4()), "card": card.asn, "clinic": "clinic-east", "items": [{"code": "scan"}]}
    as_clinic.post("/health/visits", json=body)
    assert as_operator.post("/health/insurers/medicare/months/2026-03", json={}).status_code == 409
    town.pass_time(timedelta(days=29, hours=20))
    closed = as_operator.post("/health/insurers/medicare/months/2026-03", json={}).json()
    assert closed["total_fen"] == 10_500
    assert as_operator.post("/health/insurers/nobody/months/2026-03", json={}).status_code == 404
    insurer = town.client("partner", "medicare")
    found = insurer.get("/health/insurers/medicare/statements").json()["statements"]
    assert found == [closed]
    file = insurer.get(f"/health/statements/{closed['id']}/claims")
    assert file.text.splitlines()[0] == "claim,visit,clinic,at,amount"
    assert as_clinic.get(f"/health/statements/{closed['id']}/claims").status_code == 403
    assert insurer.post("/health/insurers/medicare/months/2026-03", json={}).status_code == 403


BAD_BODIES = [
    ("/health/appointments", {"id": "1", "card": "x", "slot": "y"}),
    ("/health/appointments", {"id": str(uuid4()), "card": "0" * 20, "slot": str(uuid4())}),
    ("/health/appointments/x/cancel", {}),
    (f"/health/appointments/{uuid4()}/check-in", {}),
    (
        "/health/visits",
        {"id": str(uuid4()), "card": "0" * 20, "clinic": "clinic-east", "items": [{"code": "scan"}]},
    ),
    ("/health/visits", {"id": str(uuid4()), "card": "0" * 20, "clinic": "clinic-east", "items": []}),
    (
        "/health/visits",
        {
            "id": str(uuid4()),
            "card": "0" * 20,
            "clinic": "clinic-east",
            "items": [{"code": "scan", "number": 0}],
        },
    ),
    (
        "/health/visits",
        {"id": str(uuid4()), "card": "0" * 20, "clinic": "x" * 5000, "items": [{"code": "scan"}]},
    ),
    (f"/health/visits/{uuid4()}/returns", {"id": str(uuid4()), "reason": "x"}),
    (f"/health/visits/{uuid4()}/returns", {"id": str(uuid4()), "reason": "x" * 101}),
    ("/health/sports", {"id": str(uuid4()), "card": "0" * 20, "venue": "swim-hall"}),
    ("/health/sports", {"id": str(uuid4()), "card": "0" * 20, "venue": "moon"}),
    (f"/health/sports/{uuid4()}/return", {}),
    ("/health/patients/00000000000000000000/person", {"name": "x" * 61}),
    ("/health/patients/00000000000000000000/person", {"name": "x", "sex": "blue"}),
    ("/health/patients/00000000000000000000/entries", {"entries": []}),
    ("/health/patients/00000000000000000000/entries", {"entries": [{"kind": "gold", "display": "x"}]}),
    ("/health/patients/00000000000000000000/entries", {"entries": [{"kind": "allergy", "display": ""}]}),
    ("/health/patients/00000000000000000000/doses", {"vaccine": "flu", "on": "yesterday"}),
    ("/health/patients/00000000000000000000/doses", {"vaccine": "flu", "on": "2026-02-01"}),
    ("/health/patients/00000000000000000000/summary", {"resourceType": "Bundle"}),
    ("/health/insurers/medicare/months/March", {}),
]


def test_bad_input_gets_one_clear_answer(town, as_operator):
    """Missing, malformed, oversized, foreign: a problem document, and nothing is done."""
    for path, body in BAD_BODIES:
        answer = as_operator.post(path, json=body)
        assert 400 <= answer.status_code < 500, (path, body, answer.text)
        assert answer.json()["detail"], path
        assert "field" not in answer.json() or answer.json()["field"]
    for path in ("/health/visits", "/health/appointments", "/health/sports"):
        for content, kind, status in (
            (b"{", "application/json", 422),
            (b"x" * 70_000, "application/json", 413),
            (b"<a/>", "text/xml", 415),
        ):
            answer = as_operator.post(path, content=content, headers={"content-type": kind})
            assert answer.status_code == status
    for path in ("/health/visits/x", f"/health/visits/{uuid4()}", f"/health/statements/{uuid4()}/claims"):
        assert as_operator.get(path).status_code == 404
    assert as_operator.get("/health/slots?day=soon").status_code == 422
    for path in (
        "slots?clinic=%00",
        "clinics/%00/day",
        "insurers/%00/statements",
        "patients/%00/record?reason=x",
    ):
        assert as_operator.get(f"/health/{path}").status_code == 404, path
    assert (
        as_operator.get("/health/mine?card=%00&reason=x", headers={"accept": "text/html"}).status_code == 200
    )
    with reading(town.city.engine) as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM health_patient").scalar_one() == 0


def page(client, path, lang="en"):
    answer = client.get(path, headers={"accept": "text/html", "accept-language": lang})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_citizens_page_shows_and_books_in_both_languages(town, settings, card, as_citizen):
    """Appointments, parts of visits, doses, and who read."""
    set_person(town.city, card.asn, PatientPerson(name="王小明", born=date(2025, 7, 1), sex="male"))
    items = [VisitItem(code="blood"), VisitItem(code="scan")]
    charge_visit(town.city, settings, new_id(), card.asn, "clinic-east", items)
    english, chinese = page(as_citizen, "/health/mine"), page(as_citizen, "/health/mine", "zh")
    for words in (
        "My health",
        "Free times",
        "Dr Wang",
        "Deductible left this year",
        "Measles",
        "Blood count, CT scan",
    ):
        assert words in english
    for words in ("我的健康", "可预约时段", "本年起付线剩余", "麻腮风疫苗", "血常规, CT scan"):
        assert words in chinese
    assert "Who read my health data" not in chinese
    assert "citizen" in english


def test_the_form_of_the_page_books_and_cancels(town, card):
    """As a browser sends it: with the form's token, once for its id."""
    browser = town.client("public")
    token = town.client("citizen", card.asn).headers["authorization"].removeprefix("Bearer ")
    signed = sign_in(browser, token)
    slot = slots(town)[0]
    form = {"csrf": signed, "id": str(uuid4()), "slot": str(slot.id)}
    for _ in range(2):
        answer = browser.post("/health/mine/book", data=form, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/health/mine")
    assert browser.post("/health/mine/book", data=form | {"csrf": "x"}).status_code == 403
    bad = browser.post("/health/mine/book", data=form | {"slot": "x"}, follow_redirects=False)
    assert bad.status_code == 409
    cancel = {"csrf": signed, "appointment": form["id"]}
    assert browser.post("/health/mine/cancel", data=cancel, follow_redirects=False).status_code == 303
    assert "cancelled" in page(browser, "/health/mine")


def sign_in(browser, token):
    """Sign a browser in with a token, and return its form token."""
    import re

    shown = browser.get("/sign-in", headers={"accept": "text/html"}).text
    csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', shown)[1]
    answer = browser.post("/sign-in", data={"csrf": csrf, "token": token}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    shown = browser.get("/health/mine", headers={"accept": "text/html"}).text
    return re.search(r'name="csrf" value="([0-9a-f]+)"', shown)[1]


def test_the_desk_shows_each_partner_its_own(town, card, as_clinic, as_operator):
    """The city sees all; a clinic its visits, an insurer its claims."""
    body = {"id": str(uuid4()), "card": card.asn, "clinic": "clinic-east", "items": [{"code": "scan"}]}
    as_clinic.post("/health/visits", json=body)
    every = page(as_operator, "/health/desk")
    for words in (
        "clinic-east",
        "clinic-west",
        "Claims on Medical Insurance Fund",
        "¥105.00",
        "swim-hall",
        "¥200.01",
    ):
        assert words in every
    chinese = page(as_operator, "/health/desk", "zh")
    assert "机构" in chinese
    assert "东城医院" in chinese
    mine = page(as_clinic, "/health/desk")
    assert "East Clinic" in mine
    assert "clinic-west" not in mine
    assert "Claims on" not in mine
    insurer = page(town.client("partner", "medicare"), "/health/desk")
    assert "Claims on Medical Insurance Fund" in insurer
    assert "clinic-east" not in insurer


def test_the_citys_people_open_a_page_with_a_reason(town, card, as_operator):
    """Without one they get the form, and nothing is shown or recorded."""
    set_person(town.city, card.asn, PatientPerson(name="王小明"))
    assert "Why it is read" in page(as_operator, "/health/mine")
    assert as_operator.get(f"/health/mine?card={card.asn}").status_code == 403
    assert log(town, card) == []
    assert "Visits" in page(as_operator, f"/health/mine?card={card.asn}&reason=complaint")
    assert [one.reason for one in log(town, card)] == ["complaint"]


JUNK = [None, True, -1, 10**30, 1.5, "", "x" * 300, "\x00", "2026-02-30", [], [[]], {}, {"code": 1}, [None]]


@examples(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_junk_is_refused_by_every_endpoint_and_breaks_none(as_operator, card, data):
    """A field of a good body replaced, left out or added: a refusal, or nothing happened that should not."""
    good = {
        "/health/appointments": {"id": str(uuid4()), "card": card.asn, "slot": str(uuid4())},
        "/health/visits": {
            "id": str(uuid4()),
            "card": card.asn,
            "clinic": "clinic-east",
            "items": [{"code": "gold"}],
        },
        f"/health/visits/{uuid4()}/returns": {"id": str(uuid4()), "lines": [1], "reason": "x"},
        "/health/sports": {"id": str(uuid4()), "card": card.asn, "venue": "swim-hall"},
        f"/health/patients/{card.asn}/person": {"name": "x", "born": "1970-01-31", "sex": "male"},
        f"/health/patients/{card.asn}/entries": {"entries": [{"kind": "allergy", "display": "x"}]},
        f"/health/patients/{card.asn}/doses": {"vaccine": "gold", "on": "2026-02-01", "lot": "L"},
    }
    path = data.draw(st.sampled_from(sorted(good)), label="path")
    body = dict(good[path])
    field = data.draw(st.sampled_from([*body, "more"]), label="field")
    body[field] = data.draw(st.sampled_from(JUNK), label="junk")
    if data.draw(st.booleans(), label="left out"):
        del body[field]
    answer = as_operator.post(path, json=body)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.json()["detail"]
