"""``citycard key`` tells versions and never a key."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from citycard.city import City
from citycard.cli.key import group
from citycard.errors import KeyPurposeUnknown

CITY = """
[city]
name = "Haibin"
name_zh = "海滨市"
code = "9901"

[store]
url = "sqlite:///city.sqlite"

[bank]
name = "Haibin City Card Company"
account = "6200990100000000001"
bic = "CITYCNBJXXX"
"""


@pytest.fixture
def city(tmp_path):
    """Return the folder of a city without plugins."""
    template = tmp_path / "template.toml"
    template.write_text(CITY)
    City.create(tmp_path / "city", template).close()
    return tmp_path / "city"


def answer(city: Path, *arguments: str):
    done = CliRunner().invoke(group, [*arguments, "--city", str(city)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def test_a_new_city_has_version_1_of_every_purpose(city):
    rows = json.loads(answer(city, "list", "--json").stdout)
    kcv = rows[0].pop("kcv")
    assert rows[0] == {
        "purpose": "purchase",
        "version": 1,
        "status": "current",
        "algorithm": "tdes",
        "cards": 0,
    }
    assert (len(kcv), rows[-1].pop("kcv") == kcv) == (6, False)
    assert {row["version"] for row in rows} == {1}
    assert rows[-1] == {
        "purpose": "batch",
        "version": 1,
        "status": "current",
        "algorithm": "aes",
        "cards": None,
    }


def test_a_roll_over_is_kept_and_leaves_the_old_version_accepted(city):
    made = json.loads(answer(city, "roll", "load", "--json").stdout)
    assert [(row["purpose"], row["version"]) for row in made] == [("purchase", 2), ("load", 2), ("tac", 2)]
    words = answer(city, "list").stdout
    lines = [line.split() for line in words.splitlines()]
    assert lines[0] == ["purpose", "version", "status", "algorithm", "kcv", "cards"]
    assert ["tac", "1", "accepted", "tdes"] in [line[:4] for line in lines]
    assert ["tac", "2", "current", "tdes"] in [line[:4] for line in lines]


def test_an_experimental_algorithm_is_said_on_stderr(city):
    done = answer(city, "roll", "purchase", "--algorithm", "sm4", "--json")
    assert {row["algorithm"] for row in json.loads(done.stdout)} == {"sm4"}
    assert "sm4 purses are experimental" in done.stderr
    assert "name sm4 in algorithms under [cards]" in done.stderr


def test_a_city_whose_cards_compute_the_algorithm_is_not_asked_for_it(city):
    with (city / "city.toml").open("a") as config:
        config.write('[cards]\nalgorithms = ["aes"]\n')
    done = answer(city, "roll", "purchase", "--algorithm", "aes")
    assert "aes purses are experimental" in done.stderr
    assert "[cards]" not in done.stderr


def test_an_unknown_purpose_is_refused(city):
    with pytest.raises(KeyPurposeUnknown, match="'grey-lock' is not in the vault"):
        answer(city, "roll", "grey-lock")
