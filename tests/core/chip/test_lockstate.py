"""GET LOCK PROOF: what a card tells of its lock, and how a pump learns of a debit whose answer was lost."""

from __future__ import annotations

import pytest
from pursedesk import ED, EP, OK, TERMINAL, WHEN

from citycard.chip import Chip, PowerLoss


def test_a_free_card_answers_zeros(purses):
    assert purses.lock_proof() == bytes(30)
    assert purses.lock_proof(1) == bytes(30)


def test_a_locked_card_names_the_lock(purses):
    _, answer = purses.grey_lock(EP)
    proof = purses.lock_proof()
    assert (proof[0], proof[1], proof[2]) == (0x01, 0x92, 0x0E)
    assert proof[3:9].hex() == "00001388" + "0000"
    assert proof[9:22] == TERMINAL + WHEN
    assert (proof[22:26], proof[26:30]) == (answer[4:8], answer[:4])
    assert purses.lock_proof(1) == proof


def test_a_debit_whose_tac_nobody_read_shows_until_it_is_cleared(purses):
    session, _ = purses.grey_lock(ED)
    tac = purses.debit_for_unlock(ED, session, 100, 0)[:4]
    proof = purses.lock_proof()
    assert (proof[0], proof[1], proof[26:]) == (0x10, 0x93, tac)
    assert proof[3:9].hex() == "000026ac" + "0000"
    assert proof[9:26] == TERMINAL + WHEN + bytes(4)
    assert purses.select().lock_proof() == proof
    assert purses.lock_proof(1) == bytes(30)
    assert purses.lock_proof() == bytes(30)
    assert purses.prove(0x93, 1)[4:] == tac


def test_an_unread_tac_does_not_stop_the_card(purses):
    session, _ = purses.grey_lock(ED)
    purses.debit_for_unlock(ED, session, 100, 0)
    assert purses.purchase(EP, 1)[-2:] == OK
    purses.grey_lock(ED)
    assert purses.lock_proof()[0] == 1


@pytest.mark.parametrize(
    ("apdu", "status"),
    [("E0CA02001E", "6A86"), ("E0CA00011E", "6A86"), ("E0CA000001001E", "6700"), ("E0CA00001D", "6C1E")],
)
def test_wrong_questions_are_told_apart(purses, apdu, status):
    assert purses.status(apdu) == status


def test_there_is_no_lock_where_there_is_no_purse(purses):
    purses.ok("00A40000023F00")
    assert purses.status("E0CA00001E") == "6A82"


def torn(desk, act):
    """Cut ``act`` at every write, cleanly and torn; yield each card after power-on."""
    whole = desk.clone()
    before = whole.chip.eeprom.writes
    act(whole)
    for cut in range(whole.chip.eeprom.writes - before):
        for tear in (False, True):
            other = desk.clone()
            other.chip.eeprom.cut_after(cut, torn=tear)
            with pytest.raises(PowerLoss):
                act(other)
            other.chip = Chip.from_image(other.chip.image(), other.chip.profile)
            yield other.select()


def test_a_torn_lock_is_a_lock_or_is_none_and_the_proof_says_which(purses):
    seen = set()
    for card in torn(purses, lambda desk: desk.grey_lock(ED)):
        status = card.lock_proof()[0]
        seen.add(status)
        assert (status == 1) == (card.prove(0x91, 1) is not None) == (card.init(1, EP, 0).hex() == "6985")
        assert [line[3] for line in card.log()].count(0x91) == status
    assert seen == {0, 1}


def test_a_torn_unlock_took_the_money_or_left_the_lock(purses):
    session, _ = purses.grey_lock(ED)
    seen = set()
    for card in torn(purses, lambda desk: desk.debit_for_unlock(ED, session, 100, 0)):
        proof = card.lock_proof()
        seen.add(proof[0])
        if proof[0] == 0x10:
            assert card.balance(ED) == 9_900
            assert card.prove(0x93, 1)[4:] == proof[26:]
            assert card.counters(ED) == (1, 1)
        else:
            assert (proof[0], card.balance(ED), card.prove(0x93, 1)) == (1, 10_000, None)
            assert card.debit_for_unlock(ED, session, 100, 0)[-2:] == OK
    assert seen == {0x01, 0x10}


def test_a_torn_online_unlock_took_the_money_or_left_the_lock(purses):
    purses.grey_lock(ED)
    seen = set()
    for card in torn(purses, lambda desk: desk.online_unlock(ED, 100)):
        status = card.lock_proof()[0]
        seen.add(status)
        assert (status, card.balance(ED)) in {(0, 9_900), (1, 10_000)}
        assert (card.prove(0x95, 2) is None) == (status == 1)
    assert seen == {0, 1}


@pytest.mark.parametrize("kind", ["unload", "limit", "withdraw", "passbook"])
def test_the_transactions_of_the_passbook_are_done_or_not_done(purses, kind):
    acts = {
        "unload": (lambda desk: desk.unload(10), 3, 2),
        "limit": (lambda desk: desk.set_limit(10), 7, 2),
        "withdraw": (lambda desk: desk.withdraw(10), 4, 1),
        "passbook": (lambda desk: desk.purchase(ED, 10), 5, 1),
    }
    act, tti, counter = acts[kind]
    old = purses.state()
    done = purses.clone()
    act(done)
    new, seen = done.state(), []
    for card in torn(purses, act):
        state = card.state()
        assert state in (old, new)
        seen.append(state == new)
        assert (card.prove(tti, counter) is not None) == seen[-1]
    assert {True, False} == set(seen)
