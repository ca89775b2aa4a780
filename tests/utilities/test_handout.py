"""The files of settlements: there after each run, the same for ever, and never one that does not agree."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import delete, text, update

from citycard.clearing.tables import statement
from citycard.store import writing
from citycard_utilities.dayfile import read_dayfile
from citycard_utilities.errors import SettlementDiffers, SettlementMissing
from citycard_utilities.handout import dayfile_of, dayfile_path, hand_out, missing_files
from citycard_utilities.importing import take_file
from citycard_utilities.paying import pay_bill
from citycard_utilities.returning import reverse
from citycard_utilities.tables import receipt

WATER = "water-works"


@pytest.fixture
def paid(town, settings, bill_file, due):
    """Pay a bill, and clear it."""
    take_file(town.city, settings, WATER, bill_file(("W1", "H1", 2000, due)), file="1.csv")
    done = pay_bill(town.city, settings, uuid4(), town.account(town.card(), 5_000), WATER, "W1")
    town.clear()
    return done.id


def test_a_biller_finds_its_file_after_the_run_and_it_is_the_same_after_a_reversal(town, settings, paid):
    data = dayfile_path(town.city, WATER, 1).read_bytes()
    assert read_dayfile(data, file="w").items[0].applied_fen == 2000
    reverse(town.city, settings, uuid4(), paid, reason="r", approved_by="a")
    assert dayfile_of(town.city, settings, WATER) == data
    assert hand_out(town.city, settings) == []


def test_a_file_that_was_lost_is_written_again(town, settings, paid):
    path = dayfile_path(town.city, WATER, 1)
    data = path.read_bytes()
    path.unlink()
    said = {check.record.name: told for check, told in town.city.plugins.health()}
    assert "--run 1" in said["settlements"]
    assert hand_out(town.city, settings) == [path]
    assert path.read_bytes() == data
    assert missing_files(town.city, settings) == []


def test_what_does_not_agree_is_not_handed_out(town, settings, paid):
    path = dayfile_path(town.city, WATER, 1)
    path.unlink()
    # A statement that says another gross than the ledger posted: somebody changed it.
    with writing(town.city.engine) as conn:
        for trigger in conn.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            if "statement" in trigger:
                conn.execute(text(f"DROP TRIGGER {trigger}"))
        conn.execute(update(statement).values(carried_fen=1999))
    with pytest.raises(SettlementDiffers, match="1999 fen"):
        dayfile_of(town.city, settings, WATER)
    assert hand_out(town.city, settings) == []
    assert not path.exists()


def test_a_receipt_that_is_lost_shows_as_other_money_of_the_same_sum(town, settings, paid):
    with writing(town.city.engine) as conn:
        conn.execute(delete(receipt))
    path = dayfile_path(town.city, WATER, 1)
    path.unlink()
    (item,) = read_dayfile(dayfile_of(town.city, settings, WATER), file="w").items
    assert (item.what, item.reference, item.amount_fen) == ("other", f"payment/{paid}", 2000)
    with pytest.raises(SettlementMissing):
        dayfile_of(town.city, settings, "gas-works")
