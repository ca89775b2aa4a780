from __future__ import annotations

import json

from citycard.cli.main import _run

SMALL = ["--cards", "100", "--terminals", "40", "--records", "900", "--faults", "0.04"]


def test_a_city_is_simulated_cleared_and_compared(kiosk_town, tmp_path, capsys):
    kiosk_town("town")
    out, city = str(tmp_path / "out"), ["--city", str(tmp_path / "town")]
    assert _run(["simulate", out, *SMALL, *city, "--clear", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["faults_found"] == told["faults_injected"] > 30
    assert told["false_alarms"] == 0
    assert len(told["digests"]) == 2
    assert _run(["simulate", out, *city, "--check", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again == told | {"digests": []}


def test_what_was_not_handed_in_is_not_found_and_that_is_an_exit_code(kiosk_town, tmp_path, capsys):
    kiosk_town("town")
    out, city = str(tmp_path / "out"), ["--city", str(tmp_path / "town")]
    assert _run(["simulate", out, *SMALL, *city]) == 0
    assert "faults" in capsys.readouterr().err
    assert _run(["simulate", out, "--check", *city]) == 1
    assert "0 of" in capsys.readouterr().err


def test_a_folder_without_a_truth_a_second_simulation_and_both_flags_are_refused(
    kiosk_town, tmp_path, capsys
):
    kiosk_town("town")
    city = ["--city", str(tmp_path / "town")]
    assert _run(["simulate", str(tmp_path / "none"), "--check", *city]) == 4
    assert "truth.json is missing" in capsys.readouterr().err
    assert _run(["simulate", str(tmp_path / "one"), *SMALL, *city]) == 0
    assert _run(["simulate", str(tmp_path / "two"), *SMALL, *city]) == 5
    assert "is there already" in capsys.readouterr().err
    assert _run(["simulate", str(tmp_path / "one"), "--check", "--clear", *city]) == 2
