"""The recovery table R0 to R9, rule by rule, and the three bugs that a field reader is known to have."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard.errors import SectorCardRefused
from citycard.mifare.crc import seal_x25
from citycard.mifare.layouts import History, PurseInfo, sealed
from citycard.mifare.plan import CHANGSHA, CONSTRUCTION
from citycard.mifare.recovery import CardCopies, CopyPurse, WriteBlock, counted, recover
from citycard.mifare.value import ValueBlock

DAY = dt.date(2018, 9, 1)
TORN = b"\x55" * 16
JOURNEY, OTHER = seal_x25(b"J" * 14), seal_x25(b"O" * 14)
OLD = PurseInfo(flag=0x13, kind=3, public_count=7, other_count=2, on=DAY)
STARTED = PurseInfo(flag=0x11, kind=3, public_count=8, other_count=2, on=DAY)
FINISHED = PurseInfo(flag=0x13, kind=3, public_count=8, other_count=2, on=DAY)
EMPTY = PurseInfo()


def block(held):
    if isinstance(held, int):
        return ValueBlock(value=held).encode()
    return sealed(held) if isinstance(held, PurseInfo) else held


def mend(public=(500, 500), info=(OLD, OLD), dedicated=(0, 0), metro=(JOURNEY, JOURNEY), undo=None):
    copies = CardCopies(
        purses=(tuple(map(block, public)), tuple(map(block, dedicated))),
        info=tuple(map(block, info)),
        metro=metro,
        undo_balance_fen=undo,
    )
    return recover(CHANGSHA, copies)


def info(number, record):
    return WriteBlock(number, sealed(record))


FORWARD, BACK = CopyPurse(8, 9), CopyPurse(9, 8)


def test_a_whole_card_is_left_alone():
    found = mend()
    assert (found.rules, found.steps, found.balances, found.info) == ((), (), (500, 0), OLD)


def test_r0_refuses_a_card_both_copies_of_whose_purse_are_damaged():
    with pytest.raises(SectorCardRefused, match=r"purse-damaged.*E5"):
        mend(public=(TORN, TORN))


def test_r1_rolls_a_purse_back_that_was_torn_in_transfer():
    found = mend(public=(TORN, 500), info=(STARTED, OLD))
    assert found.rules == ("R1", "R6'")
    assert found.steps == (BACK, info(36, OLD))
    assert (found.balances, found.finished) == ((500, 0), None)


def test_r1_repairs_a_torn_backup():
    found = mend(public=(400, TORN), info=(FINISHED, OLD))
    assert found.rules == ("R1", "R7")
    assert found.steps == (FORWARD, info(37, FINISHED))


def test_r2_undoes_what_this_reader_told_the_passenger_had_failed():
    found = mend(public=(400, 500), info=(STARTED, OLD), undo=400)
    assert found.rules == ("R2", "R6'")
    assert found.steps == (BACK, info(36, OLD))
    assert found.balances == (500, 0)


def test_r2_leaves_a_card_alone_that_shows_another_balance():
    assert mend(public=(400, 500), info=(STARTED, OLD), undo=300).rules == ("R6",)


def test_r3_starts_with_empty_information_where_both_are_damaged():
    found = mend(info=(TORN, TORN))
    assert found.rules == ("R3",)
    assert found.steps == (info(36, EMPTY), info(37, EMPTY))


def test_r4_finishes_a_debit_whose_information_was_torn():
    found = mend(public=(400, 500), info=(TORN, OLD))
    assert found.rules == ("R4",)
    assert found.steps == (info(36, FINISHED), FORWARD, info(37, FINISHED))
    assert (found.finished, found.amount_fen) == (0, 100)


def test_r4_takes_the_day_from_the_line_of_history_that_found_the_old_balance():
    history = History(
        kind=3, operator="3000", terminal="89000340", on="180905", balance_before_fen=500, amount_fen=100
    )
    copies = CardCopies(
        purses=((block(400), block(500)), (block(0), block(0))),
        info=(TORN, block(OLD)),
        metro=(JOURNEY, JOURNEY),
        history=(sealed(history),),
    )
    assert recover(CHANGSHA, copies).info.on == dt.date(2018, 9, 5)


def test_r4_finishes_a_load_as_a_load():
    assert mend(public=(600, 500), info=(TORN, OLD)).info.kind == 1


def test_r4_without_a_debit_takes_the_old_information_back():
    found = mend(info=(TORN, OLD))
    assert (found.rules, found.steps) == (("R4'",), (info(36, OLD),))


def test_r4_looks_at_the_purse_that_was_charged_and_not_only_at_the_last_kind():
    found = mend(dedicated=(20, 21), info=(TORN, OLD))
    assert found.rules == ("R4",)
    assert (found.info.kind, found.info.other_count, found.info.public_count) == (4, 3, 7)


def test_r5_repairs_backup_information():
    found = mend(info=(FINISHED, TORN))
    assert (found.rules, found.steps) == (("R5",), (info(37, FINISHED),))


def test_r6_finishes_a_debit_that_was_under_way():
    found = mend(public=(400, 500), info=(STARTED, OLD))
    assert found.rules == ("R6",)
    assert found.steps == (info(36, FINISHED), FORWARD, info(37, FINISHED))
    assert (found.finished, found.amount_fen) == (0, 100)


def test_r6_without_a_debit_takes_the_old_information_back():
    found = mend(info=(STARTED, OLD))
    assert (found.rules, found.steps) == (("R6'",), (info(36, OLD),))


def test_r7_finishes_the_copies_of_a_debit_that_is_done():
    found = mend(public=(400, 500), info=(FINISHED, OLD))
    assert (found.rules, found.steps) == (("R7",), (FORWARD, info(37, FINISHED)))
    again = mend(public=(400, 400), info=(FINISHED, OLD))
    assert (again.rules, again.steps) == (("R7",), (info(37, FINISHED),))


def test_r8_copies_a_purse_where_only_that_is_missing():
    found = mend(public=(400, 500), info=(FINISHED, FINISHED))
    assert (found.rules, found.steps) == (("R8",), (FORWARD,))


@pytest.mark.parametrize(
    ("metro", "wins", "mended"),
    [
        ((TORN, JOURNEY), JOURNEY, [44]),
        ((JOURNEY, TORN), JOURNEY, [45]),
        ((TORN, TORN), seal_x25(bytes(14)), [44, 45]),
    ],
)
def test_r9_takes_the_journey_whose_checksum_is_good(metro, wins, mended):
    found = mend(metro=metro)
    assert found.rules == ("R9",)
    assert found.steps == tuple(WriteBlock(number, wins) for number in mended)
    assert found.metro == wins


def test_r9_takes_the_journey_back_before_the_information_when_there_was_no_debit():
    found = mend(info=(STARTED, OLD), metro=(OTHER, JOURNEY))
    assert found.rules == ("R6'", "R9")
    assert found.steps == (WriteBlock(44, JOURNEY), info(36, OLD))


def test_flags_are_the_plans_own():
    done = PurseInfo(flag=2, kind=3, public_count=1)
    copies = CardCopies(
        purses=((block(400), block(500)), (block(0), block(0))),
        info=(sealed(PurseInfo(flag=1, kind=3, public_count=1)), sealed(PurseInfo())),
    )
    assert recover(CONSTRUCTION, copies).info == done


# ── three bugs of a reader in the field, and what is right ──


def test_bug_1_a_dedicated_purse_counts_its_own_trades_and_not_the_public_ones():
    after = counted(OLD, 1, kind=4, flag=0x12)
    assert (after.public_count, after.other_count) == (7, 3)


def test_bug_2_a_dedicated_debit_is_copied_to_its_backup_although_no_write_failed():
    started = PurseInfo(flag=0x12, kind=4, public_count=7, other_count=3, on=DAY)
    found = mend(dedicated=(20, 21), info=(started, OLD))
    assert found.rules == ("R6",)
    assert CopyPurse(16, 17) in found.steps
    assert (found.info.flag, found.balances) == (0x14, (500, 20))


def test_bug_3_two_good_journeys_that_differ_are_noticed_and_the_main_one_wins():
    found = mend(metro=(OTHER, JOURNEY))
    assert (found.rules, found.steps) == (("R9",), (WriteBlock(45, OTHER),))
