"""A morning from the first tap to the bank, on the small file that lies beside the tests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pytest

from citycard.city import City
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.cli.main import cli
from citycard.errors import CitycardError
from citycard.ledger import AccountCode
from citycard.store import reading
from citycard_transit.cardbox import read_box
from citycard_transit.errors import CardBoxDamaged, PlaceUnknown, TransitOff, TransitRefused
from citycard_transit.morning import generate
from citycard_transit.replay import Clockwork, replay, settings_of
from citycard_transit.services import Fares
from citycard_transit.shenzhen import COLUMNS, read_taps
from citycard_transit.taps import Tap

ROOT = Path(__file__).parents[2]


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = City.create(tmp_path / "city", ROOT / "examples" / "shenzhen" / "city.toml")
    yield made
    made.close()


@pytest.fixture
def haibin(tmp_path: Path) -> Iterator[City]:
    made = City.create(tmp_path / "haibin", ROOT / "examples" / "morning" / "city.toml")
    yield made
    made.close()


def played(city: City, file: Path, **more: Any) -> dict[str, Any]:
    return replay(city, read_taps(file), clockwork=Clockwork(), **more).as_json()


def purses_fen(city: City) -> int:
    with reading(city.engine) as conn:
        return sum(city.ledger.balances(conn, AccountCode.CARD_FLOAT).values())


def test_every_row_ends_somewhere_and_every_fen_too(city: City, small_file: Path) -> None:
    answer = played(city, small_file)
    assert answer["rows"] == 16 == answer["played"] + answer["duplicates"] + len(answer["rejected"])
    assert (answer["played"], answer["entries"], answer["priced"]) == (10, 1, 9)
    assert (answer["inferred"], answer["predicted"]) == (5, 4)
    assert (answer["explained"], answer["unexplained"]) == (8, [11])
    # By hand: 380 + 120, 100 + 50, 0 + 0, 2400, 315 + 595 (the file says 777).
    assert answer["charged_fen"] == 3960
    assert answer["by_operator"] == {"甲号线": 2780, "乙巴士": 1180}
    assert answer["explained_charged_fen"] == answer["explained_file_fen"] == 3365
    assert (answer["opened"], answer["records"]) == (2, 12)
    assert answer["clearing"] == {"accepted": 12, "rejected": 0, "suspended": 0, "duplicate": 0}
    kept = answer["purses_fen"] + answer["settled_fen"] + answer["fees_fen"] + answer["unpaid_fen"]
    assert kept == answer["loads_fen"] == 20_000
    assert purses_fen(city) == answer["purses_fen"]


def test_the_same_file_again_is_not_played_and_changes_nothing(city: City, small_file: Path) -> None:
    first = played(city, small_file)
    again = played(city, small_file)
    assert (first["already_played"], again["already_played"], again["run_changed"]) == (False, True, False)
    volatile = {"already_played", "run_changed", "seconds", "taps_per_second", "phases", "peak_mib"}
    assert {k: v for k, v in again.items() if k not in volatile} == {
        k: v for k, v in first.items() if k not in volatile
    }
    assert purses_fen(city) == first["purses_fen"]


def test_a_later_file_goes_on_with_the_same_cards_and_terminals(
    city: City, small_file: Path, tmp_path: Path
) -> None:
    first = played(city, small_file)
    later = tmp_path / "later.csv"
    # The half-price rider of the morning again: a new price is now a prediction, and the purse goes on.
    later.write_text(
        small_file.read_text(encoding="utf-8").split("\n")[0]
        + "\nAAAAAAAAC,2018-09-01 18:01:00,巴士,100,200,900000003,乙巴士,7路,B-1,0,2018-09-01 00:00:00\n",
        encoding="utf-8",
    )
    second = played(city, later)
    assert (second["inferred"], second["predicted"], second["explained"]) == (0, 1, 1)
    assert (second["loads_fen"], second["purses_fen"], second["codes"]) == (0, -100, {"OK": 1})
    assert purses_fen(city) == first["purses_fen"] - 100


class Interrupted(Exception):
    """Somebody pulled the plug."""


def test_a_play_that_is_broken_off_leaves_nothing_and_is_played_again(city: City, small_file: Path) -> None:
    def breaking(taps: Sequence[Tap]) -> Iterable[Tap]:
        yield from taps[:5]
        raise Interrupted

    with pytest.raises(Interrupted):
        played(city, small_file, progress=breaking)
    assert purses_fen(city) == 0
    assert played(city, small_file)["purses_fen"] == 16_040 == purses_fen(city)


@pytest.mark.parametrize("step", ["write_draft", "receive", "clear", "write_summary"])
def test_an_interruption_at_every_later_step_is_mended_by_the_next_call(
    city: City, small_file: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def pull(*_: object, **__: object) -> None:
        raise Interrupted

    where = (
        f"citycard_transit.playbook.Playbook.{step}"
        if step.startswith("write")
        else f"citycard_transit.replay.{step}"
    )
    with monkeypatch.context() as patch:
        patch.setattr(where, pull)
        with pytest.raises(Interrupted):
            played(city, small_file)
    answer = played(city, small_file)
    assert (answer["already_played"], answer["clearing"]["accepted"], answer["run"]) == (False, 12, 1)
    kept = answer["purses_fen"] + answer["settled_fen"] + answer["fees_fen"]
    assert kept == answer["loads_fen"] == 20_000
    assert purses_fen(city) == answer["purses_fen"]


def test_a_draft_whose_loads_were_never_posted_never_happened(
    city: City, small_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pull(*_: object, **__: object) -> None:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr("citycard.wallet.loadbook.BufferedBook.flush", pull)
        with pytest.raises(Interrupted):
            played(city, small_file)
    assert (len(list(city.folder.glob("transit/plays/*/draft.json"))), purses_fen(city)) == (1, 0)
    assert played(city, small_file)["loads_fen"] == 20_000
    assert purses_fen(city) == 16_040


def test_held_batches_are_told_apart_when_one_is_spoilt_one_comes_twice_and_one_stays_away(
    city: City, small_file: Path, tmp_path: Path
) -> None:
    held = tmp_path / "held"
    answer = played(city, small_file, hold=held)
    assert (answer["handed_in"], answer["run"], purses_fen(city)) == (False, 0, 20_000)
    files = sorted(held.glob("*.ccb"))
    manifest = (held / "manifest.json").read_text(encoding="utf-8")
    assert [line["terminal"] for line in json.loads(manifest)["batches"]] == [
        "000900000001",
        "000900000003",
        "000900000002",
        "000900000004",
    ]
    spoilt = bytearray(files[0].read_bytes())
    spoilt[100] ^= 1
    intake = receive(
        city,
        [(files[0].name, bytes(spoilt)), files[1], files[1], files[2]],
        manifest,
    )
    assert [(outcome.state.value, outcome.code.value) for outcome in intake.files] == [
        ("quarantined", intake.files[0].code.value),
        ("accepted", "OK"),
        ("duplicate", "F04"),
        ("accepted", "OK"),
    ]
    assert intake.files[0].code.value in {"F02", "F03"}
    assert {missing.terminal for missing in intake.missing} == {"000900000001", "000900000004"}
    assert clear(city).amount_fen < 3960
    # Handed in again as a whole, everything is there once.
    whole = played(city, small_file)
    assert (whole["missing"], whole["handed_in"]) == (0, True)
    assert purses_fen(city) == 16_040


def test_an_operator_that_nobody_declared_is_paid_to_an_account_that_shows_it(
    city: City, small_file: Path
) -> None:
    answer = played(city, small_file)
    instruction = (city.folder / answer["bank_file"]).read_text(encoding="utf-8")
    assert len(re.findall(r">REPLAY\d{12}<", instruction)) == 2
    assert answer["unpaid_fen"] == 0


def test_the_cards_of_a_play_are_sealed(city: City, small_file: Path) -> None:
    played(city, small_file)
    (box,) = city.folder.glob("transit/plays/*/cards.box")
    images, terminals = read_box(box, city.vault)
    assert (len(images), len(terminals)) == (5, 4)
    content = box.read_bytes()
    assert all(image not in content for image in images.values())
    box.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(CardBoxDamaged):
        read_box(box, city.vault)


def test_a_city_without_transit_does_not_play(city: City) -> None:
    city.plugins.disable("transit", by="a test")
    with pytest.raises(TransitOff, match="citycard plugin enable transit"):
        settings_of(city)


def test_a_mistake_in_the_settings_is_told_as_it_is(city: City) -> None:
    config = city.folder / "city.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text + "\n[plugins.transit.typo]\nfares = 3\n", encoding="utf-8")
    again = City.open(city.folder)
    with pytest.raises(TransitRefused, match="typo") as told:
        settings_of(again)
    again.close()
    assert "\n" not in str(told.value)


def test_a_generated_morning_clears_to_the_fen(tmp_path: Path) -> None:
    city = City.create(tmp_path / "city", ROOT / "examples" / "morning" / "city.toml")
    answer = replay(city, generate(5, 1_500), clockwork=Clockwork()).as_json()
    city.close()
    assert answer["rows"] == answer["played"] >= 1_500
    assert answer["clearing"]["accepted"] == answer["records"]
    remarked = answer["opened"] + answer["incomplete"]
    assert answer["codes"] == {"OK": answer["records"] - remarked, "G02": remarked}
    assert answer["transfers"] > 50
    kept = answer["purses_fen"] + answer["settled_fen"] + answer["fees_fen"]
    assert kept == answer["loads_fen"]


# ── the commands ─────────────────────────────────────────────────────────────────────────────────


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[str, str]:
    cli.main([str(argument) for argument in arguments], prog_name="citycard", standalone_mode=False)
    return capsys.readouterr()


def test_json_is_one_object_on_stdout_and_everything_else_is_on_stderr(
    capsys: pytest.CaptureFixture[str], small_file: Path
) -> None:
    out, err = run(capsys, "replay", "shenzhen", small_file, "--json")
    assert json.loads(out)["played"] == 10
    assert "line 17: equ_no belongs to 乙巴士" in err
    assert "removed afterwards" in err
    words, _ = run(capsys, "replay", "shenzhen", small_file)
    assert "--city DIR keeps the city" in words
    assert "bank/run" not in words


def test_taps_that_are_played_and_handed_in_say_that_nothing_changed_and_nothing_is_held(
    capsys: pytest.CaptureFixture[str], city: City, small_file: Path, tmp_path: Path
) -> None:
    first, _ = run(capsys, "replay", "shenzhen", small_file, "--city", city.folder)
    assert "The bank instruction is in bank/run-000001" in first
    assert "gates (what each is paid" in first
    again = ("replay", "shenzhen", small_file, "--city", city.folder, "--hold", tmp_path / "held")
    out, err = run(capsys, *again)
    assert ("Already played, nothing changed." in out, "taps a second" in out) == (True, False)
    assert "nothing was written" in err
    assert not (tmp_path / "held").exists()


def test_ctrl_c_says_that_nothing_is_lost(
    capsys: pytest.CaptureFixture[str], city: City, small_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("citycard_transit.replay.clear", interrupted)
        with pytest.raises(click.Abort):
            run(capsys, "replay", "shenzhen", small_file, "--city", city.folder)
    assert "nothing is lost: call it again" in capsys.readouterr().err
    assert "Clearing run 1" in run(capsys, "replay", "shenzhen", small_file, "--city", city.folder)[0]


def test_gates_and_the_city_know_the_rules_by_one_version(city: City) -> None:
    assert Fares.of(settings_of(city)).book.version == city.plugins.rules().version


def test_a_folder_without_a_city_gets_the_one_of_the_example(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    out, err = run(capsys, "replay", "morning", "--taps", 300, "--seed", 2, "--city", folder)
    assert (folder / "city.toml").read_text(encoding="utf-8").startswith("# Haibin")
    assert "making a city" in err
    assert "Clearing run 1" in out


def test_a_file_that_is_no_table_of_taps_ends_with_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "no.csv"
    file.write_text("a,b\n", encoding="utf-8")
    with pytest.raises(CitycardError, match="lacks the columns " + ", ".join(COLUMNS)):
        cli.main(["replay", "shenzhen", str(file)], standalone_mode=False)


def test_explain_says_rule_by_rule_how_a_price_came_to_be(
    capsys: pytest.CaptureFixture[str], city: City
) -> None:
    described = ("--service", "bus", "--price", 700, "--transfer", "--city", city.folder, "--json")
    answer = json.loads(run(capsys, "transit", "explain", *described)[0])
    assert answer["price_fen"] == 490
    assert [(line["stage"], line["rule"], line["after_fen"]) for line in answer["lines"]] == [
        ("base price", "list-price", 700),
        ("discount", "bus-card-discount", 530),
        ("transfer", "transfer", 490),
    ]
    out, _ = run(capsys, "transit", "explain", "--price", 200, "--product", "half", "--city", city.folder)
    assert "concession 优惠身份  half-price-riders: 2.00 -> 1.00" in out


def test_explain_finds_a_record_by_card_and_counter(
    capsys: pytest.CaptureFixture[str], city: City, small_file: Path
) -> None:
    played(city, small_file)
    asn = "03105840090000000001"
    out, _ = run(capsys, "transit", "explain", "--card", asn, "--counter", 1, "--city", city.folder, "--json")
    answer = json.loads(out)
    assert (answer["charged_fen"], answer["price_fen"], answer["record"]["kind"]) == (380, 380, "exit")
    assert (answer["record"]["state"], answer["record"]["vehicle"]) == ("accepted", "OUT-1")


def test_explain_names_a_station_or_a_bus_line_that_the_city_does_not_have(
    capsys: pytest.CaptureFixture[str], haibin: City
) -> None:
    def explain(*ride: object) -> str:
        return run(capsys, "transit", "explain", "--city", haibin.folder, *ride)[0]

    with pytest.raises(PlaceUnknown, match="--place 99999 is no station of this city; there are 101, 102"):
        explain("--service", "metro", "--origin", 101, "--place", 99999)
    with pytest.raises(PlaceUnknown, match="--origin 7 is no station"):
        explain("--service", "metro", "--origin", 7, "--place", 101)
    # Nobody has told this city its bus lines yet: any may be one.
    assert "Price" in explain("--service", "bus", "--place", 999)
    replay(haibin, generate(1, 300), clockwork=Clockwork())
    with pytest.raises(PlaceUnknown, match="--place 999 is no bus line of this city; there are 901"):
        explain("--service", "bus", "--place", 999)
    for ride in (("metro", "--place", 310), ("bus", "--place", 930), ("bus",)):
        assert "Price" in explain("--service", *ride)


KILLED_BEFORE_THE_LOADS_ARE_POSTED = """
import os, sys
from citycard.cli.main import main
from citycard.wallet.loadbook import BufferedBook
BufferedBook.flush = lambda book: os._exit(9)
main(sys.argv[1:])
"""


def test_a_play_that_died_before_its_loads_were_posted_never_happened_for_another_play(haibin: City) -> None:
    of_seed_1 = ["replay", "morning", "--city", str(haibin.folder), "--seed", "1", "--taps"]
    died = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_THE_LOADS_ARE_POSTED, *of_seed_1, "300"], check=False
    )
    assert died.returncode == 9

    other, again = (
        replay(haibin, generate(seed=1, taps=taps), clockwork=Clockwork()).as_json() for taps in (400, 300)
    )

    for answer in (other, again):
        assert answer["clearing"]["accepted"] == answer["records"]
        assert answer["missing"] == 0
    assert purses_fen(haibin) == other["purses_fen"] + again["purses_fen"]


def test_two_replays_at_once_wait_for_one_another(haibin: City) -> None:
    of_city = [sys.executable, "-c", "from citycard.cli.main import main; main()", "replay", "morning"]
    both = [
        subprocess.Popen(
            [*of_city, "--city", str(haibin.folder), "--json", "--seed", "1", "--taps", taps],
            stdout=subprocess.PIPE,
        )
        for taps in ("300", "400")
    ]

    answers = [json.loads(process.communicate(timeout=120)[0]) for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert sum(answer["purses_fen"] for answer in answers) == purses_fen(haibin)
    for answer in answers:
        assert answer["clearing"]["accepted"] == answer["records"]
