"""``citycard egov node`` and ``exchange``: a school answers the city, all by commands."""

from __future__ import annotations

import datetime as dt
import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from citycard.cli.main import _run
from citycard.ids import new_id
from citycard.testing.sandbox import start_command
from citycard.testing.town import Town
from citycard_egov import register
from citycard_egov.consents import give_consent
from citycard_egov.office import Office

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = _run(["egov", *map(str, words)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_a_school_and_a_city_are_joined_by_commands(
    make_town: Callable[..., Town], call: Call, tmp_path: Path, number: Callable[..., str]
) -> None:
    school, who = tmp_path / "school", number(1)
    code, key, _ = call("node", "init", school, "--id", "school")
    assert (code, call("node", "key", school)[1]) == (0, key)
    assert json.loads(call("node", "key", school, "--json")[1]) == {"id": "school", "key": key.strip()}
    (tmp_path / "pupils.csv").write_text(f"id_number,grade\n{who},4\n")
    code, out, _ = call("node", "import", school, tmp_path / "pupils.csv", "--json")
    assert (code, json.loads(out)) == (0, {"persons": 1})
    with start_command("egov", "node", "serve", str(school), "--port", "0", folder=tmp_path) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            town = make_town(nodes=[{"id": "school", "title": "School", "url": url, "key": key.strip()}])
            city = ("--city", town.city.folder)
            me = json.loads(call("exchange", "key", "--json", *city)[1])
            known = ("--asks-for", "education", "--keeps-consents")
            code, out, _ = call("node", "peer", school, me["id"], me["key"], *known, "--json")
            peer = {"party": me["id"], "key": me["key"], "asks_for": ["education"], "keeps_consents": True}
            assert (code, json.loads(out)) == (0, peer)
            office = Office.of(town.city)
            register.tell(office, who, "police", {"name": "Li"}, day=dt.date(2026, 2, 1), actor="t")
            ask = (
                "exchange",
                "ask",
                "school",
                who,
                "grade",
                "--for",
                "education",
                "--purpose",
                "place",
                *city,
            )
            code, _, err = call(*ask)
            assert (code, "no consent" in err) == (5, True)
            with office.engine.connect() as conn:
                resident = register.find_by_number(conn, office, who)
            give_consent(
                office,
                new_id(),
                resident,
                asker="education",
                node="school",
                fields=["grade"],
                purpose="place",
                until=dt.date(2099, 1, 1),
            )
            code, out, _ = call(*ask, "--json")
            assert (code, json.loads(out)["values"]) == (0, {"grade": "4"})
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(10)
    assert call(*ask)[0] == 4
    log = json.loads(call("exchange", "log", "--json", *city)[1])
    head = next(content["head"] for _, content in log if content["event"] == "answered")
    assert call("exchange", "verify", *city)[0] == 0
    code, out, _ = call("exchange", "verify", "--json", *city)
    whole = json.loads(out)
    assert (code, whole["whole"], whole["broken"], whole["head"]["seq"]) == (0, True, None, len(log))
    assert call("node", "verify", school, "--head", f"{head['seq']}:{head['hash']}")[0] == 0
    code, _, err = call("node", "verify", school, "--head", f"{head['seq'] + 1}:{head['hash']}")
    assert (code, "the other side saw row 2" in err) == (1, True)
    code, out, _ = call("node", "verify", school, "--head", f"{head['seq'] + 1}:{head['hash']}", "--json")
    broken = json.loads(out)
    assert (code, broken["whole"], "row 2" in broken["broken"]) == (1, False, True)
    assert call("node", "verify", school, "--head", "x")[0] == 3
    assert "answered" in call("node", "log", school)[1]


def test_what_is_no_node_and_no_key_is_one_line(
    call: Call, tmp_path: Path, number: Callable[..., str]
) -> None:
    for words, code in (
        (("node", "key", tmp_path), 4),
        (("node", "serve", tmp_path), 4),
        (("node", "init", tmp_path / "n", "--id", "No Name"), 3),
    ):
        came = call(*words)
        assert (came[0], came[2].count("\n")) == (code, 1)
    assert call("node", "init", tmp_path / "n", "--id", "n")[0] == 0
    assert call("node", "init", tmp_path / "n", "--id", "n")[0] == 4
    assert call("node", "peer", tmp_path / "n", "city", "short")[0] == 3
    ask = ("http://127.0.0.1:1", number(1), "name", "--for", "n", "--purpose", "place")
    code, _, err = call("node", "ask", tmp_path / "n", "city", *ask)
    assert (code, "node peer made known" in err) == (3, True)
    assert call("node", "peer", tmp_path / "n", "city", "00" * 32)[0] == 0
    code, _, err = call("node", "ask", tmp_path / "n", "city", *ask)
    assert (code, "no answer of city can be used" in err) == (4, True)
    assert "failed" in call("node", "log", tmp_path / "n")[1]
