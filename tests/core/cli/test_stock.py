"""``citycard stock`` in a real city: what is refused, and that blank cards always add up."""

from __future__ import annotations

import json

import pytest

from citycard.cli.main import _run

pytestmark = pytest.mark.usefixtures("bazaar")

FIRST = "01019901000000000001"


@pytest.fixture(autouse=True)
def _town(found_city, card_town, tmp_path, monkeypatch):
    found_city(tmp_path / "town", card_town).close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))


def range_add(name, first, size="100"):
    words = ["stock", "range", "add", name, "--product", "standard", "--first", first, "--size", size]
    return _run(words)


def test_a_range_shares_no_number_and_no_key_with_another(capsys):
    assert range_add("r1", FIRST) == 0
    assert range_add("r1", FIRST) == 0
    assert range_add("r2", "01019901000000000100") == 5
    assert range_add("r2", "99999901000000000100") == 5  # other digits before, the same keys
    assert range_add("r2", "01019901000000000101") == 0
    assert "shares numbers with range 'r1'" in capsys.readouterr().err


def test_a_range_has_twenty_digits_and_a_product_that_exists(capsys):
    assert range_add("r1", "123") == 3
    assert _run(["stock", "range", "add", "r", "--product", "gold", "--first", FIRST, "--size", "1"]) == 3
    assert "gold" in capsys.readouterr().err


def test_blanks_are_handed_out_written_off_and_counted(capsys):
    assert _run(["stock", "receive", "box-1", "--cards", "50"]) == 0
    assert _run(["stock", "receive", "box-1", "--cards", "50"]) == 0
    assert _run(["stock", "receive", "box-1", "--cards", "51"]) == 5
    for _ in range(2):
        assert _run(["stock", "hand", "box-1", "20", "--to", "window-3", "--ref", "slip-9"]) == 0
    assert _run(["stock", "spoil", "box-1", "2", "--at", "window-3", "--reason", "bent"]) == 0
    capsys.readouterr()
    assert _run(["stock", "hand", "box-1", "31", "--to", "window-4"]) == 5
    assert "receive another lot" in capsys.readouterr().err
    assert _run(["stock", "hand", "box-1", "31", "--from", "window-3", "--to", "window-4"]) == 5
    assert "hand it more first" in capsys.readouterr().err
    assert _run(["stock", "report", "--json"]) == 0

    (lot,) = json.loads(capsys.readouterr().out)
    assert (lot["held"], lot["spoiled"], lot["adds_up"]) == ({"store": 30, "window-3": 18}, 2, True)


def test_a_slip_is_one_move_and_nobody_hands_cards_to_be_used(capsys):
    assert _run(["stock", "receive", "box", "--cards", "9"]) == 0
    hand = ["stock", "hand", "box"]
    assert _run([*hand, "2", "--to", "w1", "--ref", "s1"]) == 0
    assert _run([*hand, "2", "--to", "w1", "--ref", "s1"]) == 0
    assert _run([*hand, "3", "--to", "w1", "--ref", "s1"]) == 5
    assert _run([*hand, "1", "--to", "used"]) == 2
    assert _run([*hand, "1", "--to", "w1", "--by", " "]) == 2
    assert "who does it?" in capsys.readouterr().err
