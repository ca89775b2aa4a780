"""``citycard plugin`` in a real city: what it prints, what it changes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from citycard import registry
from citycard.city import City
from citycard.cli.main import _run
from citycard.store import reading

ON_DISK = Path(__file__).parents[1] / "kernel" / "data"
OWN_JOBS = [
    "citycard.take-in-inbox",
    "citycard.settle-cards",
    "citycard.look-after-orders",
    "citycard.expire-topups",
    "citycard.lapse",
    "citycard.expire-uploads",
    "citycard.seal-ledger",
    "citycard.verify-ledger",
]

CITY = """\
[city]
name = "Plugin town"
code = "9901"

[plugins]
allow = ["good", "park", "farm", "late", "misspelt"]
enable = ["good"]

[[districts]]
id = "nanshan"
name = "Nanshan"
"""


@pytest.fixture
def town(found_city, tmp_path, monkeypatch):
    """Make a city, with plugins installed that it allows, and one that it does not."""
    for folder in ("good", "park", "farm", "late", "misspelt", "future"):
        monkeypatch.syspath_prepend(str(ON_DISK / folder))
    (tmp_path / "template.toml").write_text(CITY)
    found_city(tmp_path / "town", tmp_path / "template.toml").close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    return tmp_path / "town"


@pytest.fixture
def run(town, capsys):
    """Call ``citycard plugin …`` and return exit code, stdout and stderr."""

    def call(*words):
        capsys.readouterr()
        code = _run(["plugin", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def listed(run):
    def read():
        code, out, _ = run("list", "--json")
        assert code == 0
        return {each["name"]: each for each in json.loads(out)}

    return read


def test_the_list_names_every_plugin_with_state_and_reason(listed):
    plugins = listed()

    assert all(
        set(each) == {"name", "distribution", "version", "state", "reason", "claims", "off_in"}
        for each in plugins.values()
    )
    expected = {
        "farm": "disabled",
        "future": "found",
        "good": "enabled",
        "late": "disabled",
        "misspelt": "disabled",
        "park": "disabled",
    }
    assert {name: plugins[name]["state"] for name in expected} == expected
    assert plugins["park"]["version"] == "0.2"
    assert plugins["future"]["reason"] == "not allowed: add 'future' to allow under [plugins] in city.toml"
    assert {"kind": "service", "key": "good", "sticky": False} in plugins["good"]["claims"]


def test_the_list_for_people_has_a_line_per_plugin(run):
    code, out, err = run("list")

    assert (code, err) == (0, "")
    assert out.splitlines()[0].split() == ["NAME", "STATE", "DISTRIBUTION", "VERSION", "REASON"]
    assert any(line.split()[:3] == ["good", "enabled", "citycard-good"] for line in out.splitlines())


def test_switching_on_and_off_is_there_in_the_next_call(run, listed):
    code, out, _ = run("enable", "park", "--json")
    assert (code, json.loads(out)["state"]) == (0, "enabled")
    assert listed()["park"]["state"] == "enabled"

    code, out, _ = run("disable", "park")
    assert (code, out.partition(" (")[0]) == (0, "park is switched off for the whole city; it is disabled")
    assert listed()["park"]["state"] == "disabled"


def test_a_conflict_is_one_line_with_both_distributions_and_the_city_runs_on(run, listed):
    run("enable", "park")

    code, out, err = run("enable", "farm")

    assert (code, out) == (5, "")
    assert err == (
        "citycard: sector 'meadow' is claimed by citycard-park 0.2 and by citycard-farm 1.0: it stays "
        "reserved for citycard-park, as what carries it may still be in use\n"
    )
    assert (listed()["good"]["state"], listed()["farm"]["state"]) == ("enabled", "disabled")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("enable", "late"), 1, "plugin late (citycard-late 1.0) failed in citycard_services: RuntimeError"),
        (("enable", "misspelt"), 5, "there is no hook citycard_sektors: did you mean citycard_sectors?"),
        (("enable", "future"), 5, "plugin future (citycard-future 1.0) is refused: not allowed"),
        (("enable", "nobody"), 4, "no plugin is named 'nobody'; here are: "),
        (("disable", "nobody"), 4, "no plugin is named 'nobody'"),
        (("show", "nobody"), 4, "no plugin is named 'nobody'"),
        (("enable", "good", "--district", "futian"), 3, "district 'futian' is not registered"),
        (("enable", "good", "--partner", "metro"), 3, "'metro' is not registered"),
        (("disable", "good", "--district", "nanshan", "--partner", "metro"), 2, "one at a time"),
        (("reset", "good"), 2, "give --district or --partner"),
        (("reset", "good", "--district", "nanshan", "--partner", "metro"), 2, "one at a time"),
        (("reset", "good", "--district", "futian"), 3, "district 'futian' is not registered"),
        (("reset", "good", "--partner", "metro"), 3, "'metro' is not registered"),
        (("reset", "nobody", "--district", "nanshan"), 4, "no plugin is named 'nobody'"),
        (("enable",), 2, "Missing argument 'NAME'"),
        (("list", "--city", "/nowhere"), 4, "there is no city.toml in /nowhere"),
    ],
)
def test_every_error_is_one_line_with_its_exit_code(words, code, message, run):
    answer, out, err = run(*words)

    assert (answer, out, err.count("\n")) == (code, "", 1)
    assert message in err


def test_one_district_can_have_a_plugin_for_itself(run):
    told = run("enable", "park", "--district", "nanshan")[1]
    assert told.startswith("park is switched on for district nanshan; it is enabled")

    scopes = json.loads(run("show", "park", "--json")[1])["scopes"]

    assert [(each["scope"], each["id"], each["wanted"]) for each in scopes] == [("district", "nanshan", True)]
    assert scopes[0]["changed_by"].endswith("command line)") or scopes[0]["changed_by"] == "command line"


def test_the_list_tells_where_a_plugin_is_off_that_the_city_has_on(run, listed):
    run("disable", "good", "--district", "nanshan")
    assert listed()["good"]["off_in"] == ["nanshan"]
    assert "enabled, off in nanshan" in run("list")[1]
    run("disable", "good")
    assert "off in" not in run("list")[1]


def test_a_districts_own_switch_is_taken_back(run):
    run("disable", "good", "--district", "nanshan")

    told = "good follows the city's switch again for district nanshan; it is enabled\n"
    assert run("reset", "good", "--district", "nanshan") == (0, told, "")
    assert run("reset", "good", "--district", "nanshan") == (0, told, "")
    code, out, _ = run("reset", "good", "--district", "nanshan", "--json")
    assert (code, [each["scope"] for each in json.loads(out)["scopes"]]) == (0, ["city"])


def test_a_district_that_is_gone_leaves_no_switch_for_ever(run, town):
    run("enable", "good", "--district", "nanshan")
    settings = town / "city.toml"
    settings.write_text(settings.read_text().replace("nanshan", "bayside"))

    assert run("reset", "good", "--district", "nanshan")[0] == 0
    scopes = json.loads(run("show", "good", "--json")[1])["scopes"]
    assert [each["scope"] for each in scopes] == ["city"]
    assert run("reset", "good", "--district", "nanshan")[0] == 3


def test_check_says_what_could_not_be_enabled_and_changes_nothing(run, listed):
    before = listed()

    code, out, _ = run("check", "--json")

    results = {each["name"]: each for each in json.loads(out)}
    assert code == 1
    assert {name for name, each in results.items() if each["ok"]} == {"farm", "good", "park"}
    assert "after the first record" in results["late"]["reason"]
    assert listed() == before
    assert run("check", "good", "park")[0] == 0


def test_show_tells_people_the_same(run):
    code, out, _ = run("show", "good")

    assert code == 0
    assert out.splitlines()[:4] == [
        "name         good",
        "title        Well behaved",
        "distribution citycard-good 1.0",
        "state        enabled",
    ]
    assert "claims       service-number 900" in out


def test_outside_a_city_the_installed_plugins_are_declared(run, monkeypatch, tmp_path):
    monkeypatch.delenv("CITYCARD_CITY")
    monkeypatch.chdir(tmp_path)

    code, out, _ = run("list", "--json")

    plugins = {each["name"]: each for each in json.loads(out)}
    assert code == 0
    assert (plugins["good"]["state"], plugins["future"]["state"]) == ("declared", "refused")
    assert "citycard-farm 1.0 and by citycard-park 0.2" in plugins["park"]["reason"]


# ── what plugins declare about money, and their jobs ──


@pytest.fixture
def yard(found_city, tmp_path, monkeypatch, capsys):
    """Make a city without plugins in which a bicycle yard, with a partner and a job, may be enabled."""
    monkeypatch.syspath_prepend(str(ON_DISK.parents[1] / "city" / "data" / "yard"))
    (tmp_path / "template.toml").write_text('[city]\nname = "Yard town"\ncode = "9901"\n')
    found_city(tmp_path / "yard town", tmp_path / "template.toml").close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "yard town"))

    def call(*words):
        capsys.readouterr()
        code = _run(["plugin", *words])
        out, err = capsys.readouterr()
        return code, out, err

    call.folder = tmp_path / "yard town"
    return call


def test_enabling_a_plugin_opens_its_partners(yard):
    assert yard("enable", "yard")[0] == 0

    city = City.open(yard.folder)
    with reading(city.engine) as conn:
        assert [partner.id for partner in registry.partners(conn)] == ["yard"]
        assert city.ledger.balance_fen(conn, "yard/deposits") == 0
    city.close()


def test_jobs_are_listed_and_run(yard):
    assert [each["job"] for each in json.loads(yard("jobs", "--json")[1])] == OWN_JOBS
    yard("enable", "yard")
    before = json.loads(yard("jobs", "--json")[1])

    assert yard("run", "yard.sweep")[0] == 0

    after = json.loads(yard("jobs", "--json")[1])
    assert [(each["job"], each["every_s"], each["outcome"]) for each in before[len(OWN_JOBS) :]] == [
        ("yard.sweep", 3600, "")
    ]
    assert [(each["outcome"], each["running"]) for each in after[len(OWN_JOBS) :]] == [("done", False)]
    assert after[-1]["finished_at"] >= after[-1]["started_at"]
    assert "1:00:00" in yard("jobs")[1]


def test_a_job_that_nobody_has_is_told(yard):
    code, _, err = yard("run", "yard.sweep")

    assert (code, err) == (
        4,
        f"citycard: no plugin that is on has the job 'yard.sweep': expected one of {', '.join(OWN_JOBS)}\n",
    )
