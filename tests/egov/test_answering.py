"""The city hall answers queries as any node does, and two nodes ask one another with the city's receipt."""

from __future__ import annotations

import datetime as dt
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from citycard.clock import SystemClock
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.testing.sandbox import start_command
from citycard.testing.town import Town
from citycard.web import Role
from citycard.web.tokens import grant
from citycard_egov import chain, register
from citycard_egov.answering import answer_query
from citycard_egov.asking import city_id, city_key
from citycard_egov.consents import give_consent, withdraw
from citycard_egov.errors import ExchangeFailed, ExchangeRefused
from citycard_egov.files import readings_of
from citycard_egov.messages import KeySigner, opened, signed, verified
from citycard_egov.node import ExchangeNode, Peer
from citycard_egov.office import Office
from citycard_egov.queries import Party, send_query
from citycard_egov.tables import exchange_log

EVER = dt.date(2099, 1, 1)


@pytest.fixture
def school(tmp_path: Path) -> Iterator[ExchangeNode]:
    node = ExchangeNode.create(tmp_path / "school", "school")
    yield node
    node.close()


@pytest.fixture
def town(make_town: Callable[..., Town], school: ExchangeNode) -> Town:
    node = {"id": "school", "title": "School", "key": school.public_key, "asks_for": ["education"]}
    other = {"id": "hospital", "title": "Hospital", "key": "00" * 32}
    return make_town(nodes=[node, other])


def consented(office: Office, who: str, node: str, field: str) -> Any:
    register.tell(office, who, "police", {"address": "Harbour"}, day=dt.date(2026, 2, 1), actor="t")
    with reading(office.engine) as conn:
        resident = register.find_by_number(conn, office, who)
    return give_consent(
        office,
        new_id(),
        resident,
        asker="education",
        node=node,
        fields=[field],
        purpose="school place",
        until=EVER,
    )


def content(person: str, node: str, fields: list[str]) -> dict[str, Any]:
    """Make what a query of the school says."""
    return {
        "kind": "query",
        "id": new_id(),
        "from": "school",
        "to": node,
        "asker": "education",
        "person": person,
        "fields": fields,
        "purpose": "school place",
        "at": SystemClock().now(),
    }


@contextmanager
def served(*words: str, folder: Path) -> Iterator[str]:
    """Run a server as its own process, and give its address."""
    with start_command(*words, "--port", "0", folder=folder) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(15)


def test_a_school_asks_the_city_hall_which_another_process_serves(
    town: Town, office: Office, school: ExchangeNode, number: Callable[..., str]
) -> None:
    given = consented(office, number(1), city_id(office), "address")
    now = SystemClock().now()
    town.client("public")  # it makes the tables of tokens
    with writing(office.engine) as conn:
        _, token = grant(conn, role=Role.PARTNER, days=1, at=now, subject="education", label="school")
    ask = {"asker": "education", "purpose": "school place"}
    with served("serve", "--city", str(town.city.folder), "--no-link", folder=town.city.folder) as address:
        url = f"{address}/egov/exchange"
        city = Party(id=city_id(office), url=url, key=city_key(office), token=token)
        assert school.ask(city, number(1), ["address"], **ask)["values"] == {"address": "Harbour"}
        with pytest.raises(ExchangeRefused, match=r"\(consent\)"):
            school.ask(city, number(1), ["name"], **ask)
        with pytest.raises(ExchangeRefused, match=r"\(asker\)"):
            school.ask(city, number(1), ["address"], **ask | {"asker": "police"})
        with pytest.raises(ExchangeFailed, match="no message"):
            school.ask(Party(id=city.id, url=url, key=city.key, token="x"), number(1), ["address"], **ask)
        withdraw(office, given.id, given.resident)
        with pytest.raises(ExchangeRefused, match=r"\(consent\)"):
            school.ask(city, number(1), ["address"], **ask)
    assert [row["event"] for _, row in school.log()] == [
        *["failed", "asked"] * 4,
        "heard",
        "asked",
    ]
    assert school.broken() is None
    assert (readings_of(office, given.resident)[0].reader, readings_of(office, given.resident)[0].why) == (
        "party school",
        "asks: school place",
    )
    with reading(office.engine) as conn:
        events = [row["event"] for _, row in chain.entries(conn, exchange_log)]
        assert chain.broken(conn, exchange_log) is None
    assert events == ["refused: consent", "refused: asker", "refused: consent", "given"]


def test_two_nodes_ask_one_another_with_the_citys_receipt(
    town: Town, office: Office, school: ExchangeNode, tmp_path: Path, number: Callable[..., str]
) -> None:
    consented(office, number(1), "hospital", "vaccinated")
    hospital = ExchangeNode.create(tmp_path / "hospital", "hospital")
    hospital.import_people(f"id_number,vaccinated\n{number(1)},2025-05-01\n", file="people.csv")
    hospital.add_peer("school", Peer(key=school.public_key, asks_for=("education",)))
    hospital.add_peer(city_id(office), Peer(key=city_key(office), keeps_consents=True))
    query = {"node": "hospital", "id_number": number(1), "fields": ["vaccinated"], "purpose": "school place"}
    education = town.client("partner", "education")
    receipt = education.post("/egov/departments/education/receipts", json=query).raise_for_status().json()
    refused = education.post("/egov/departments/education/receipts", json=query | {"purpose": "else"})
    assert refused.status_code == 403
    ask = {"asker": "education", "purpose": "school place"}
    with served("egov", "node", "serve", str(hospital.folder), folder=tmp_path) as url:
        party = Party(id="hospital", url=url, key=hospital.public_key)
        with pytest.raises(ExchangeRefused, match=r"\(consent\)"):
            school.ask(party, number(1), ["vaccinated"], **ask)
        came = school.ask(party, number(1), ["vaccinated"], **ask, receipt=opened(receipt))
        assert came["values"] == {"vaccinated": "2025-05-01"}
        # Somebody on the way sends it once more, or makes up one of his own.
        again = content(number(1), "hospital", ["vaccinated"]) | {"consent": receipt}
        right = signed(again, "school", school._signer)
        assert send_query(party, right, SystemClock()).content["known"]
        with pytest.raises(ExchangeRefused, match=r"\(replay\)"):
            send_query(party, right, SystemClock())
        thief = KeySigner(Ed25519PrivateKey.generate())
        with pytest.raises(ExchangeRefused, match=r"\(signature\)"):
            send_query(party, signed(again | {"id": new_id()}, "school", thief), SystemClock())
    head = next(row["head"] for _, row in school.log() if row["event"] == "heard")
    assert hospital.broken(chain.Head(**head)) is None
    hospital.close()


def test_a_query_that_comes_again_or_from_a_stranger_is_refused_by_the_city(
    town: Town, office: Office, school: ExchangeNode, number: Callable[..., str]
) -> None:
    consented(office, number(1), city_id(office), "address")
    query = content(number(1), city_id(office), ["address"])
    right = signed(query, "school", school._signer)
    codes = []
    for sent in (
        right,
        right,
        signed(query, "hospital", school._signer),
        signed({}, "school", school._signer),
    ):
        answer = answer_query(office, sent)
        assert verified(answer, city_key(office))
        codes.append(answer.content.get("code", answer.content["kind"]))
    assert codes == ["answer", "replay", "signature", "malformed"]
    client = town.client("partner", "education")
    for body in ({"payload": "{}", "signer": "No", "signature": "0"}, {"payload": 1}, {}):
        assert client.post("/egov/exchange/query", json=body).status_code == 422
