"""``citycard key`` tells versions and never a key."""

import datetime as dt
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from citycard import registry
from citycard.city import City
from citycard.cli.key import group
from citycard.errors import KeyHierarchyMissing, KeyPurposeUnknown, KeyVersionInUse, KeyVersionOnCards
from citycard.store import writing

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
def city(found_city, tmp_path):
    """Return the folder of a city without plugins."""
    template = tmp_path / "template.toml"
    template.write_text(CITY)
    found_city(tmp_path / "city", template).close()
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
        "purpose": "seal",
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


def test_an_old_version_is_retired_but_not_the_current_one(city):
    answer(city, "roll", "batch")
    rows = json.loads(answer(city, "retire", "batch", "1", "--json").stdout)
    assert [(row["purpose"], row["version"], row["status"]) for row in rows] == [("batch", 1, "retired")]
    with pytest.raises(KeyVersionInUse):
        answer(city, "retire", "batch", "2")


def test_a_version_that_was_for_tests_is_shown_as_one(city):
    answer(city, "roll", "batch")
    rows = json.loads(answer(city, "retire", "batch", "1", "--test", "--json").stdout)
    assert [(row["purpose"], row["version"], row["status"]) for row in rows] == [("batch", 1, "test")]


def test_a_purse_version_that_cards_may_have_is_retired_only_by_force(city):
    opened = City.open(city)
    with writing(opened.engine) as conn:
        registry.add_products(conn, [registry.Product(name="adult", title="Adult", kind=1)])
        version = registry.ProductVersion(product="adult", version=1, layout="{}")
        registry.add_product_versions(conn, [version])
        day = dt.date(2026, 1, 1)
        card = {"issuer": "01019901FFFFFFFF", "product": "adult", "product_version": 1, "kind": 1}
        asns = ("03105170070104791381", "03105170070104791399")
        registry.add_cards(
            conn, [registry.Card(asn=asn, issued_on=day, expires_on=day, **card) for asn in asns]
        )
    opened.close()
    answer(city, "roll", "purchase")
    rows = json.loads(answer(city, "list", "--json").stdout)
    assert {row["cards"] for row in rows if row["purpose"] in {"purchase", "load", "tac"}} == {2}
    with pytest.raises(KeyVersionOnCards, match="is on 0 cards, and 2 more may have it"):
        answer(city, "retire", "purchase", "1")
    gone = json.loads(answer(city, "retire", "purchase", "1", "--force", "--json").stdout)
    assert {row["purpose"] for row in gone} == {"purchase", "load", "tac"}


def test_a_hierarchy_is_made_and_listed_by_its_name(city):
    with pytest.raises(KeyHierarchyMissing, match="citycard key hierarchy create"):
        answer(city, "list", "--hierarchy", "health")
    made = answer(city, "hierarchy", "create", "health").stdout
    assert made.strip().endswith("vault-health.bin")
    assert json.loads(answer(city, "list", "--hierarchy", "health", "--json").stdout) == []
