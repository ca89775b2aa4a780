"""A node answers what it may, once, and writes down everything that comes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.clock import FixedClock
from citycard.errors import SettingsInvalid
from citycard.ids import new_id
from citycard_egov.errors import EgovFileInvalid, NodeFolderInvalid
from citycard_egov.messages import Envelope, KeySigner, signed, verified
from citycard_egov.node import ExchangeNode, Peer

NOW = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
CHEN = "110101200405200021"
CITY = KeySigner(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
THIEF = KeySigner(Ed25519PrivateKey.from_private_bytes(bytes(32)))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def node(tmp_path: Path, clock: FixedClock) -> Iterator[ExchangeNode]:
    ExchangeNode.create(tmp_path / "school", "school").close()
    node = ExchangeNode.open(tmp_path / "school", clock)
    node.import_people(f"id_number,student_until,grade\n{CHEN},2026-08-31,4\n", file="pupils.csv")
    node.add_peer("city", Peer(key=CITY.public, asks_for=("education",), keeps_consents=True))
    yield node
    node.close()


def consent(**change: Any) -> dict[str, Any]:
    return {
        "kind": "consent",
        "id": "c1",
        "person": CHEN,
        "asker": "education",
        "node": "school",
        "fields": ["student_until"],
        "purpose": "concession",
        "until": "2026-12-31",
        "at": NOW,
    } | change


def query(receipt: Envelope | None = None, **change: Any) -> dict[str, Any]:
    return {
        "kind": "query",
        "id": new_id(),
        "from": "city",
        "to": "school",
        "asker": "education",
        "person": CHEN,
        "fields": ["student_until"],
        "purpose": "concession",
        "consent": attrs.asdict(receipt or signed(consent(), "city", CITY)),
        "at": NOW,
        "head": {"seq": 0, "hash": "00" * 32},
    } | change


def asked(node: ExchangeNode, content: dict[str, Any], signer: KeySigner = CITY) -> dict[str, Any]:
    _, answer = node.answer(signed(content, "city", signer).as_json())
    assert verified(answer, node.public_key)
    return answer.content


def test_a_query_that_is_signed_and_consented_is_answered_and_nothing_else_of_the_person(
    node: ExchangeNode,
) -> None:
    came = asked(node, query())
    assert (came["kind"], came["known"], came["values"]) == ("answer", True, {"student_until": "2026-08-31"})
    ((_, row),) = node.log()
    assert (row["event"], row["asker"], row["fields"]) == ("answered", "education", ["student_until"])
    assert CHEN not in json.dumps(row)
    stranger = "110101198001010010"
    receipt = signed(consent(person=stranger), "city", CITY)
    assert asked(node, query(receipt, person=stranger))["known"] is False


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to": "hospital"}, "address"),
        ({"from": "school"}, "address"),
        ({"asker": "tax-office"}, "asker"),
        ({"at": NOW - dt.timedelta(minutes=6)}, "time"),
        ({"at": NOW + dt.timedelta(minutes=6)}, "time"),
        ({"at": "yesterday"}, "time"),
        ({"consent": {}}, "consent"),
        ({"consent": attrs.asdict(signed(consent(), "city", THIEF))}, "consent"),
        ({"consent": attrs.asdict(signed(consent(person="110101198001010010"), "city", CITY))}, "consent"),
        ({"consent": attrs.asdict(signed(consent(until="2026-03-01"), "city", CITY))}, "consent"),
        ({"consent": attrs.asdict(signed(consent(at=NOW - dt.timedelta(hours=1)), "city", CITY))}, "consent"),
        ({"consent": attrs.asdict(signed(consent(node="hospital"), "city", CITY))}, "consent"),
        ({"fields": ["grade"]}, "consent"),
        ({"purpose": "curiosity"}, "consent"),
        ({"kind": "order"}, "malformed"),
        ({"id": "1"}, "malformed"),
        ({"person": "12"}, "malformed"),
        ({"fields": []}, "malformed"),
        ({"fields": "grade"}, "malformed"),
        ({"purpose": "x" * 201}, "malformed"),
        ({"asker": None}, "malformed"),
    ],
)
def test_what_it_may_not_answer_is_refused_with_a_code_and_written_down(
    node: ExchangeNode, change: dict[str, Any], code: str
) -> None:
    came = asked(node, query(**change))
    assert (came["kind"], came["code"]) == ("refusal", code)
    assert "values" not in came
    assert [row["event"] for _, row in node.log()] == [f"refused: {code}"]
    assert node.broken() is None


def test_a_wrong_signature_an_unknown_party_and_a_changed_text_are_refused(node: ExchangeNode) -> None:
    assert asked(node, query(), THIEF)["code"] == "signature"
    right = signed(query(), "city", CITY)
    changed = attrs.evolve(right, payload=right.payload.replace("student_until", "grade________"))
    assert node.answer(changed.as_json())[1].content["code"] == "signature"
    stranger = attrs.evolve(right, signer="somebody")
    assert node.answer(stranger.as_json())[1].content["code"] == "signature"


def test_a_replay_is_refused_as_long_as_its_time_would_pass(node: ExchangeNode, clock: FixedClock) -> None:
    content = query(at=NOW + dt.timedelta(minutes=4))
    assert asked(node, content)["kind"] == "answer"
    for minutes in (0, 4, 4):
        clock.moment += dt.timedelta(minutes=minutes)
        assert asked(node, content)["code"] == "replay"
    clock.moment += dt.timedelta(minutes=10)
    assert asked(node, content)["code"] == "time"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_answered_by_a_signed_refusal(node: ExchangeNode, text: str) -> None:
    status, answer = node.answer(text)
    assert (status, answer.content["code"]) == (400, "malformed")
    assert verified(answer, node.public_key)
    assert node.broken() is None


def test_halves_of_characters_harm_nobody(node: ExchangeNode) -> None:
    text = '{"payload": "{\\"kind\\": \\"\\ud800\\"}", "signer": "city", "signature": "' + "0" * 128 + '"}'
    assert node.answer(text)[1].content["code"] in {"malformed", "signature"}


def test_a_folder_without_a_node_and_a_file_with_a_bad_line_are_told(
    node: ExchangeNode, tmp_path: Path
) -> None:
    with pytest.raises(NodeFolderInvalid, match="citycard egov node init"):
        ExchangeNode.open(tmp_path)
    with pytest.raises(NodeFolderInvalid, match="there is a node already"):
        ExchangeNode.create(node.folder, "school")
    with pytest.raises(SettingsInvalid):
        ExchangeNode.create(tmp_path / "new", "No Name")
    assert not (tmp_path / "new" / "node.key").exists()
    before = asked(node, query())["values"]
    with pytest.raises(EgovFileInvalid, match="line 3"):
        node.import_people(f"id_number,student_until\n{CHEN},2030-01-01\n12,x\n", file="pupils.csv")
    with pytest.raises(EgovFileInvalid, match="line 2 has another number"):
        node.import_people(f"id_number,student_until\n{CHEN}\n", file="pupils.csv")
    assert asked(node, query())["values"] == before
    assert (node.folder / "node.key").stat().st_mode & 0o077 == 0
