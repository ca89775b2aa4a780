"""The commands of health: files in and out, one line for what is wrong, JSON for programs."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from citycard.bank.receiving import receive
from citycard.cli.main import main
from citycard.ids import new_id
from citycard_health.opening import settings_of
from citycard_health.visits import VisitItem, charge_visit

SCHEDULE = (
    "clinic,department,doctor,level,day,from,until,minutes,places\n"
    "clinic-east,Eyes,Dr Ma,1,2026-03-03,08:00,09:00,30,1\n"
)


@pytest.fixture
def call(town, capsys):
    """Call ``citycard health …`` in the town, and give its exit code, stdout and stderr."""

    def called(*words):
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(["health", *map(str, words), "--city", str(town.city.folder)])
        said = capsys.readouterr()
        return left.value.code or 0, said.out, said.err

    return called


def test_files_are_taken_in_and_days_written(town, call, tmp_path):
    """Insured, schedule, day: words for people, JSON for programs."""
    card = town.card("health-card")
    insured, schedule = tmp_path / "insured.csv", tmp_path / "schedule.csv"
    insured.write_text(f"card,plan,until\n{card.asn},employee,2026-12-31\n")
    schedule.write_text(SCHEDULE)
    assert call("insured", insured)[:2] == (0, "1 cards are insured as insured.csv says\n")
    assert json.loads(call("insured", insured, "--json")[1]) == {"lines": 1}
    assert json.loads(call("schedule", schedule, "--json")[1]) == {"slots": 2}
    assert call("day", "clinic-east", "--on", "2026-03-03")[1].startswith("AT")
    day = json.loads(call("day", "clinic-east", "--on", "2026-03-03", "--json")[1])
    assert day == {"clinic": "clinic-east", "day": "2026-03-03", "appointments": []}


def test_what_is_wrong_is_one_line_and_an_exit_code(town, call, tmp_path):
    """A bad file is 3, an unknown thing 4, a refusal 5."""
    bad = tmp_path / "bad.csv"
    bad.write_text(SCHEDULE.replace("clinic-east", "moon"))
    code, out, err = call("schedule", bad)
    assert (code, out) == (3, "")
    assert "bad.csv, line 2, clinic: 'moon' is unknown; there are clinic-east, clinic-west" in err
    assert len(err.splitlines()) == 1
    assert call("insured", bad)[0] == 3
    assert call("day", "moon")[0] == 4
    assert call("claims", "nobody", "2026-02")[0] == 4
    assert call("claims", "medicare", "2026-03")[0] == 5
    asn = town.card().asn
    assert call("export", asn, tmp_path / "x.json", "--reason", "check")[0] == 4
    assert not (tmp_path / "x.json").exists()
    assert call("import", asn, bad)[0] == 3
    town.city.plugins.disable("health", by="town")
    code, _, err = call("report")
    assert code == 5
    assert "health" in err


def test_a_summary_goes_out_with_a_reason_and_comes_in(town, call, tmp_path):
    """Export asks why; import says how much is new."""
    card = town.card("health-card")
    charge_visit(
        town.city, settings_of(town.city), new_id(), card.asn, "clinic-east", [VisitItem(code="blood")]
    )
    file = tmp_path / "summary.json"
    assert call("export", card.asn, file, "--reason", "referral", "--by", "Wang")[0] == 0
    assert json.loads(file.read_text())["resourceType"] == "Bundle"
    assert json.loads(call("import", card.asn, file, "--json")[1]) == {"card": card.asn, "added": 0}
    assert call("export", card.asn, file, "--reason", "again")[0] != 0
    assert call("export", card.asn, tmp_path / "y.json")[0] == 2


def test_a_month_is_closed_written_and_settled(town, call, insure, bank_day, tmp_path):
    """The same statement again; nothing to settle before the bank booked it."""
    card = town.card("health-card")
    insure(card)
    charge_visit(
        town.city, settings_of(town.city), new_id(), card.asn, "clinic-east", [VisitItem(code="scan")]
    )
    town.pass_time(timedelta(days=30))
    # The commands work by the machine's clock, on which March 2026 is over too.
    code, out, _ = call("claims", "medicare", "2026-03", "--out", tmp_path / "claims.csv", "--json")
    made = json.loads(out)
    assert (code, made["total_fen"], made["state"]) == (0, 10_500, "closed")
    assert json.loads(call("claims", "medicare", "2026-03", "--json")[1]) == made
    assert (tmp_path / "claims.csv").read_text().splitlines()[-1].endswith("2026-03,105.00")
    assert json.loads(call("settle", "--json")[1]) == []
    receive(town.city, bank_day(town, made["reference"], 10_500))
    assert [one["state"] for one in json.loads(call("settle", "--json")[1])] == ["settled"]
    report = json.loads(call("report", "--json")[1])
    assert report["clinics"][0]["insured_fen"] == 10_500
    assert report["insurers"][0]["open_fen"] == 0
    assert "CLINIC" in call("report")[1]


def test_the_programme_of_sports_is_opened_once(town, call):
    """Again it is there already."""
    words = ("sports", "--from", "2026-01-01", "--until", "2026-12-31")
    assert call(*words)[1] == "programme health-sports is there now\n"
    assert json.loads(call(*words, "--json")[1]) == {"added": False, "programme": "health-sports"}
