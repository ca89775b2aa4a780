"""``citycard egov subsidy`` and ``notice``."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from citycard.city.accounts import make_programme
from citycard.cli.main import _run
from citycard.ids import new_id
from citycard.testing.town import Town
from citycard.wallet import Programme, fund_programme


@pytest.fixture
def run(town: Town, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = _run(["egov", *words, "--city", str(town.city.folder)])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_a_plan_goes_from_the_file_to_the_cards_and_its_bad_lines_are_an_exit_code(
    town: Town, run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    card = town.card()
    file = tmp_path / "plan.csv"
    file.write_text(f"card,amount\n{card.asn},50\n123,50\n")
    words = ("subsidy", "import", "p1", "meals", str(file), "--title", "Meals", "--department", "police")
    assert run(*words)[0] in {3, 4}
    meals = Programme(
        id="meals",
        title="Meals",
        funder="Police",
        partner_kinds=("food",),
        starts_on=dt.date(2026, 3, 1),
        ends_on=dt.date(2099, 1, 1),
    )
    make_programme(town.city, meals)
    fund_programme(town.city.wallet, new_id(), "meals", 100_000)
    code, out, _ = run(*words, "--json")
    assert (code, json.loads(out)["plan"]["payments"], json.loads(out)["bad"][0]["line"]) == (1, 1, 3)
    assert run("subsidy", "pay", "p1")[0] == 5
    assert "a second person is needed" in run("subsidy", "approve", "p1", "--by", "li")[2]
    assert run("subsidy", "approve", "p1", "--by", "li")[0] == 5
    assert run("subsidy", "approve", "p1", "--by", "wu")[0] == 0
    for _ in range(2):
        code, out, _ = run("subsidy", "pay", "p1", "--json")
        assert (code, json.loads(out)["plan"]["paid_fen"]) == (1, 5000)
    code, out, _ = run("subsidy", "report", "p1")
    assert "1 payments, 50.00 yuan" in out
    assert run("subsidy", "refuse", "p1")[0] == 5
    assert run("subsidy", "report", "no-plan")[0] == 4
    file.write_text(f"card,amount\n{card.asn},50\n")
    assert run(*(word.replace("p1", "p2") if word == "p1" else word for word in words))[0] == 0
    code, out, _ = run("subsidy", "refuse", "p2", "--json")
    assert (code, json.loads(out)["id"], json.loads(out)["state"]) == (0, "p2", "refused")


def test_what_is_published_is_shown_until_it_is_withdrawn(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    text = tmp_path / "hours.txt"
    text.write_text("8 to 17")
    words = ("notice", "publish", "hours", str(text), "--department", "police", "--title", "Hours")
    assert run(*words)[0] == 0
    assert json.loads(run(*words, "--json")[1])["title"] == "Hours"
    assert json.loads(run("notice", "show", "--json")[1])["notices"][0]["body"] == "8 to 17"
    code, out, _ = run("notice", "show")
    assert (code, "hours" in out, "police" in out) == (0, True, True)
    text.write_text("9 to 17")
    assert run(*words)[0] == 5
    assert run("notice", "withdraw", "hours")[0] == 0
    assert json.loads(run("notice", "show", "--json")[1])["notices"] == []
    assert json.loads(run("notice", "withdraw", "hours", "--json")[1]) == {"withdrawn": "hours"}
    assert run("notice", "withdraw", "no-such")[0] != 0
