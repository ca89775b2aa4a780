from __future__ import annotations

from datetime import datetime

import pytest

from citycard.clearing.codes import State
from citycard.clearing.explanation import explain
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.errors import ArchiveDamaged, RecordUnknown

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE = "344000000001"


@pytest.fixture
def card(town):
    (card,) = town.issue(1)
    town.load(card, 10_000)
    town.tap(card, 200, AT)
    town.tap(card, 300, AT)
    return card


def test_a_record_is_explained_from_its_file_to_the_bank_line(town, card):
    name, data = town.batch()
    receive(town, [(name, data)])
    clear(town)
    found = explain(town, f"{GATE}-1-2")
    assert (name, 2, 2, 1) == (found.file.name, found.file.line, found.file.sequence, found.file.intake)
    assert data[40 + 128 : 40 + 256] == found.raw
    assert (card.asn, 300) == (found.record.asn, found.record.amount_fen)
    assert (found.proofs.tac, found.proofs.terminal_mac) == (True, True)
    assert (found.price.amount_fen, found.price.same_rules, found.price.failure) == (300, True, "")
    assert (
        found.outcome.run,
        found.outcome.state,
        found.outcome.code,
        found.outcome.parts,
    ) == (1, State.ACCEPTED, "OK", (("metro", 300),))
    assert [posted.transfer.amount_fen for posted in found.transfers] == [500, 500, 3, 497]
    assert [(line.partner, line.amount_fen) for line in found.bank] == [("metro", 497)]
    written = (town.folder / found.bank[0].file).read_text("utf-8")
    assert found.bank[0].end_to_end in written


def test_a_card_and_its_counter_lead_to_the_same_record(town, card):
    receive(town, [town.batch()])
    clear(town)
    assert explain(town, f"{GATE}-1-2") == explain(town, (card.asn, 1))


def test_a_record_that_waits_for_a_run_has_no_outcome_yet(town, card):
    receive(town, [town.batch()])
    found = explain(town, (card.asn, 0))
    assert (found.outcome, found.transfers, found.bank) == (None, (), ())


def test_a_rejected_record_shows_what_is_wrong_with_it(town, card):
    town.tap(card, 300, AT, tac=b"\1\2\3\4")
    receive(town, [town.batch()])
    clear(town)
    found = explain(town, f"{GATE}-1-3")
    assert (found.proofs.tac, found.outcome.code, found.transfers) == (False, "T01", ())


def test_rules_that_changed_since_are_said_to_have_changed(town, card):
    receive(town, [town.batch()])
    clear(town)
    town.rules_version = "rules-2"
    assert not explain(town, (card.asn, 0)).price.same_rules


@pytest.mark.parametrize("wrong", ["nonsense", f"{GATE}-1-9", f"{GATE}-2-1", ("31044400000000000009", 0)])
def test_a_record_that_nobody_handed_in_is_not_known(town, card, wrong):
    with pytest.raises(RecordUnknown):
        explain(town, wrong)
    receive(town, [town.batch()])
    with pytest.raises(RecordUnknown):
        explain(town, wrong)


def test_an_archive_that_was_damaged_is_noticed(town, card):
    receive(town, [town.batch()])
    (archive,) = (town.folder / "batches").glob("*.zip")
    archive.write_bytes(archive.read_bytes()[:200])
    with pytest.raises(ArchiveDamaged, match="missing or damaged"):
        explain(town, (card.asn, 0))
