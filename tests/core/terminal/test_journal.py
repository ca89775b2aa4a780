from __future__ import annotations

import datetime as dt

import attrs
import pytest

from citycard.errors import CardRemoved, JournalDamaged
from citycard.terminal import FileJournal, InProcessReader, Journal, RecordKind, RecordPlan, TornDebit

AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
NOTE = TornDebit(
    asn="03105170070104791381",
    issuer="01015840FFFFFFFF",
    card_kind=1,
    counter=7,
    balance_before_fen=1000,
    amount_fen=385,
    tti=9,
    serial=17,
    key_version=1,
    algorithm=0,
    terminal="300089000340",
    at=AT,
    plan=RecordPlan(kind=RecordKind.ENTRY, service=3, facts=b"\x00\xff"),
)


def test_a_card_has_one_open_debit_and_one_open_load() -> None:
    journal = Journal()
    load = attrs.evolve(NOTE, tti=2)
    journal.note(NOTE)
    journal.note(load, load=True)
    assert (journal.find(NOTE.asn), journal.find(NOTE.asn, load=True)) == (NOTE, load)
    assert journal.open_debits() == (NOTE,)
    journal.remove(NOTE.asn)
    journal.remove(NOTE.asn)
    assert (journal.find(NOTE.asn), len(journal)) == (None, 1)


def test_notes_outlive_the_terminals_loss_of_power(tmp_path) -> None:
    path = tmp_path / "journal"
    before = FileJournal(path)
    before.note(NOTE)
    before.note(attrs.evolve(NOTE, asn="03105170070104791382"))
    before.remove(NOTE.asn)
    before.note(attrs.evolve(NOTE, tti=2), load=True)
    before.close()
    after = FileJournal(path)
    assert after.find(NOTE.asn) is None
    assert after.find("03105170070104791382") == attrs.evolve(NOTE, asn="03105170070104791382")
    assert after.find(NOTE.asn, load=True) == attrs.evolve(NOTE, tti=2)
    after.close()
    assert len(path.read_text().splitlines()) == 2


def test_a_line_cut_off_in_writing_is_dropped(tmp_path) -> None:
    path = tmp_path / "journal"
    journal = FileJournal(path)
    journal.note(NOTE)
    journal.close()
    whole = path.read_text()
    path.write_text(whole + whole[: len(whole) // 2])
    journal = FileJournal(path)
    assert journal.open_debits() == (NOTE,)
    journal.close()


@pytest.mark.parametrize("line", ["", "{}", "7", '{"done": 3}', '{"load": false, "asn": "1"}'])
def test_a_damaged_line_is_named(tmp_path, line: str) -> None:
    path = tmp_path / "journal"
    journal = FileJournal(path)
    journal.note(NOTE)
    journal.close()
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(JournalDamaged, match="line 2, is not a note of a torn card"):
        FileJournal(path)


def test_a_terminal_that_restarts_still_charges_once(card, make_terminal, tmp_path) -> None:
    class LostAnswer(InProcessReader):
        def transmit(self, apdu: bytes) -> bytes:
            answer = super().transmit(apdu)
            if apdu[:2] == b"\x80\x54":
                raise CardRemoved(during="test")
            return answer

    journal = FileJournal(tmp_path / "journal")
    session = make_terminal(journal=journal).tap(LostAnswer(card), AT)
    with pytest.raises(CardRemoved):
        session.purchase(385, AT, plan=RecordPlan(service=3))
    journal.close()

    journal = FileJournal(tmp_path / "journal")
    restarted = make_terminal(journal=journal)
    view = restarted.tap(InProcessReader(card), AT).view
    assert view.recovered is not None
    assert view.recovered.plan.service == 3
    assert view.balance_fen == 10_000 - 385
    assert len(restarted.records) == 1
    assert len(journal) == 0
    journal.close()


def test_counters_are_remembered_through_a_loss_of_power(tmp_path) -> None:
    journal = FileJournal(tmp_path / "journal")
    journal.saw("03105170070104791381", 7)
    journal.saw("03105170070104791381", 8)
    journal.close()
    again = FileJournal(tmp_path / "journal")
    assert again.highest("03105170070104791381") == 8
    assert again.highest("03105170070104791382") == 0
    again.close()
    assert (tmp_path / "journal").read_text() == '{"seen": "03105170070104791381", "counter": 8}\n'


def test_only_the_cards_seen_last_are_remembered() -> None:
    journal = Journal(cards=2)
    for asn in ("1", "2", "1", "3"):
        journal.saw(asn, 5)
    assert [journal.highest(asn) for asn in ("1", "2", "3")] == [5, 0, 5]
