from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner

from citycard.cli.chip import group
from citycard.errors import CardFileInvalid, CardKindUnknown, CardNumberTaken, FileThere


def call(*arguments):
    done = CliRunner().invoke(group, [str(one) for one in arguments], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done


def test_a_blank_chip_is_a_file_for_its_owner_alone(tmp_path):
    file = tmp_path / "one.card"
    call("new", file, "--profile", "fmcos")
    shown = json.loads(call("show", file, "--json").stdout)

    assert file.stat().st_mode & 0o077 == 0
    assert (shown["kind"], shown["profile"], shown["interrupted"]) == ("chip", "fmcos", False)
    assert shown["files"][0]["path"] == "/3F00"
    assert "/3F00" in call("show", file).stdout


def test_a_card_is_not_written_over(tmp_path):
    file = tmp_path / "one.card"
    call("new", file)
    before = file.read_bytes()
    with pytest.raises(FileThere, match="is there already"):
        call("new", file)
    assert file.read_bytes() == before


def test_no_folder_is_made_for_a_card(tmp_path):
    with pytest.raises(click.BadParameter, match=r"folder '.*nowhere' does not exist"):
        call("new", tmp_path / "nowhere" / "one.card")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_make_is_told_with_those_there_are(tmp_path):
    with pytest.raises(CardKindUnknown, match=r"there is no profile 'java'; profiles: .*fmcos.*t-union"):
        call("new", tmp_path / "one.card", "--profile", "java")


def test_a_file_that_is_no_card_says_so(tmp_path):
    file = tmp_path / "letter.txt"
    file.write_text("Dear city,")
    with pytest.raises(CardFileInvalid, match="does not begin like one"):
        call("show", file)


def test_a_citys_card_needs_product_and_number(tmp_path):
    with pytest.raises(Exception, match="--product and --asn"):
        call("new", tmp_path / "one.card", "--product", "standard")


def test_a_number_that_a_card_has_is_refused_and_no_file_is_made(bazaar, found_city, card_town, tmp_path):
    city = found_city(tmp_path / "town", card_town)
    city.issuing.publish()
    city.close()
    asn, where = "01019901000000000001", ("--city", tmp_path / "town", "--product", "standard")
    call("new", tmp_path / "one.card", "--asn", asn, *where)
    with pytest.raises(CardNumberTaken, match=f"card {asn} is there already: choose a number"):
        call("new", tmp_path / "two.card", "--asn", asn, *where)
    assert not (tmp_path / "two.card").exists()


@pytest.mark.parametrize(
    ("profile", "kind"), [("psam-transit", "psam"), ("classic-4k", "sector"), ("city-union", "chip")]
)
def test_every_kind_of_card_can_be_made(tmp_path, profile, kind):
    file = tmp_path / "one.card"
    call("new", file, "--profile", profile)

    assert json.loads(call("show", file, "--json").stdout)["kind"] == kind
