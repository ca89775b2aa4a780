"""A dispute is opened within its days, about what concerns who opens it, and collects evidence."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import attrs
import pytest

from citycard.clearing.casecodes import Party, Verdict
from citycard.clearing.context import Share
from citycard.clearing.disputes import (
    LARGEST_EVIDENCE,
    Claim,
    DisputeState,
    add_evidence,
    dispute_of,
    evidence_of,
    evidence_path,
    find_disputes,
    open_dispute,
    read_evidence,
)
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.clearing.upholding import Judgement, decide_dispute
from citycard.errors import (
    ArchiveDamaged,
    DisputeConflict,
    DisputeRefused,
    DisputeStanding,
    DisputeUnknown,
    EvidenceConflict,
    RecordUnknown,
    StatementUnknown,
)
from citycard.ids import new_id
from citycard.money import yuan
from citycard.store import reading

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE = "344000000001"
RIDE, BAD = f"{GATE}-1-1", f"{GATE}-1-2"
BY_PARTNER = Claim(
    party="partner", partner="metro", about=BAD, amount_fen=300, reason="the reader was replaced"
)
BY_HOLDER = Claim(party="holder", about=RIDE, amount_fen=90, reason="I got off one stop earlier")


@pytest.fixture
def cleared(town):
    """A ride of 90 fen that the metro shares with the bus, and one of 300 fen with a wrong TAC."""
    (card,) = town.issue(1)
    town.load(card, 10_000)
    town.shares[2] = (Share(partner="metro", weight=2), Share(partner="bus", weight=1))
    town.tap(card, 90, AT, service=2)
    town.tap(card, 300, AT, tac=b"\1\2\3\4")
    receive(town, [town.batch()])
    clear(town)
    return town


def test_a_partner_disputes_a_record_that_it_handed_in(cleared):
    made = open_dispute(cleared, new_id(), BY_PARTNER, actor="metro's office")
    assert (made.run, made.state, made.pieces, made.opened_by) == (1, DisputeState.OPEN, 0, "metro's office")
    # Saturday the 1st of September 2018: business days count from Monday the 3rd; the 24th is Mid-Autumn.
    assert (made.evidence_until, made.decide_until) == (date(2018, 9, 10), date(2018, 9, 25))
    with reading(cleared.engine) as conn:
        assert find_disputes(conn) == [made] == find_disputes(conn, partner="metro")
        assert find_disputes(conn, partner="bus") == find_disputes(conn, state=DisputeState.UPHELD) == []


def test_a_holder_disputes_what_was_taken_from_the_card(cleared):
    made = open_dispute(cleared, new_id(), BY_HOLDER, actor="clerk Li")
    assert (made.party, made.partner, made.amount_fen) == (Party.HOLDER, "", 90)


@pytest.mark.parametrize(
    ("about", "most_fen"), [("run/1", 390), ("run/1/2018-09-01", 390), ("run/1/2018-09-01/T01", 300)]
)
def test_a_partner_disputes_a_position_of_its_statement_up_to_its_amount(cleared, about, most_fen):
    claim = attrs.evolve(BY_PARTNER, about=about, amount_fen=most_fen)
    with pytest.raises(DisputeRefused, match=f", {yuan(most_fen)} yuan can be owed at most"):
        open_dispute(cleared, new_id(), attrs.evolve(claim, amount_fen=most_fen + 1), actor="x")
    assert open_dispute(cleared, new_id(), claim, actor="x").run == 1


def test_a_partner_without_terminals_disputes_what_it_earned(cleared):
    claim = attrs.evolve(BY_PARTNER, partner="bus", about="run/1/2018-09-01", amount_fen=30)
    assert open_dispute(cleared, new_id(), claim, actor="x").run == 1


@pytest.mark.parametrize(
    ("first", "second", "left_fen"),
    [
        ("run/1", "run/1/2018-09-01", 190),
        ("run/1", "run/1/2018-09-01/T01", 100),
        ("run/1/2018-09-01/T01", "run/1", 190),
        ("run/1/2018-09-01/T01", "run/1/2018-09-01/OK", 90),
        ("run/1/2018-09-01", BAD, 100),
        (BAD, "run/1/2018-09-01/T01", 100),
        (BAD, "run/1/2018-09-01", 190),
        (BAD, "run/1/2018-09-01/OK", 90),
        (BAD, "run/1", 190),
    ],
)
def test_what_one_dispute_claims_no_other_one_claims_again(cleared, first, second, left_fen):
    claim = attrs.evolve(BY_PARTNER, about=first, amount_fen=200)
    made = open_dispute(cleared, new_id(), claim, actor="x")
    more = attrs.evolve(BY_PARTNER, about=second, amount_fen=left_fen + 1)
    apart = second.endswith("OK")  # what was not accepted is no part of that line
    rest = "" if apart else f"; dispute {made.id} claims 2.00 yuan"
    with pytest.raises(DisputeRefused, match=f" {yuan(left_fen)} yuan can be owed at most{rest}$"):
        open_dispute(cleared, new_id(), more, actor="x")
    assert open_dispute(cleared, new_id(), attrs.evolve(more, amount_fen=left_fen), actor="x")


@pytest.mark.parametrize(
    "about",
    [
        *(f"{GATE}-01-2", f"{GATE}-1-02", f"{GATE}-1-002", f"{GATE}-1-\N{ARABIC-INDIC DIGIT TWO}"),
        *("run/01", "run/0", "run/1/", "run/\N{FULLWIDTH DIGIT ONE}", "run/1/2018-09-01/", "run/1//T01"),
    ],
)
def test_a_thing_has_one_name_under_which_it_is_disputed(cleared, about):
    with pytest.raises(RecordUnknown):
        open_dispute(cleared, new_id(), attrs.evolve(BY_PARTNER, about=about, amount_fen=30), actor="x")


@pytest.mark.parametrize("about", [BAD, "run/1"])
@pytest.mark.parametrize("amount_fen", [2**63 - 1, 2**63, 10**30])
def test_an_amount_beyond_all_money_is_refused(cleared, about, amount_fen):
    with pytest.raises(DisputeRefused):
        open_dispute(
            cleared, new_id(), attrs.evolve(BY_PARTNER, about=about, amount_fen=amount_fen), actor="x"
        )


@pytest.mark.postgresql
def test_many_disputes_opened_at_once_wait_for_each_other_and_not_for_connections(
    town, tmp_path, postgresql_server, migrated_postgresql
):
    url = postgresql_server.create_database(template=migrated_postgresql)
    other = type(town)(tmp_path / "other", url).found()
    (card,) = other.issue(1)
    other.load(card, 10_000)
    for _ in range(25):
        other.tap(card, 300, AT, tac=b"\1\2\3\4")
    receive(other, [other.batch()])
    clear(other)
    claims = [attrs.evolve(BY_PARTNER, about=f"{GATE}-1-{line}") for line in range(1, 26)]
    with ThreadPoolExecutor(len(claims)) as pool:
        made = list(pool.map(lambda claim: open_dispute(other, new_id(), claim, actor="x"), claims))
    assert {one.about for one in made} == {one.about for one in claims}
    with reading(other.engine) as conn:
        assert len(find_disputes(conn, partner="metro")) == 25
    other.engine.dispose()


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        (attrs.evolve(BY_PARTNER, amount_fen=301), " 3.00 yuan can be owed at most"),
        (
            attrs.evolve(BY_PARTNER, about=RIDE, amount_fen=31),
            " 0.30 yuan can be owed at most; run 1 paid 0.60 yuan",
        ),
        (attrs.evolve(BY_PARTNER, partner="bus"), "neither handed"),
        (attrs.evolve(BY_PARTNER, partner=""), "name the partner"),
        (attrs.evolve(BY_PARTNER, amount_fen=0), "not an amount"),
        (attrs.evolve(BY_PARTNER, reason="  "), "say why"),
        (attrs.evolve(BY_PARTNER, about="run/1/2018-09-02"), "no such line"),
        (attrs.evolve(BY_PARTNER, about="run/1/2018-09-01/R04"), "no such line"),
        (attrs.evolve(BY_HOLDER, amount_fen=91), " 0.90 yuan can be owed at most"),
        (attrs.evolve(BY_HOLDER, about=BAD, amount_fen=1), " 0.00 yuan can be owed at most"),
        (attrs.evolve(BY_HOLDER, about="run/1"), "disputes a record"),
        (attrs.evolve(BY_HOLDER, partner="metro"), "name the partner"),
    ],
)
def test_what_cannot_be_owed_or_concerns_somebody_else_is_refused(cleared, claim, told):
    with pytest.raises(DisputeRefused, match=told):
        open_dispute(cleared, new_id(), claim, actor="x")


@pytest.mark.parametrize(
    ("claim", "error"),
    [
        (attrs.evolve(BY_PARTNER, about=f"{GATE}-9-1"), RecordUnknown),
        (attrs.evolve(BY_PARTNER, about="nonsense"), RecordUnknown),
        (attrs.evolve(BY_PARTNER, partner="poor", about="run/1"), StatementUnknown),
    ],
)
def test_what_is_not_there_cannot_be_disputed(cleared, claim, error):
    with pytest.raises(error):
        open_dispute(cleared, new_id(), claim, actor="x")


def test_after_its_days_nothing_is_disputed(cleared):
    cleared.terms = attrs.evolve(cleared.terms, dispute_days=2)  # Monday the 3rd, and two more
    cleared.clock.moment += timedelta(days=4)
    assert open_dispute(cleared, new_id(), BY_PARTNER, actor="x")
    cleared.clock.moment += timedelta(days=1)
    with pytest.raises(DisputeRefused, match="until 2018-09-05"):
        open_dispute(cleared, new_id(), BY_HOLDER, actor="x")


def test_the_same_is_disputed_once_and_the_same_id_is_the_same_dispute(cleared):
    name = new_id()
    made = open_dispute(cleared, name, BY_PARTNER, actor="x")
    assert open_dispute(cleared, name, BY_PARTNER, actor="x") == made
    with pytest.raises(DisputeConflict, match="amount_fen"):
        open_dispute(cleared, name, attrs.evolve(BY_PARTNER, amount_fen=1), actor="x")


def test_who_disputes_the_same_again_is_told_which_dispute_stands(cleared):
    for claim, who in ((BY_PARTNER, "metro"), (BY_HOLDER, "the holder")):
        made = open_dispute(cleared, new_id(), claim, actor="x")
        told = f"{claim.about} is disputed already by {who}: {made.id}; "
        with pytest.raises(DisputeStanding, match=f"{told}add evidence to that one"):
            open_dispute(cleared, new_id(), claim, actor="x")
        done = Judgement(outcome=Verdict.REFUSED, reason="no ground")
        decide_dispute(cleared, made.id, done, actor="li", step=new_id())
        with pytest.raises(DisputeStanding, match=f"{told}it is decided already: refused"):
            open_dispute(cleared, new_id(), claim, actor="x")


def test_evidence_is_kept_with_its_digest_by_whom_and_when(cleared):
    made = open_dispute(cleared, new_id(), BY_PARTNER, actor="x")
    piece, data = new_id(), b"%PDF the gate's log"
    one = add_evidence(cleared, made.id, piece, actor="metro", name="log.pdf", data=data)
    assert (one.digest, one.size, one.name) == (hashlib.sha256(data).hexdigest(), len(data), "log.pdf")
    assert read_evidence(cleared, one.digest) == data
    add_evidence(cleared, made.id, new_id(), actor="metro", note="the reader's seal was broken")
    assert add_evidence(cleared, made.id, piece, actor="metro", name="log.pdf", data=data) == one
    with pytest.raises(EvidenceConflict):
        add_evidence(cleared, made.id, piece, actor="metro", note="other")
    with reading(cleared.engine) as conn:
        assert [(e.note, e.actor, e.at) for e in evidence_of(conn, made.id)] == [
            ("", "metro", cleared.clock.now()),
            ("the reader's seal was broken", "metro", cleared.clock.now()),
        ]
        assert dispute_of(conn, made.id).pieces == 2


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_bytes(b"other")])
def test_evidence_that_is_gone_or_changed_is_noticed(cleared, spoil):
    made = open_dispute(cleared, new_id(), BY_PARTNER, actor="x")
    one = add_evidence(cleared, made.id, new_id(), actor="metro", name="log", data=b"the log")
    spoil(cleared.folder / evidence_path(one.digest))
    with pytest.raises(ArchiveDamaged):
        read_evidence(cleared, one.digest)


@pytest.mark.parametrize("content", [{"data": b""}, {"note": " "}, {"data": bytes(LARGEST_EVIDENCE + 1)}])
def test_evidence_is_neither_empty_nor_endless(cleared, content):
    made = open_dispute(cleared, new_id(), BY_PARTNER, actor="x")
    with pytest.raises(DisputeRefused, match="evidence is"):
        add_evidence(cleared, made.id, new_id(), actor="metro", **content)


def test_the_first_evidence_comes_in_time(cleared):
    made = open_dispute(cleared, new_id(), BY_PARTNER, actor="x")
    cleared.clock.moment += timedelta(days=10)
    with pytest.raises(DisputeRefused, match="until 2018-09-10"):
        add_evidence(cleared, made.id, new_id(), actor="metro", note="late")


def test_a_dispute_that_is_not_there_is_not_known(cleared):
    with reading(cleared.engine) as conn, pytest.raises(DisputeUnknown):
        dispute_of(conn, new_id())
