"""The zoo of the examples, installed as a third party's plugin is: from its distribution to its money."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
import time
import tomllib
from pathlib import Path
from types import MappingProxyType

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from citycard import registry
from citycard.card import decode, encode
from citycard.city import City
from citycard.cli.plugin import group
from citycard.clock import FixedClock
from citycard.store import writing
from citycard.terminal import InProcessReader, Terminal, read_record
from citycard.terminal.record import RecordPlan
from citycard.testing.contract import PluginContract
from citycard.web import create_app

ROOT = Path(__file__).parents[2]
ZOO = ROOT / "examples" / "zoo"
NOON = dt.datetime(2018, 9, 1, 12, 0)
ASN = "03105840990000000001"
GATE = "990100000700"

CITY = """\
[city]
name = "Zoo town"
code = "9901"

[plugins]
allow = ["transit", "zoo"]
enable = ["transit"]

[plugins.zoo]
ticket_fen = 1500

[[plugins.transit.products]]
name = "standard"
title = "City card"
"""


@pytest.fixture(scope="module", autouse=True)
def _installed(tmp_path_factory):
    """Install the zoo as pip would: its package, and a dist-info made from its pyproject.toml."""
    site = tmp_path_factory.mktemp("site")
    project = tomllib.loads((ZOO / "pyproject.toml").read_text())["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(metadata)
    points = "".join(f"{name} = {target}\n" for name, target in project["entry-points"]["citycard"].items())
    (info / "entry_points.txt").write_text(f"[citycard]\n{points}")
    shutil.copytree(ZOO / "citycard_zoo", site / "citycard_zoo", ignore=shutil.ignore_patterns("__pycache__"))
    sys.path.insert(0, str(site))
    yield
    sys.path.remove(str(site))
    for name in [name for name in sys.modules if name.partition(".")[0] == "citycard_zoo"]:
        del sys.modules[name]


class TestZoo(PluginContract):
    plugin = "zoo"
    settings = MappingProxyType({"ticket_fen": 1500})


@pytest.fixture
def town(tmp_path):
    (tmp_path / "template.toml").write_text(CITY)
    clock = FixedClock(NOON.replace(tzinfo=dt.UTC))
    City.create(tmp_path / "town", tmp_path / "template.toml", clock=clock).close()
    return tmp_path / "town"


def run(*words):
    """Call ``citycard plugin`` and return what it printed as JSON."""
    result = CliRunner().invoke(group, [*words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.stdout)


def test_the_zoo_is_a_distribution_of_its_own_and_shorter_than_sixty_lines():
    lines = [line for path in ZOO.rglob("*.py") for line in path.read_text().splitlines()]
    project = tomllib.loads((ZOO / "pyproject.toml").read_text())["project"]

    assert len(lines) < 60
    assert project["entry-points"]["citycard"] == {"zoo": "citycard_zoo.plugin"}
    assert all(name.startswith("citycard") for name in project["dependencies"])


def test_the_zoo_is_switched_on_from_the_command_line(town):
    before = {each["name"]: each["state"] for each in run("list", "--city", str(town))}
    shown = run("enable", "zoo", "--city", str(town))
    after = {each["name"]: each for each in run("list", "--city", str(town))}

    assert {name: before[name] for name in ("transit", "zoo")} == {"transit": "enabled", "zoo": "disabled"}
    assert shown["settings"] == {"ticket_fen": 1500}
    assert tuple(after["zoo"][field] for field in ("state", "distribution", "version", "reason")) == (
        "enabled",
        "citycard-zoo",
        "0.1.0",
        "",
    )
    assert {"kind": "sector", "key": "zoo", "sticky": True} in after["zoo"]["claims"]
    expected = {"distribution", "version", "state", "reason", "claims", "name", "off_in"}
    assert set(after["zoo"]) == expected


def test_a_visit_is_paid_at_the_gate_written_on_the_card_and_priced_by_the_zoos_rule(town):
    run("enable", "zoo", "--city", str(town))
    city = City.open(town)
    chip = city.issuing.chip(ASN, "standard", NOON.date())
    with writing(city.engine) as conn:
        registry.add_cards(conn, [city.issuing.card(ASN, "standard", NOON.date())])
    place = city.issuing.version("standard").place("zoo")
    visits = city.plugins.sectors()[-1].record.record
    gate = Terminal(GATE, city.sam(GATE), host=city.desk)

    tap = gate.tap(InProcessReader(chip), NOON)
    tap.load(5000, NOON)
    before = decode(visits, tap.read_sector(place))
    after = visits(count=before.count + 1, last=NOON.date())
    debit = tap.capp(1500, NOON, [tap.write_sector(place, encode(after))], plan=RecordPlan(service=700))
    record = read_record(gate.record(debit))

    assert visits(count=0, last=None) == before
    again = gate.tap(InProcessReader(chip), NOON + dt.timedelta(hours=1))
    assert visits(count=1, last=NOON.date()) == decode(visits, again.read_sector(place))
    assert again.view.balance_fen == 3500
    quote = city.rate(record).quote
    assert quote.amount_fen == 1500
    assert [(step.owner, step.rule, step.reason) for step in quote.steps] == [
        ("zoo", "day-ticket", "day ticket")
    ]
    city.close()


def test_the_endpoint_answers_while_the_zoo_is_on_and_the_server_needs_no_restart(town):
    city = City.open(town)
    with TestClient(create_app(city)) as client:
        off = client.get("/zoo/price")
        run("enable", "zoo", "--city", str(town))
        on = _until(client, 200)
        run("disable", "zoo", "--city", str(town))
        off_again = _until(client, 404)
    city.close()

    assert off.status_code == 404
    assert on.json() == {"ticket_fen": 1500}
    assert "zoo" in off_again.text


def _until(client, status):
    """Ask until a server has followed; it has to within a second or two."""
    for _ in range(30):
        answer = client.get("/zoo/price")
        if answer.status_code == status:
            return answer
        time.sleep(0.1)
    return answer


def test_the_zoos_place_on_the_card_stays_its_own_after_it_is_switched_off(town):
    run("enable", "zoo", "--city", str(town))
    run("disable", "zoo", "--city", str(town))

    (zoo,) = [each for each in run("list", "--city", str(town)) if each["name"] == "zoo"]

    assert zoo["state"] == "disabled"
    assert {"kind": "sector", "key": "zoo", "sticky": True} in zoo["claims"]
    assert {"kind": "service", "key": "zoo", "sticky": False} not in zoo["claims"]
