"""A city's card at a real reader: loaded, paid with, torn, verified, and its records cleared and settled."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from citycard import registry
from citycard.city import City
from citycard.city.genuine import verify_card
from citycard.city.handheld import Handheld
from citycard.clearing.codes import Code
from citycard.clearing.explanation import explain
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.cli.card import group as card_group
from citycard.cli.cardfile import read_card_file, write_card_file
from citycard.cli.chip import group as chip_group
from citycard.errors import (
    CardRefused,
    CardRemoved,
    LoadRefused,
    ReaderFailed,
    RegistryMissing,
    TerminalInvalid,
)
from citycard.pcsc import PcscReader, TracedReader, VpcdSlot
from citycard.store import writing
from citycard.terminal import InProcessReader, RecordKind, RecordPlan, read_batch, read_record
from citycard.testing.readers import TakenAway

TEMPLATE = Path(__file__).parents[2] / "examples" / "morning" / "city.toml"
TERMINAL = "990100000001"
ASN = "00000000000000000001"


@pytest.fixture
def city(tmp_path):
    made = City.create(tmp_path / "city", TEMPLATE)
    with writing(made.engine) as conn:
        gate = registry.Terminal(number=TERMINAL, partner="haibin-metro", opened_on=dt.date(2026, 1, 1))
        registry.add_terminals(conn, [gate])
    yield made
    made.close()


@pytest.fixture
def card(city):
    on = city.now_local().date()
    chip = city.issuing.chip(ASN, "standard", on)
    with writing(city.engine) as conn:
        registry.add_cards(conn, [city.issuing.card(ASN, "standard", on)])
    return chip


@pytest.fixture
def slot(pcscd, card):
    with VpcdSlot(card, port=pcscd.slots[0].port) as one:
        yield one


@pytest.fixture
def reader(pcscd, slot):
    with PcscReader(pcscd.slots[0].reader) as one:
        one.wait_for_card(10)
        yield one


def balance_fen(reader):
    reader.connect()
    reader.transmit(bytes.fromhex("00A4040008A000000632010105"))
    return int.from_bytes(reader.transmit(bytes.fromhex("805C000204"))[:4], "big")


def wrong(checks):
    return {check.name for check in checks if check.ok is False}


def test_a_card_is_loaded_and_pays_at_a_reader_and_its_records_are_signed(city, reader):
    with Handheld(city, TERMINAL) as handheld:
        assert handheld.load(reader, 5000).balance_after_fen == 5000
        first = handheld.pay(reader, 250)
        second = handheld.pay(reader, 300)

    assert balance_fen(reader) == 4450
    batches = [read_batch(paid.batch.read_bytes()) for paid in (first, second)]
    assert [batch.header.number for batch in batches] == [1, 2]
    assert [batch.header.first_sequence for batch in batches] == [1, 2]
    records = [read_record(batch.records[0]) for batch in batches]
    assert [record.amount_fen for record in records] == [250, 300]
    assert records[0].kind is RecordKind.SINGLE
    assert records[0].terminal_serial < records[1].terminal_serial


@pytest.mark.parametrize("writes", [0, 1, 5, 6, 7, 12])
def test_a_load_that_is_torn_is_found_out_at_the_next_tap_and_made_once(city, reader, slot, writes):
    with Handheld(city, TERMINAL) as handheld:
        slot.tear(writes, torn=True)
        try:
            handheld.load(reader, 5000)
        except CardRemoved:
            slot.wait_removed()
            slot.insert()
            reader.wait_for_card(10)
            handheld.load(reader, 5000)

    assert balance_fen(reader) == 5000


@pytest.mark.parametrize("writes", [0, 1, 5, 6, 7, 12])
def test_a_purchase_that_is_torn_is_found_out_at_the_next_tap_and_charged_once(city, reader, slot, writes):
    with Handheld(city, TERMINAL) as handheld:
        handheld.load(reader, 5000)
        slot.tear(writes, torn=True)
        try:
            paid = handheld.pay(reader, 250)
        except CardRemoved:
            slot.wait_removed()
            slot.insert()
            reader.wait_for_card(10)
            paid = handheld.pay(reader, 250)

    assert balance_fen(reader) == 4750
    record = read_record(read_batch(paid.batch.read_bytes()).records[0])
    assert (record.amount_fen, record.balance_after_fen) == (250, 4750)


@pytest.mark.parametrize("answered", [False, True])
def test_a_service_that_dies_in_the_middle_of_a_debit_charges_once(city, card, pcscd, answered):
    class Fatal(TracedReader):
        """The service dies around the first debit: before the card gets it, or before the answer is back."""

        died = False

        def transmit(self, apdu):
            if apdu[:2] != b"\x80\x54" or Fatal.died:
                return super().transmit(apdu)
            Fatal.died = True
            if answered:
                super().transmit(apdu)
            pcscd.stop(kill=True)
            return super().transmit(apdu)

    with (
        VpcdSlot(card, port=pcscd.slots[0].port),
        PcscReader(pcscd.slots[0].reader) as reader,
        Handheld(city, TERMINAL) as handheld,
    ):
        reader.wait_for_card(10)
        handheld.load(reader, 5000)
        with pytest.raises(ReaderFailed):
            handheld.pay(Fatal(reader, lambda _line: None), 250)
        pcscd.start()
        reader.wait_for_card(10)
        paid = handheld.pay(reader, 250)
        assert paid.debit.recovered is answered
        assert balance_fen(reader) == 4750


def test_a_terminal_that_dies_before_its_batch_is_written_takes_the_record_at_the_next_tap(
    city, card, monkeypatch
):
    reader = InProcessReader(card)
    with Handheld(city, TERMINAL) as handheld:
        handheld.load(reader, 5000)
        with monkeypatch.context() as dying:
            dying.setattr(Handheld, "_hand_in", lambda *_: (_ for _ in ()).throw(OSError("no room")))
            with pytest.raises(OSError, match="no room"):
                handheld.pay(reader, 250)
    with Handheld(city, TERMINAL) as handheld:
        paid = handheld.pay(reader, 250)

    assert paid.debit.recovered
    assert balance_fen(reader) == 4750


def test_a_load_over_the_limit_and_a_purchase_over_the_balance_change_nothing(city, card):
    reader = InProcessReader(card)
    with Handheld(city, TERMINAL) as handheld:
        with pytest.raises(LoadRefused, match="purse would hold 9999900 fen, more than 100000"):
            handheld.load(reader, 9_999_900)
        with pytest.raises(CardRefused, match="balance is too small"):
            handheld.pay(reader, 1)

    assert balance_fen(reader) == 0


def test_a_purchase_that_clearing_would_reject_for_its_amount_is_refused_at_the_till(city, card):
    config = city.folder / "city.toml"
    config.write_text(config.read_text().replace("[clearing]", "[clearing]\namount_limit_fen = 5000"))
    again, reader = City.open(city.folder), InProcessReader(card)
    assert again.terms.amount_limit_fen == 5000
    with Handheld(again, TERMINAL) as handheld:
        handheld.load(reader, 10_000)
        with pytest.raises(CardRefused, match=r"\(amount\)"):
            handheld.pay(reader, 5001)
        assert balance_fen(reader) == 10_000
        assert handheld.pay(reader, 5000).debit.balance_after_fen == 5000
    again.close()


def test_only_a_registered_terminal_can_be_used_and_by_one_program_at_a_time(city):
    with pytest.raises(RegistryMissing):
        Handheld(city, "990100000009")
    with (
        Handheld(city, TERMINAL),
        pytest.raises(TerminalInvalid, match="another program"),
        Handheld(city, TERMINAL),
    ):
        pass


def test_a_genuine_card_passes_every_check(city, reader):
    with Handheld(city, TERMINAL) as handheld:
        handheld.load(reader, 5000)
        handheld.pay(reader, 250)
    before = balance_fen(reader)
    checks = verify_card(city, reader)

    assert wrong(checks) == set()
    assert {check.name for check in checks if check.ok} >= {
        "files",
        "registry",
        "blacklist",
        "internal-key",
        "load-key",
        "purchase-key",
        "load-log",
        "purchase-log",
    }
    assert balance_fen(reader) == before


def test_a_card_of_another_citys_keys_is_found_out(city, card, tmp_path):
    # Made by a city of the same name and issuer, with other keys: everything readable is right.
    other = City.create(tmp_path / "other", TEMPLATE)
    forged = other.issuing.chip(ASN, "standard", city.now_local().date())
    other.close()

    assert wrong(verify_card(city, InProcessReader(forged))) == {"internal-key", "load-key"}


def test_a_blocked_and_a_strange_card_are_found_out(city, card):
    with writing(city.engine) as conn:
        registry.blacklist_cards(conn, [ASN], reason="lost")
        registry.publish_blacklist(conn)
    strange = city.issuing.chip("00000000000000000002", "standard", city.now_local().date())

    assert wrong(verify_card(city, InProcessReader(card))) == {"blacklist"}
    assert wrong(verify_card(city, InProcessReader(strange))) == {"registry"}


def test_the_commands_do_the_same(city, tmp_path):
    file = tmp_path / "anna.card"

    def call(group, *words):
        words = [*map(str, words), "--city", str(city.folder), "--json"]
        done = CliRunner().invoke(group, words, standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return json.loads(done.stdout)

    call(chip_group, "new", file, "--product", "standard", "--asn", ASN)
    at = ("--image", file, "--terminal", TERMINAL)
    loaded = call(card_group, "load", "50", *at)
    paid = call(card_group, "pay", "2.50", *at, "--service", "bus")
    verified = call(card_group, "verify", "--image", file)

    assert (loaded["balance_after_fen"], paid["balance_after_fen"]) == (5000, 4750)
    assert verified["genuine"]

    unpriced = call(card_group, "pay", "2.50", *at)
    assert paid["warning"] is None
    assert "P02: no rule gives a price" in unpriced["warning"]
    assert "pay with --service and one of: bus, metro" in unpriced["warning"]


@pytest.mark.parametrize(("amount", "refused"), [("3.00", False), ("48.00", True)])
def test_the_command_tells_of_an_earlier_purchase_and_its_file_also_where_the_new_one_is_refused(
    city, tmp_path, amount, refused
):
    file = tmp_path / "anna.card"
    words = ["new", file, "--product", "standard", "--asn", ASN, "--city", city.folder]
    CliRunner().invoke(chip_group, [*map(str, words)], catch_exceptions=False)
    made = read_card_file(file, None)
    torn = made.card()
    with Handheld(city, TERMINAL) as handheld:
        handheld.load(InProcessReader(torn), 5000)
        with pytest.raises(CardRemoved):
            handheld.pay(TakenAway(InProcessReader(torn)), 250)
    write_card_file(file, made.holding(torn.image()))

    at = ["--image", str(file), "--terminal", TERMINAL, "--city", str(city.folder)]
    done = CliRunner().invoke(card_group, ["pay", amount, *at, "--json"])

    batch = str(city.folder / "terminals" / TERMINAL / f"{TERMINAL}-000001.ccb")
    assert "another purchase of this card, of 2.50 yuan, had been torn: it was done" in done.stderr
    assert batch in done.stderr
    assert read_record(read_batch(Path(batch).read_bytes()).records[0]).amount_fen == 250
    assert (done.exception is not None) is refused
    if not refused:
        told = json.loads(done.stdout)
        assert (told["finished_fen"], told["earlier_batch"]) == (250, batch)
        assert told["batch"] != batch


def test_the_till_says_beforehand_what_clearing_will_find_about_the_price(city, card):
    reader = InProcessReader(card)
    (bus,) = (owned.record.number for owned in city.plugins.services() if owned.record.name == "bus")
    plans = [RecordPlan(), RecordPlan(service=bus, list_price_fen=250), RecordPlan(service=bus)]
    with Handheld(city, TERMINAL) as handheld:
        handheld.load(reader, 5000)
        paid = [handheld.pay(reader, 250, plan) for plan in plans]
        told = [handheld.priced(one)[0] for one in paid]
    receive(city, [one.batch for one in paid])
    clear(city)
    found = [explain(city, f"{TERMINAL}-{number}-1").outcome.code for number in (1, 2, 3)]

    assert told[0] is Code.P02
    assert ["OK" if code is None else code.name for code in told] == [str(code) for code in found]
