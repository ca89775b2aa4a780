"""City hall from end to end: a register that disagrees, a card that proves its holder, money, and queries."""

from __future__ import annotations

import datetime as dt
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from citycard import registry
from citycard.city.accounts import make_programme, payee
from citycard.errors import FundsMissing
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.testing.sandbox import start_command
from citycard.testing.town import Town
from citycard.wallet import Payments, Programme, fund_programme, report_programme
from citycard_egov import applications, plans, register
from citycard_egov.asking import ask, city_id, city_key, seen_head
from citycard_egov.consents import give_consent
from citycard_egov.errors import ExchangeFailed
from citycard_egov.identity import activate
from citycard_egov.identitycard import prove
from citycard_egov.node import ExchangeNode, Peer
from citycard_egov.office import Office
from citycard_egov.rights import collect_fee, write_rights
from citycard_egov.sectors import RESIDENT_KEY

MORNING = dt.date(2026, 3, 2)
WANG, CHEN = "11010119581103001X", "110101200405200021"
PIN = "246810"


def told(client: Any, office: str, who: str, **values: str) -> dict[str, str]:
    body = {"id_number": who, "day": "2026-02-01", "values": values}
    return client.post(f"/egov/departments/{office}/residents", json=body).raise_for_status().json()["fields"]


def proven(town: Town, client: Any, card: Any, pin: str = PIN) -> str:
    """Let a card prove its identity to the city, through a reader that only passes bytes on."""
    asked = client.post("/egov/identity/challenges", json={"asn": card.asn}).raise_for_status().json()
    answer = prove(card.reader, town.city.issuing.profile, pin, bytes.fromhex(asked["challenge"]))
    body = {"challenge": asked["id"], "answer": answer.hex()}
    return client.post("/egov/identity/answers", json=body).raise_for_status().json()["proof"]


def test_offices_that_disagree_are_settled_and_nothing_lies_in_the_open(town: Town, office: Office) -> None:
    clerk = town.client("clerk")
    assert told(town.client("partner", "civil-affairs"), "civil-affairs", WANG, address="1 Old Street")
    came = told(town.client("partner", "police"), "police", WANG, name="王桂英", address="9 Harbour Road")
    assert came == {"address": "conflict", "name": "new"}
    conflicts = clerk.get("/egov/conflicts").json()["conflicts"]
    assert [(one["field"], one["standing_source"], one["told_source"]) for one in conflicts] == [
        ("address", "civil-affairs", "police")
    ]
    settled = clerk.post(
        f"/egov/conflicts/{conflicts[0]['id']}/settle",
        json={"chosen": "police", "reason": "seen on the ID card"},
    )
    assert settled.json()["conflicts"] == []
    content = b"".join(path.read_bytes() for path in office.city.folder.iterdir() if path.is_file())
    assert b"egov_told" in content
    for secret in (WANG.encode(), "王桂英".encode(), b"9 Harbour Road"):
        assert secret not in content


def decided_late(town: Town, filed: dict[str, Any], police: Any, civil: Any) -> None:
    """Let both offices decide an application, the first of them too late."""
    # The third working day passes undecided: it is overdue, and told.
    town.pass_time(dt.timedelta(days=4))
    town.city.plugins.run_job("egov.mark-overdue")
    queue = police.get("/egov/departments/police/applications").json()["applications"]
    assert [(one["id"], one["overdue"]) for one in queue] == [(filed["id"], True)]

    # Both steps are decided; a retry changes nothing.
    step = {"id": str(new_id()), "department": "police", "approve": True}
    for _ in range(2):
        after = (
            police.post(f"/egov/applications/{filed['id']}/decisions", json=step).raise_for_status().json()
        )
        assert (after["department"], after["due_on"], after["overdue"]) == (
            "civil-affairs",
            "2026-03-10",
            False,
        )
    last = {"id": str(new_id()), "department": "civil-affairs", "approve": True, "words": "issued"}
    done = civil.post(f"/egov/applications/{filed['id']}/decisions", json=last).raise_for_status().json()
    assert done["state"] == "approved"


def seen_by_her(clerk: Any, citizen: Any, asn: str) -> None:
    """Let a clerk look, and the holder see everybody who did."""
    # She sees everybody who read her file; what happened stands on her card's page.
    clerk.get(f"/egov/cards/{asn}/file?why=question at the desk").raise_for_status()
    clerk.get(f"/cards/{asn}", headers={"accept": "text/html"}).raise_for_status()
    readings = citizen.get(f"/egov/cards/{asn}/readings").raise_for_status().json()["readings"]
    assert {(one["department"], tuple(one["fields"])) for one in readings} >= {
        ("police", ("name", "address"))
    }
    assert any(one["why"] == "question at the desk" for one in readings)
    assert any(one["why"] == f"looked at card {asn}" for one in readings)
    page = citizen.get(f"/cards/{asn}", headers={"accept": "text/html"}).text
    assert "Application: Certificate of residence, approved" in page


def test_a_resident_applies_with_the_card_and_offices_decide_in_time(town: Town, office: Office) -> None:
    civil, police = town.client("partner", "civil-affairs"), town.client("partner", "police")
    clerk = town.client("clerk")
    card = town.card()
    citizen = town.client("citizen", card.asn)
    told(civil, "civil-affairs", WANG, name="王桂英", born="1958-11-03")
    told(police, "police", WANG, address="9 Harbour Road")

    # At a window the card gets its identity key, its holder's PIN, and her rights.
    assert activate(office, card.reader, WANG, "123456", PIN, actor="clerk li") == card.asn
    kiosk = town.till(town.terminal("civil-affairs"))
    kiosk.serve(card.reader, town.now, write_rights(office, "clerk li"))

    # She proves her identity and applies; the fee is half, as she is over 65.
    town.account(card, 2_000)
    proof = proven(town, citizen, card)
    application = {
        "id": str(new_id()),
        "asn": card.asn,
        "proof": proof,
        "service": "residence-certificate",
        "form": {"reason": "school of a grandchild"},
    }
    filed = citizen.post("/egov/applications", json=application).raise_for_status().json()
    assert citizen.post("/egov/applications", json=application).json() == filed
    assert (filed["state"], filed["department"], filed["fee_fen"], filed["due_on"]) == (
        "open", "police", 500, "2026-03-05",
    )  # fmt: skip

    # The police look, and see her address and nothing that the service does not name; nobody else may.
    assert civil.get(f"/egov/departments/civil-affairs/applications/{filed['id']}").status_code == 409
    assert civil.get(f"/egov/departments/police/applications/{filed['id']}").status_code == 403
    seen = police.get(f"/egov/departments/police/applications/{filed['id']}").raise_for_status().json()
    assert {one["name"]: one["value"] for one in seen["fields"]} == {
        "name": "王桂英",
        "address": "9 Harbour Road",
    }
    assert seen["form"] == {"reason": "school of a grandchild"}

    decided_late(town, filed, police, civil)

    # A second certificate is paid at the kiosk from the purse, without a line, by the rights on the card.
    town.load(card, 3_000)
    service = applications.service_of(office, "residence-certificate")
    decide = collect_fee(
        office.settings, service, lambda asn8: office.city.vault.card_key(RESIDENT_KEY.name, asn8)
    )
    assert kiosk.serve(card.reader, town.now, decide).amount_fen == 500

    seen_by_her(clerk, citizen, card.asn)

    # The office is paid for both: the one online is carried, the one from the purse was cleared.
    bank_file = town.clear(kiosk).bank_file
    statement = town.statement("civil-affairs")
    assert (statement.carried_fen, statement.net_fen) == (500, 500)
    assert bank_file is not None
    written = (town.city.folder / bank_file).read_text()
    assert ">10.00<" in written
    assert "6200990100000600001" in written
    town.check_books()


def thousand(town: Town, office: Office, number: Callable[..., str]) -> tuple[str, str]:
    """Make a thousand payees, twenty of them residents; give the CSV of their payments and the first card."""
    people = [number(serial, "19500101") for serial in range(1, 21)]
    cards = [town.card() for _ in people]
    for who, card in zip(people, cards, strict=True):
        register.tell(office, who, "civil-affairs", {"name": "somebody"}, day=MORNING, actor="test")
        register.link_card(office, who, card.asn, actor="test")
    more = [town.city.issuing.card(f"0101990199{n:010d}", "citizen", MORNING) for n in range(980)]
    with writing(office.engine) as conn:
        registry.add_cards(conn, more)
    lines = [f"{who},,50.00" for who in people] + [f",{one.asn},50.00" for one in more]
    lines += [f"{number(21)},,50.00", f"{people[0]},,50.00", ",123,50.00", f",{more[0].asn},0"]
    return "id_number,card,amount\n" + "\n".join(lines) + "\n", cards[0].asn


def test_a_thousand_payments_are_approved_by_two_and_paid_for_their_purpose_alone(
    town: Town, office: Office, number: Callable[..., str]
) -> None:
    town.partner("bakery", kind="food")
    town.partner("hall-of-games", kind="games")
    csv, payee_card = thousand(town, office, number)
    meals = Programme(
        id="meals-2026",
        title="Meals for the elderly",
        funder="Civil Affairs",
        partner_kinds=("food",),
        starts_on=MORNING,
        ends_on=MORNING + dt.timedelta(days=90),
    )
    make_programme(town.city, meals)
    fund_programme(town.city.wallet, new_id(), "meals-2026", 5_000_000)

    # The office hands the plan in; two clerks approve it, one of them twice in vain.
    civil, first, second = town.client("partner", "civil-affairs"), town.client("clerk"), town.client("clerk")
    body = {"plan": "meals-2026-03", "programme": "meals-2026", "title": "Meals in March", "csv": csv}
    made = civil.post("/egov/departments/civil-affairs/plans", json=body).raise_for_status().json()
    assert (made["plan"]["payments"], made["plan"]["amount_fen"]) == (1000, 5_000_000)
    assert [one["line"] for one in made["bad"]] == [1002, 1003, 1004, 1005]
    assert civil.post("/egov/plans/meals-2026-03/approve").status_code == 403
    assert first.post("/egov/plans/meals-2026-03/approve").status_code == 200
    assert first.post("/egov/plans/meals-2026-03/approve").status_code == 409
    town.city.plugins.run_job("egov.pay-plans")
    with reading(office.engine) as conn:
        assert plans.find_plan(conn, "meals-2026-03").paid == 0
    assert second.post("/egov/plans/meals-2026-03/approve").json()["state"] == "approved"

    # The run is broken off in its third step and gone on with by the job: nobody is paid twice.
    def break_off(done: int, _: int) -> None:
        if done == 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plans.pay_plan(office, "meals-2026-03", actor="clerk", told=break_off)
    with reading(office.engine) as conn:
        assert plans.find_plan(conn, "meals-2026-03").paid == 300
    town.city.plugins.run_job("egov.pay-plans")
    with reading(office.engine) as conn:
        done = plans.find_plan(conn, "meals-2026-03")
        report = report_programme(conn, town.city.ledger, "meals-2026")
    assert (done.state, done.paid, done.paid_fen, done.opened) == ("paid", 1000, 5_000_000, 1000)
    assert (report.granted_fen, report.accounts, report.difference_fen) == (5_000_000, 1000, 0)

    # What was paid buys bread, and no games.
    pay = Payments(town.city.wallet)
    with pytest.raises(FundsMissing):
        pay.pay(new_id(), payee_card, payee(town.city, "hall-of-games"), 800)
    assert pay.pay(new_id(), payee_card, payee(town.city, "bakery"), 800).amount_fen == 800
    town.clear()
    assert town.statement("bakery").carried_fen == 800

    # The public sees the sum, and nobody in it.
    public = town.client("public").get("/egov/disclosure").raise_for_status().json()
    assert public["subsidies"] == [
        {"name": "meals-2026", "title": "Meals for the elderly", "persons": 1000, "amount_fen": 5_000_000}
    ]
    assert payee_card not in str(public)
    town.check_books()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run a node as its own process, and give its address."""
    with start_command("egov", "node", "serve", str(folder), "--port", "0", folder=folder) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(10)


def test_an_office_asks_another_process_with_consent_and_both_sides_keep_a_chained_log(
    make_town: Callable[..., Town], tmp_path: Path
) -> None:
    school = ExchangeNode.create(tmp_path / "school", "school")
    school.import_people(f"id_number,student_until,grade\n{CHEN},2026-08-31,4\n", file="pupils.csv")
    with serving(tmp_path / "school") as url:
        node = {"id": "school", "title": "School office", "url": url, "key": school.public_key}
        town = make_town(nodes=[node])
        office = Office.of(town.city)
        peer = Peer(key=city_key(office), asks_for=("education",), keeps_consents=True)
        school.add_peer(city_id(office), peer)
        card = town.card()
        citizen, education = town.client("citizen", card.asn), town.client("partner", "education")
        told(town.client("partner", "civil-affairs"), "civil-affairs", CHEN, name="陈小明")
        activate(office, card.reader, CHEN, "123456", PIN, actor="clerk li")
        query = {
            "node": "school",
            "id_number": CHEN,
            "fields": ["student_until"],
            "purpose": "student concession",
        }

        def asked() -> Any:
            return education.post("/egov/departments/education/queries", json=query)

        # Without consent nothing leaves the house.
        refused = asked()
        assert refused.status_code == 403
        assert "no consent of the citizen" in refused.json()["detail"]
        assert school.log() == []

        # He consents with his card; the answer comes from the other process.
        consent = {
            "id": str(new_id()),
            "asn": card.asn,
            "proof": proven(town, citizen, card),
            "asker": "education",
            "node": "school",
            "fields": ["student_until"],
            "purpose": "student concession",
            "until": "2099-12-31",
        }
        citizen.post("/egov/consents", json=consent).raise_for_status()
        came = asked()
        assert came.raise_for_status().json()["values"] == {"student_until": "2026-08-31"}
        told(education, "education", CHEN, student_until=came.json()["values"]["student_until"])
        assert "student" in {right.name for right in town.city.entitlements(card.asn, town.now)}

        # A field that the consent does not name, another purpose, a withdrawn consent: refused.
        for change in ({"fields": ["grade"]}, {"purpose": "curiosity"}):
            other = education.post("/egov/departments/education/queries", json=query | change)
            assert other.status_code == 403
        citizen.post(f"/egov/consents/{consent['id']}/withdraw", json={"asn": card.asn}).raise_for_status()
        assert "withdrawn" in asked().json()["detail"]

        # Both logs are whole, and each has what the other signed; he sees who asked.
        log = [content for _, content in school.log()]
        assert [one["event"] for one in log] == ["answered"]
        assert school.broken(seen_head(office, "school")) is None
        rows = education.get("/egov/departments/education/applications")
        assert rows.status_code == 200
        readings = citizen.get(f"/egov/cards/{card.asn}/readings").json()["readings"]
        assert ("education", "asks School office: student concession") in {
            (one["department"], one["why"]) for one in readings
        }
    give(office, CHEN)
    with pytest.raises(ExchangeFailed):
        ask(office, "school", CHEN, ["student_until"], asker="education", purpose="again", actor="test")
    school.close()


def give(office: Office, who: str) -> None:
    """Consent for a resident, at a desk."""
    with reading(office.engine) as conn:
        resident = register.find_by_number(conn, office, who)
    give_consent(
        office,
        new_id(),
        resident,
        asker="education",
        node="school",
        fields=["student_until"],
        purpose="again",
        until=dt.date(2099, 12, 31),
    )
