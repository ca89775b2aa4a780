"""``citycard egov card``: a window's reader, here with a card in its file."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from citycard.cli.cardfile import chip_file, write_card_file
from citycard.cli.main import _run
from citycard.testing.town import Town
from citycard_egov import register
from citycard_egov.office import Office


def test_a_card_is_activated_and_proves_its_holder(
    town: Town,
    office: Office,
    tmp_path: Path,
    number: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card, file = town.card(), tmp_path / "card.chip"
    write_card_file(file, chip_file(card.chip, "t-union"))
    register.tell(office, number(1), "police", {"name": "Li"}, day=dt.date(2026, 2, 1), actor="t")

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = _run(["egov", "card", *words, "--image", str(file), "--city", str(town.city.folder)])
        out, err = capsys.readouterr()
        return code, out, err

    pins = ("--old-pin", "123456", "--new-pin", "246810")
    code, _, err = call("activate", number(2), *pins)
    assert (code, "nobody with this identity number" in err) == (4, True), err
    assert call("activate", number(1), "--old-pin", "000000", "--new-pin", "246810")[0] == 5
    code, out, err = call("activate", number(1), *pins, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"card": card.asn}
    code, _, err = call("prove", "--pin", "111111")
    assert (code, "2 tries are left" in err) == (5, True)
    code, out, _ = call("prove", "--pin", "246810", "--json")
    assert (code, json.loads(out)["asn"]) == (0, card.asn)

    # Without a terminal the PINs are lines of the input, and nothing else is said.
    monkeypatch.setattr("sys.stdin", io.StringIO("246810\n"))
    code, out, err = call("prove", "--json")
    assert (code, json.loads(out)["asn"], err) == (0, card.asn, "")
    code, out, err = call("prove")
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert "with --pin" in err
    monkeypatch.setattr("sys.stdin", io.StringIO("246810\n135791\n"))
    assert call("activate", number(1), "--json")[0] == 0
    assert call("prove", "--pin", "135791")[0] == 0
