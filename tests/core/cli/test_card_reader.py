"""``citycard card`` on software cards from their files; tests of the readers try the same on real ones."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from citycard.card import CardProduct, allocate
from citycard.chip import PROFILES, Chip, prepare_blank
from citycard.cli.card import group
from citycard.cli.cardfile import chip_file, read_card_file, write_card_file
from citycard.errors import NoCardInReader
from citycard.mifare.card import SectorCard
from citycard.pcsc import PcscReader, VpcdSlot


@pytest.fixture
def blank(tmp_path):
    path = tmp_path / "blank.card"
    write_card_file(path, chip_file(Chip.blank(PROFILES["fmcos"], transport=True), "fmcos"))
    return path


@pytest.fixture
def prepared(tmp_path):
    path = tmp_path / "prepared.card"
    card = prepare_blank(allocate(CardProduct(name="adult"), []))
    write_card_file(path, chip_file(card, "t-union"))
    return path


def call(*arguments, stdin=None):
    done = CliRunner().invoke(group, [str(one) for one in arguments], input=stdin, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done


def test_commands_are_sent_and_their_answers_said_in_words(blank):
    done = call("apdu", "--image", blank, "00A40000023F00", "00:B0:95:00:00")

    assert "< 6F " in done.stdout
    assert "[9000] done" in done.stdout
    assert done.stdout.endswith("< [6A82] there is no such file or application\n")
    assert done.return_value == 0


def test_check_stops_at_the_first_answer_that_is_not_9000(blank):
    done = call("apdu", "--image", blank, "--check", "--json", "0084000004", "00B0950000", "0084000004")

    assert [answer["status"] for answer in json.loads(done.stdout)] == ["9000", "6A82"]
    assert done.return_value == 1


def test_a_script_comes_on_stdin_with_remarks_and_resets(blank):
    done = call(
        "apdu", "--image", blank, "--json", stdin="# hello\n00 84 00 00 04 # four\n\nreset\n0084000008\n"
    )

    assert [len(answer["data"]) // 2 for answer in json.loads(done.stdout)] == [4, 8]


def test_a_pin_that_was_typed_is_not_printed(blank):
    assert "313233" not in call("apdu", "--image", blank, "0020000003313233").stdout.replace(" ", "")


@pytest.mark.parametrize("wrong", ["00B", "hello", "00B095"])
def test_what_is_no_command_is_a_wrong_call(blank, wrong):
    with pytest.raises(Exception, match=wrong):
        call("apdu", "--image", blank, wrong)


def test_what_a_command_changes_is_in_the_file(blank):
    before = read_card_file(blank).image
    call("apdu", "--image", blank, "00A40000023F00", "0084000008", "00820000080000000000000000")

    assert read_card_file(blank).image != before  # a wrong authentication costs a try


def test_a_card_without_a_known_purse_is_exit_code_1(blank):
    done = call("read", "--image", blank)

    assert "not known here; its answer to reset is 3B 88" in done.stdout
    assert done.return_value == 1


def test_a_purse_is_read_without_keys(prepared):
    done = call("read", "--image", prepared)

    assert "card     T-Union purse 交通联合 电子钱包" in done.stdout
    assert "balance  0.00 yuan" in done.stdout
    (purse,) = json.loads(call("read", "--image", prepared, "--json").stdout)["purses"]
    assert purse["balance_fen"] == 0


def test_every_readable_file_is_dumped_and_decoded(prepared):
    root, purse = json.loads(call("dump", "--image", prepared, "--json").stdout)

    assert (root["name"], purse["name"]) == ("master file", "T-Union purse")
    titles = {file["sfi"]: file["title"] for file in purse["files"]}
    assert titles["15"] == "Public application data"
    assert "15  Public application data" in call("dump", "--image", prepared).stdout


def test_a_sector_card_shows_its_number(tmp_path):
    file = tmp_path / "m1"
    file.write_bytes(SectorCard.blank(bytes.fromhex("04A1B2C3")).image())

    assert "04 A1 B2 C3" in call("read", "--image", file).stdout


def test_a_trace_goes_to_stderr(blank):
    done = call("apdu", "--image", blank, "--trace", "0084000004")

    assert "A>> 00 84 00 00 04" in done.stderr
    assert "A>>" not in done.stdout


def test_a_card_is_at_a_reader_or_in_a_file(blank):
    with pytest.raises(Exception, match="a card is in one place"):
        call("read", "--image", blank, "--reader", "0")


def test_the_readers_are_listed_with_the_cards_in_them(pcscd, blank):
    with VpcdSlot(read_card_file(blank).card(), port=pcscd.slots[3].port):
        with PcscReader(pcscd.slots[3].reader) as reader:
            reader.wait_for_card(10)
        listed = json.loads(call("readers", "--json").stdout)

    assert [one["name"] for one in listed] == [slot.reader for slot in pcscd.slots]
    assert [one["present"] for one in listed] == [False, False, False, True]
    assert listed[3]["atr"].startswith("3B88")


def test_a_card_at_a_real_reader_is_read_like_one_in_a_file(pcscd, prepared):
    with VpcdSlot(read_card_file(prepared).card(), port=pcscd.slots[3].port):
        done = call("read", "--reader", pcscd.slots[3].reader)

    assert done.stdout == call("read", "--image", prepared).stdout


def test_an_empty_reader_is_told_after_the_wait(pcscd):
    with pytest.raises(NoCardInReader, match=r"no card within 0\.2 seconds"):
        call("read", "--reader", pcscd.slots[2].reader, "--wait", "0.2")
