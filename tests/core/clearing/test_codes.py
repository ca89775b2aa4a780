"""Every code of a record has a record here that ends with it."""

# Over 400 lines because each code has its test here, and the last test counts which were provoked.

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import pytest
from sqlalchemy import update

from citycard import registry
from citycard.card.enums import CardKind
from citycard.clearing.codes import Code, FileCode, State
from citycard.clearing.columns import PLACES
from citycard.clearing.context import Rating
from citycard.clearing.exceptions import find_exceptions
from citycard.clearing.intake import receive
from citycard.clearing.pricing import Quote
from citycard.clearing.queries import card_taps
from citycard.clearing.run import clear
from citycard.clearing.status import open_gaps
from citycard.clearing.tables import gap
from citycard.keys import Algorithm
from citycard.keys.purse import purchase_tac
from citycard.keys.suite import suite_of
from citycard.registry import CardStatus, OtherCity, TerminalStatus, add_city
from citycard.registry.sams import Sam, add_sam, revoke_sam
from citycard.store import writing
from citycard.terminal.record import MAC_OFFSET, RecordFlag, RecordKind

AT = datetime.fromisoformat("2018-09-01T07:00")
LATER = AT + timedelta(minutes=30)
GATE, SECOND = "344000000001", "344000000002"
PROVOKED: set[str] = set()


def cleared(town, *terminals, records=None):
    """Hand in, clear, and say how each code ended: name, state, how many."""
    for terminal in terminals or (GATE,):
        receive(town, [town.batch(terminal, records=records)])
    report = clear(town)
    PROVOKED.update(total.code for total in report.totals)
    PROVOKED.update(name for name, _ in report.notes)
    assert report.records == sum(total.records for total in report.totals)
    return {total.code: total.records for total in report.totals}


def test_ok(town, card):
    town.tap(card, 200, AT)
    assert cleared(town) == {"OK": 1}


def test_r01_a_time_that_is_none(town, card):
    raw = town.tap(card, 200, AT, keep=False)
    at = PLACES["at"].start
    assert cleared(town, records=[raw[:at] + b"\x20\x18\x99" + raw[at + 3 :]]) == {"R01": 1}


def test_r02_an_issuer_that_does_not_take_part(town, card):
    town.tap(card, 200, AT, issuer="0101310000FFFFFF")
    assert cleared(town) == {"R02": 1}


def test_r03_a_record_of_another_terminal(town, card):
    raw = town.tap(card, 200, AT, SECOND, keep=False)
    assert cleared(town, records=[raw]) == {"R03": 1}


@pytest.mark.parametrize("at", [AT - timedelta(days=40), AT + timedelta(days=2)])
def test_r04_too_long_ago_or_in_the_future(town, card, at):
    town.tap(card, 200, at)
    assert cleared(town) == {"R04": 1}


@pytest.mark.parametrize("day", [date.min, date.max])
def test_r04_a_batch_dated_by_a_terminal_that_lost_its_clock(town, card, day):
    town.tap(card, 200, AT)
    receive(town, [town.batch(day=day)])
    assert cleared(town, records=[]) == {"R04": 1}


def test_r05_an_amount_that_is_not_the_difference_of_the_balances(town, card):
    town.tap(card, 200, AT, balance_after_fen=9_000)
    assert cleared(town) == {"R05": 1}


def test_r05_an_amount_above_the_limit(town, card):
    town.terms = attrs.evolve(town.terms, amount_limit_fen=199)
    town.tap(card, 200, AT)
    assert cleared(town) == {"R05": 1}


def test_r06_a_type_of_transaction_that_is_no_debit(town, card):
    town.tap(card, 200, AT, tti=2)
    assert cleared(town) == {"R06": 1}


@pytest.mark.parametrize("algorithm", [3, 5, 9])
def test_r07_an_algorithm_nobody_knows(town, card, algorithm):
    town.tap(card, 200, AT, algorithm=algorithm)
    assert cleared(town) == {"R07": 1}


@pytest.mark.parametrize("algorithm", [Algorithm.AES, Algorithm.SM4])
def test_cards_of_before_and_after_a_roll_to_another_algorithm_are_ok(town, algorithm):
    old, new = town.issue(1, 2)
    town.load(old, 10_000)
    town.load(new, 10_000)
    town.tap(old, 200, AT)
    town.vault.roll("purchase", algorithm)
    serial, terminal6 = town.terminals[GATE].sam.serial + 1, bytes.fromhex(GATE)
    tac = purchase_tac(
        town.vault.card_key("tac", bytes.fromhex(new.asn)[-8:]),
        200,
        6,
        terminal6,
        serial,
        bytes.fromhex(f"{AT:%Y%m%d%H%M%S}"),
        suite=suite_of(algorithm),
    )
    town.tap(new, 200, AT, key_version=2, algorithm=int(algorithm), tac=tac)
    assert cleared(town) == {"OK": 2}


def test_r08_a_record_changed_after_the_terminal_signed_it(town, card):
    raw = town.tap(card, 200, AT, keep=False)
    forged = raw[: MAC_OFFSET - 1] + bytes([raw[MAC_OFFSET - 1] ^ 1]) + raw[MAC_OFFSET:]
    assert cleared(town, records=[forged]) == {"R08": 1}


def test_t01_a_tac_that_is_wrong(town, card):
    town.tap(card, 200, AT, tac=b"\1\2\3\4")
    assert cleared(town) == {"T01": 1}


def test_ok_a_card_taken_away_while_it_got_new_keys_has_the_new_tac_key_first(town, card):
    town.vault.roll("purchase")
    town.tap(card, 200, AT, key_version=1)
    assert cleared(town) == {"OK": 1}


def test_t01_a_tac_by_a_retired_version(town, card):
    raw = town.tap(card, 200, AT, key_version=2, keep=False)
    town.vault.roll("purchase")
    town.vault.retire("purchase", 1)
    town.terminals[GATE].records.append(raw)
    assert cleared(town) == {"T01": 1}


def test_t02_a_key_version_nobody_knows(town, card):
    town.tap(card, 200, AT, key_version=77)
    assert cleared(town) == {"T02": 1}


def test_t03_a_tac_whose_key_the_vault_cannot_use(token_town):
    (card,) = token_town.issue(1)
    token_town.load(card, 10_000)
    token_town.import_tac_key()
    token_town.tap(card, 200, AT, key_version=2)
    token_town.lose_tac_key()
    assert cleared(token_town) == {"T03": 1}


def test_t04_a_test_card_whose_debits_go_on_one_by_one(town):
    (card,) = town.issue(78, kind=CardKind.TEST)
    town.load(card, 10_000)
    town.tap(card, 200, AT)
    town.tap(card, 200, LATER)
    assert cleared(town) == {"T04": 2}
    assert not open_gaps(town)


@pytest.mark.parametrize("flags", [0, RecordFlag.UNPROVEN])
def test_t04_a_tac_by_a_key_that_was_for_tests(town, card, flags):
    raw = town.tap(card, 200, AT, flags=flags, keep=False)
    town.vault.roll("purchase")
    town.vault.retire("purchase", 1, test=True)
    town.terminals[GATE].records.append(raw)
    assert cleared(town) == {"T04": 1}


def test_g01_a_debit_without_a_tac(town, card):
    town.tap(card, 200, AT, tac=bytes(4), flags=RecordFlag.UNPROVEN)
    assert cleared(town) == {"G01": 1}


def test_g02_a_trip_whose_entry_nobody_saw(town, card):
    town.tap(card, 0, AT, kind=RecordKind.OPENED)
    town.tap(card, 300, LATER, kind=RecordKind.EXIT)
    assert cleared(town) == {"G02": 1, "OK": 1}


@pytest.mark.parametrize(("used", "code"), [(1, "G05"), (0, "G04")])
def test_g04_and_g05_a_debit_without_a_tac_by_how_the_card_went_on(town, card, used, code):
    town.tap(card, 200, AT, tac=bytes(4), flags=RecordFlag.UNPROVEN)
    card.counter, card.balance_fen = used, 10_000 - 200 * used
    town.tap(card, 300, LATER, SECOND)
    assert cleared(town, GATE, SECOND) == {code: 1, "OK": 1}


def test_d01_the_same_record_twice_in_a_run(town, card):
    raw = town.tap(card, 200, AT)
    town.terminals[GATE].records.append(raw)
    assert cleared(town) == {"OK": 1, "D01": 1}


def test_a_copy_in_another_terminals_batch_does_not_make_the_true_record_a_duplicate(town, card):
    raw = town.tap(card, 200, AT, SECOND)
    town.terminals[GATE].records.append(raw)
    assert cleared(town, GATE, SECOND) == {"R03": 1, "OK": 1}


def test_a_copy_dated_out_of_time_does_not_make_the_true_record_a_duplicate(town, card):
    raw = town.tap(card, 200, AT)
    receive(town, [town.batch(records=[raw], day=date(2018, 12, 1)), town.batch(records=[raw])])
    assert cleared(town) == {"OK": 1, "D01": 1}


def test_d03_a_terminal_that_uses_a_cards_proof_again_under_the_next_counter(town, card):
    """The TAC does not cover the counter: a terminal could hand in one debit as often as it likes."""
    town.tap(card, 200, AT)
    town.terminals[GATE].sam.serial -= 1
    town.tap(card, 200, AT)
    card.counter, card.balance_fen = 1, 9_800
    town.tap(card, 300, LATER, SECOND)
    assert cleared(town, GATE, SECOND) == {"OK": 2, "D03": 1}


def test_d02_two_debits_under_one_counter(town, card):
    town.tap(card, 200, AT)
    card.counter, card.balance_fen = 0, 10_000
    town.tap(card, 300, LATER, SECOND)
    assert cleared(town, GATE, SECOND) == {"OK": 1, "D02": 1}


def test_d02_another_debit_under_a_counter_of_an_earlier_run(town, card):
    town.tap(card, 200, AT)
    assert cleared(town) == {"OK": 1}
    card.counter, card.balance_fen = 0, 10_000
    town.tap(card, 300, LATER, SECOND)
    assert cleared(town, SECOND) == {"D02": 1}


def test_d04_the_same_record_in_a_later_run(town, card):
    raw = town.tap(card, 200, AT)
    assert cleared(town) == {"OK": 1}
    assert cleared(town, records=[raw]) == {"D04": 1}


def test_b01_and_b02_a_listed_card_by_the_list_that_the_terminal_held(town, card):
    with writing(town.engine) as conn:
        registry.blacklist_cards(conn, [card.asn], reason="lost")
        registry.publish_blacklist(conn, at=town.clock.now() - timedelta(days=1))
    town.tap(card, 200, AT, blacklist=0)
    town.tap(card, 200, LATER, blacklist=1)
    assert cleared(town) == {"B02": 1, "B01": 1}


def test_a_tap_before_the_card_was_listed_is_in_order(town, card):
    with writing(town.engine) as conn:
        registry.blacklist_cards(conn, [card.asn], reason="lost")
        registry.publish_blacklist(conn, at=town.clock.now())
    town.tap(card, 200, AT, blacklist=0)
    assert cleared(town) == {"OK": 1}


def test_b03_a_card_nobody_issued(town, card):
    town.tap(attrs.evolve(card, asn="31044400009999999999"), 200, AT)
    assert cleared(town) == {"B03": 1}


def test_b03_a_card_only_after_it_was_closed(town, card):
    with writing(town.engine) as conn:
        registry.set_card_status(
            conn,
            card.asn,
            CardStatus.RETURNED,
            reason="refund",
            at=town.clock.now() - timedelta(hours=15, minutes=45),
        )
    town.tap(card, 200, AT)
    town.tap(card, 200, LATER)
    assert cleared(town) == {"OK": 1, "B03": 1}


def test_b04_a_card_from_the_day_after_its_last(town):
    (card,) = town.issue(77, expires_on=AT.date())
    town.load(card, 10_000)
    town.tap(card, 200, AT)
    town.tap(card, 200, AT + timedelta(days=1))
    assert cleared(town) == {"OK": 1, "B04": 1}


def test_b05_a_terminal_revoked_after_it_handed_in(town, card):
    town.tap(card, 200, AT)
    receive(town, [town.batch()])
    with writing(town.engine) as conn:
        registry.set_terminal_status(conn, GATE, TerminalStatus.REVOKED)
    PROVOKED.add("B05")
    assert {total.state: total.records for total in clear(town).totals} == {State.SUSPENDED: 1}


def test_b06_only_what_a_terminal_recorded_after_its_sam_was_revoked(town, card):
    town.tap(card, 200, AT)
    town.tap(card, 300, LATER)
    with writing(town.engine) as conn:
        sam = Sam(number=GATE.zfill(20), terminal=GATE, issued_at=town.clock.now())
        add_sam(conn, sam)
        # The clearing is next morning; the first tap was before this moment, the second after it.
        between = (AT + (LATER - AT) / 2).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
        revoke_sam(conn, sam.number, reason="stolen", at=between)
    assert cleared(town) == {"OK": 1, "B06": 1}


def test_c01_and_l01_a_record_that_is_missing_and_comes_late(town, card):
    town.tap(card, 200, AT)
    missing = town.tap(card, 300, AT + timedelta(minutes=5), keep=False)
    town.tap(card, 400, LATER)
    assert cleared(town) == {"OK": 1, "C01": 1}
    assert [("card", card.asn, 1, 1, 300)] == [
        (gap.kind, gap.owner, gap.first, gap.last, gap.estimate_fen)
        for gap in open_gaps(town, owner=card.asn)
    ]
    assert cleared(town, records=[missing]) == {"L01": 1}
    assert open_gaps(town, owner=card.asn) == ()


def test_c02_a_counter_that_went_back_to_one_that_was_written_off(town, card):
    card.counter = 5
    town.tap(card, 200, AT)
    assert cleared(town) == {"C01": 1}
    with writing(town.engine) as conn:
        conn.execute(update(gap).where(gap.c.owner == card.asn).values(closed_run=1))
    card.counter, card.balance_fen = 3, 10_000
    town.tap(card, 100, LATER, SECOND)
    assert cleared(town, SECOND) == {"C02": 1}


def test_c03_a_balance_that_nobody_loaded(town, card):
    town.tap(card, 200, AT)
    card.balance_fen += 5_000
    town.tap(card, 200, LATER)
    assert cleared(town) == {"OK": 1, "C03": 1}


def test_c04_the_debit_with_which_a_card_spent_more_than_it_was_given_is_paid_and_is_work(town, card):
    town.tap(card, 9_000, AT)
    card.balance_fen += 5_000
    town.tap(card, 300, AT + timedelta(minutes=5))
    town.tap(card, 900, AT + timedelta(minutes=10))
    town.tap(card, 400, AT + timedelta(minutes=15))
    town.tap(card, 400, LATER, SECOND)
    assert cleared(town) == {"OK": 2, "C03": 1, "C04": 1}
    assert cleared(town, SECOND) == {"OK": 1}
    assert town.purse_fen(card) == -700
    assert [(one.code, one.amount_fen) for one in find_exceptions(town, code=Code.C04)] == [("C04", 400)]


def test_p01_a_price_that_differs_is_paid_as_charged_and_noted(town, card):
    town.tap(card, 200, AT, list_price_fen=250)
    receive(town, [town.batch()])
    report = clear(town)
    PROVOKED.add("P01")
    assert (
        [(total.code, total.amount_fen) for total in report.totals],
        report.price_difference_fen,
        report.gross_fen,
    ) == ([("P01", 200)], -50, 200)


def test_p02_a_service_that_nobody_prices(town, card):
    def broken(record):
        raise KeyError(record.service)

    town.rate = broken
    town.tap(card, 200, AT)
    assert cleared(town) == {"P02": 1}


def test_p03_a_price_that_differs_too_much(town, card):
    town.terms = attrs.evolve(town.terms, price_limit_fen=100)
    town.tap(card, 200, AT, list_price_fen=301)
    assert cleared(town) == {"P03": 1}


def test_x01_a_card_of_another_city_waits_for_its_issuer(town, card):
    theirs = "0101344100FFFFFF"
    city = OtherCity(code="3441", name="Next", issuers=(theirs,), valid_from=AT.date())
    with writing(town.engine) as conn:
        add_city(conn, city)
    guest = attrs.evolve(card, asn="31044410000000000001")
    town.tap(guest, 200, AT, issuer=theirs)
    assert cleared(town) == {"X01": 1}


def test_findings_beside_the_deciding_code_are_kept_as_notes(town, card):
    card.counter = 3
    town.rate = lambda _record: Rating(quote=Quote(amount_fen=150, steps=(), rules_version="1"))
    town.tap(card, 200, AT)
    assert cleared(town) == {"C01": 1}
    (tap,) = card_taps(town, card.asn)
    assert (tap.code, tap.notes) == ("C01", ("P01",))


def test_q01_and_q02_records_missing_from_a_terminal_and_a_terminal_that_was_reset(town, card):
    town.tap(card, 200, AT)
    receive(town, [town.batch()])
    town.terminals[GATE].next_sequence += 3
    town.tap(card, 200, LATER)
    receive(town, [town.batch()])
    assert ("Q01", 3) in clear(town).notes
    assert [(g.kind, g.owner, g.first, g.last) for g in open_gaps(town, owner=GATE)] == [
        ("terminal", GATE, 2, 4)
    ]
    town.terminals[GATE].next_sequence = 1
    town.tap(card, 200, LATER)
    receive(town, [town.batch()])
    assert ("Q02", 1) in clear(town).notes


def test_every_code_was_provoked_above():
    if PROVOKED:
        assert set() == set(Code.__members__) - PROVOKED


def test_the_page_lists_every_code_with_its_state():
    page = (Path(__file__).parents[3] / "docs/clearing.md").read_text("utf-8")
    for code in Code:
        assert f"| {code.state} | {code.name} |" in page
    for file_code in FileCode:
        assert f"| {file_code} |" in page
