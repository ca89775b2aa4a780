"""What people do with records that another city handed in: they explain, decide and dispute them."""

from __future__ import annotations

from uuid import UUID

import attrs
import pytest
from twocities import carry, lie, open_terminal, pay

from citycard.clearing import clear, explain
from citycard.clearing.casecodes import Party, Ruling
from citycard.clearing.codes import Code
from citycard.clearing.columns import PLACES
from citycard.clearing.deciding import Decision, decide, take
from citycard.clearing.disputes import Claim, open_dispute
from citycard.clearing.exceptions import exception_of, find_exceptions
from citycard.clearing.status import status
from citycard.cli.clearing_story import story
from citycard.errors import DisputeRefused, RecordUnknown
from citycard.exchange.format import read_file, write_file
from citycard.exchange.receiving import receive as receive_files
from citycard.exchange.sending import send
from citycard.ids import new_id
from citycard.store import reading
from citycard.terminal.record import RecordFlag
from citycard.wallet.addresses import payable_of


def record(side, line):
    """Give the id, at the issuer, of a record in the first file of a city."""
    return f"00000000{side.code}-1-{line}"


def came(sides):
    """Let East hand in three records of West's cards: two in order, and one with a wrong TAC."""
    east, west = sides
    open_terminal(east, west)
    pay(east, west, 0, 350)
    pay(east, west, 1, 200)
    lie(east)
    pay(east, west, 2, 120)
    east.hand_in()
    clear(east.city)
    return carry(east, west)


def test_a_record_of_another_citys_file_is_explained_from_its_file_to_its_postings(sides):
    east, west = sides
    (file,) = came(sides)
    before = explain(west.city, record(east, 1))
    assert (before.outcome, before.file.name, before.file.digest) == (None, file.name, file.digest)
    clear(west.city)
    found = explain(west.city, record(east, 1))
    assert (found.outcome.run, found.outcome.code) == (1, "OK")
    assert found.outcome.parts == ((f"city/{east.code}", 350),)
    assert (found.file.archive, found.file.sequence) == (file.path, None)
    assert (found.proofs.tac, found.proofs.terminal_mac, found.price) == (True, None, None)
    assert {one.transfer.credit_address for one in found.transfers} >= {payable_of(f"city/{east.code}")}
    assert explain(west.city, (west.asn(0), found.record.counter)).id == found.id
    told = dict(story(found))
    assert "checked by its city" in told["proofs"]
    assert "sequence" not in told["file"]


def test_a_record_that_no_file_of_the_city_has_is_unknown(sides):
    east, west = sides
    came(sides)
    for strange in (record(east, 4), record(east, 0), f"00000000{east.code}-2-1", "000000001234-1-1"):
        with pytest.raises(RecordUnknown):
            explain(west.city, strange)


def test_an_exception_of_another_citys_file_is_shown_taken_and_decided(sides):
    _, west = sides
    came(sides)
    clear(west.city)
    (case,) = find_exceptions(west.city)
    with reading(west.city.engine) as conn:
        shown = exception_of(west.city, conn, case.id)
    assert shown == case
    assert (case.code, case.partner) == ("T01", "")
    assert take(west.city, case.id, actor="clerk", step=new_id()).taken_by == "clerk"
    how = Decision(how=Ruling.REJECTED, reason="its TAC is no card's")
    assert decide(west.city, case.id, how, actor="clerk", step=new_id()).decision.how is Ruling.REJECTED
    assert find_exceptions(west.city) == []


def test_a_holder_disputes_what_was_paid_in_another_city(sides):
    east, west = sides
    came(sides)
    clear(west.city)
    claim = Claim(party=Party.HOLDER, about=record(east, 1), amount_fen=350, reason="I was at home")
    dispute = open_dispute(west.city, UUID(int=1), claim, actor="clerk")
    assert (dispute.run, dispute.amount_fen) == (1, 350)
    more = attrs.evolve(claim, about=record(east, 3), amount_fen=121)
    with pytest.raises(DisputeRefused, match=r" 1\.20 yuan can be owed at most"):
        open_dispute(west.city, UUID(int=2), more, actor="clerk")


def unproven(side, file):
    """Give a file of records again, signed, whose first record says that its card gave no TAC."""
    sent = read_file((side.city.folder / file.path).read_bytes())
    raw = bytearray.fromhex(sent.lines[0].raw)
    raw[PLACES["flags"]] = bytes([raw[PLACES["flags"]][0] | RecordFlag.UNPROVEN])
    raw[PLACES["tac"]] = bytes(4)
    first = attrs.evolve(sent.lines[0], raw=raw.hex().upper())
    return write_file(sent.header, [first, *sent.lines[1:]], side.city.exchange_signer)


def test_what_another_city_sends_unproven_is_rejected_and_never_taken_up(sides):
    east, west = sides
    open_terminal(east, west)
    pay(east, west, 0, 350)
    pay(east, west, 0, 100, minutes=1)
    east.hand_in()
    clear(east.city)
    (file,) = send(east.city)
    assert receive_files(west.city, [("file", unproven(east, file))])[0].state == "accepted"
    # The card went on from it: of a terminal of our own this would be a debit that happened.
    ended = {one.code: one.amount_fen for one in clear(west.city).totals}
    assert ended == {"T01": 350, "C01": 100}
    assert status(west.city).held == ()
    (answer,) = (one for one in send(west.city) if one.kind == "answers")
    assert (answer.gross_fen, west.balances(payable_of(f"city/{east.code}"))) == (100, (98,))
    pay(east, west, 0, 50, minutes=2)
    east.hand_in()
    clear(east.city)
    carry(east, west)
    assert Code.G05.name not in {one.code for one in clear(west.city).totals}
