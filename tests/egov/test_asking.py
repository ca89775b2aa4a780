"""The city believes an answer only when the party signed it, for this query, now."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import attrs
import pytest
from sqlalchemy import text

from citycard.errors import ActDiffers
from citycard.ids import new_id
from citycard.store import reading
from citycard.testing.town import Town
from citycard_egov import chain, register
from citycard_egov.asking import Answer, ask, city_id, city_key, seen_head
from citycard_egov.consents import Consent, consents_of, give_consent, withdraw
from citycard_egov.errors import ConsentMissing, EgovInvalid, ExchangeFailed, ExchangeRefused
from citycard_egov.health import CHECKS
from citycard_egov.messages import opened, signed
from citycard_egov.node import ExchangeNode, Peer
from citycard_egov.office import Office
from citycard_egov.settings import EgovSettings, Node
from citycard_egov.tables import exchange_log


class _Post(BaseHTTPRequestHandler):
    """The way to a node over HTTP, on which somebody may sit."""

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["content-length"])).decode()
        status, answer = self.server.answer(text)  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("content-length", str(len(answer.encode())))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def on_the_way(answer: Callable[[str], tuple[int, str]]) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Post)
    server.answer = answer  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def node(tmp_path: Path, office: Office, number: Callable[..., str]) -> Iterator[ExchangeNode]:
    node = ExchangeNode.create(tmp_path / "school", "school")
    node.import_people(f"id_number,grade\n{number(1)},4\n", file="pupils.csv")
    node.add_peer(city_id(office), Peer(key=city_key(office), asks_for=("education",), keeps_consents=True))
    yield node
    node.close()


def knowing(office: Office, node: ExchangeNode, url: str = "http://127.0.0.1:1") -> Office:
    party = Node(id="school", title="School", url=url, key=node.public_key)
    settings: EgovSettings = attrs.evolve(office.settings, nodes=(party,))
    return Office(office.city, settings)


def consented(office: Office, who: str, **change: object) -> Consent:
    register.tell(office, who, "police", {"name": "Li"}, day=dt.date(2026, 2, 1), actor="test")
    with reading(office.engine) as conn:
        resident = register.find_by_number(conn, office, who)
    wanted = {"asker": "education", "node": "school", "fields": ["grade"], "purpose": "place"}
    return give_consent(office, new_id(), resident, **wanted | {"until": dt.date(2099, 1, 1)} | change)


def asked(office: Office, who: str) -> Answer:
    return ask(office, "school", who, ["grade"], asker="education", purpose="place", actor="test")


def straight(node: ExchangeNode) -> Callable[[str], tuple[int, str]]:
    def answer(text: str) -> tuple[int, str]:
        status, envelope = node.answer(text)
        return status, envelope.as_json()

    return answer


def test_a_lie_on_the_way_is_found_and_written_down(
    office: Office, node: ExchangeNode, number: Callable[..., str], tmp_path: Path
) -> None:
    who, other = number(1), ExchangeNode.create(tmp_path / "other", "school")
    kept: list[str] = []

    def changed(text: str) -> tuple[int, str]:
        _, answer = node.answer(text)
        return 200, attrs.evolve(
            answer, payload=answer.payload.replace('"grade":"4"', '"grade":"1"')
        ).as_json()

    def another(text: str) -> tuple[int, str]:
        return 200, other.answer(text)[1].as_json()

    def earlier(text: str) -> tuple[int, str]:
        kept.append(node.answer(text)[1].as_json())
        return 200, kept[0]

    def nonsense(text: str) -> tuple[int, str]:
        return 200, "<html>login</html>"

    consented(knowing(office, node), who)
    for way, reason in (
        (changed, "not signed by it"),
        (another, "not signed by it"),
        (nonsense, "no message"),
    ):
        with on_the_way(way) as url, pytest.raises(ExchangeFailed, match=reason):
            asked(knowing(office, node, url), who)
    with on_the_way(earlier) as url:
        assert asked(knowing(office, node, url), who).values == {"grade": "4"}
        with pytest.raises(ExchangeFailed, match="not about this query"):
            asked(knowing(office, node, url), who)
    with reading(office.engine) as conn:
        events = [content["event"] for _, content in reversed(chain.entries(conn, exchange_log))]
        assert chain.broken(conn, exchange_log) is None
    assert events == ["asked", "failed"] * 3 + ["asked", "answered", "asked", "failed"]
    other.close()


def test_a_query_sent_again_by_somebody_on_the_way_is_refused(
    office: Office, node: ExchangeNode, number: Callable[..., str]
) -> None:
    who, sent = number(1), []

    def listening(text: str) -> tuple[int, str]:
        sent.append(text)
        return straight(node)(text)

    consented(knowing(office, node), who)
    with on_the_way(listening) as url:
        asked(knowing(office, node, url), who)
    assert node.answer(sent[0])[1].content["code"] == "replay"
    forged = signed(opened(sent[0]).content, "school", node._signer)
    assert node.answer(forged.as_json())[1].content["code"] == "signature"


def test_a_party_that_does_not_know_the_city_says_no_and_one_that_is_away_says_nothing(
    office: Office, node: ExchangeNode, number: Callable[..., str]
) -> None:
    who = number(1)
    consented(knowing(office, node), who)
    node.add_peer(city_id(office), Peer(key=city_key(office), asks_for=(), keeps_consents=True))
    with on_the_way(straight(node)) as url, pytest.raises(ExchangeRefused, match=r"\(asker\)"):
        asked(knowing(office, node, url), who)
    with pytest.raises(ExchangeFailed):
        asked(knowing(office, node), who)
    with pytest.raises(EgovInvalid, match="node is 'school': expected one of none"):
        asked(office, who)


def test_consent_is_for_these_fields_this_purpose_and_until_a_day(
    town: Town, office: Office, node: ExchangeNode, number: Callable[..., str]
) -> None:
    who = number(1)
    office = knowing(office, node)
    given = consented(office, who, until=dt.date(2026, 3, 3))
    resident = given.resident
    for change, reason in (
        ({"fields": ["grade", "name"]}, "does not name name"),
        ({"purpose": "curiosity"}, "for 'place', not for 'curiosity'"),
        ({"asker": "police"}, "police may not ask school"),
    ):
        call = {"fields": ["grade"], "purpose": "place", "asker": "education"} | change
        with pytest.raises(ConsentMissing, match=reason):
            ask(office, "school", who, call.pop("fields"), **call, actor="test")
    town.pass_time(dt.timedelta(days=2))
    with pytest.raises(ConsentMissing, match="ended on 2026-03-03"):
        asked(office, who)
    assert [one.id for one in consents_of(office, resident)] == [given.id]
    for _ in range(2):
        assert withdraw(office, given.id, resident).withdrawn_at == town.now
    with pytest.raises(ConsentMissing):
        withdraw(office, given.id, new_id())
    with reading(office.engine) as conn:
        assert chain.head(conn, exchange_log).seq == 0


@pytest.mark.parametrize(
    "change",
    [
        {"asker": "nobody"},
        {"node": "nobody"},
        {"fields": []},
        {"fields": ["x" * 41]},
        {"purpose": " "},
        {"until": dt.date(2026, 3, 1)},
    ],
)
def test_a_consent_without_an_end_a_purpose_or_a_party_is_refused(
    desk: Office, number: Callable[..., str], change: dict[str, object]
) -> None:
    with pytest.raises(EgovInvalid):
        consented(desk, number(1), **{"node": "police"} | change)


def test_the_same_id_is_the_same_consent(desk: Office, number: Callable[..., str]) -> None:
    given = consented(desk, number(2), node="police")
    again = {name: getattr(given, name) for name in ("asker", "node", "fields", "purpose", "until")}
    assert give_consent(desk, given.id, given.resident, **again) == given
    with pytest.raises(ActDiffers):
        give_consent(desk, given.id, given.resident, **again | {"purpose": "else"})


def test_a_log_that_was_changed_is_told_by_the_citys_health(
    town: Town, office: Office, node: ExchangeNode, number: Callable[..., str]
) -> None:
    consented(knowing(office, node), number(1))
    with on_the_way(straight(node)) as url:
        asked(knowing(office, node, url), number(1))
    assert node.broken(seen_head(office, "school")) is None
    (context,) = (one.context for one in [town.city.plugins._live.running["egov"]])
    assert CHECKS[0].check(context) is None
    with office.engine.begin() as conn:
        conn.execute(text("DROP TRIGGER egov_exchange_log_no_update"))
        conn.execute(text("UPDATE egov_exchange_log SET content = '{}' WHERE seq = 1"))
    assert CHECKS[0].check(context) == "row 1 is not what was written"
