import contextlib
import datetime as dt

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schooltown import CANTEEN, SCHOOL, SETTINGS, SchoolTown

from citycard import registry
from citycard.city.till import Sale
from citycard.errors import AccountMissing, CardRemoved
from citycard.store import reading, writing
from citycard.testing.town import Town
from citycard.wallet import partner_payable
from citycard_campus.campus import Campus
from citycard_campus.cleared import ClearedUse
from citycard_campus.errors import CaseDecided, CaseUnknown, MarkBroken, PotUncovered, SectorStale
from citycard_campus.pots import carry_all, find_pot, grant_meals, return_rests
from citycard_campus.roll import end, pupil_of
from citycard_campus.sectors import ENROLMENT, DeskFacts, MealFacts, Role
from citycard_campus.settling import (
    decide,
    find_use,
    missing_uses,
    reopen,
    settle,
    take_up,
    uses_of,
    waiting,
)
from citycard_campus.statements import school_statement
from citycard_campus.tables import pot_use

FEED = dt.timedelta(minutes=2)


def fed(place, meal="30.00"):
    """Give a pupil whose card carries meal money, with the desk and the canteen."""
    place.fund(1_000_000)
    card = place.pupil(meal=meal)
    grant_meals(place.campus, place.campus.settings.school(SCHOOL), "2026-03")
    desk, canteen = place.desk(), place.canteen()
    place.town.load(card, 9000)
    desk.write(card.reader, place.town.now)
    place.at("12:00")
    return card, desk, canteen


def overwrite(place, card, record):
    """Write a record onto a card as a rogue terminal would, which has a SAM and no scruples."""
    facts = DeskFacts(school=3, role=Role.PUPIL, pupil=1, loaded_fen=0, spent_fen=0, uses=0)
    rogue = place.town.till(place.town.terminal(SCHOOL))
    sale = Sale(service="campus-desk", amount_fen=0, facts=facts, writes={ENROLMENT.name: record})
    rogue.serve(card.reader, place.town.now, lambda _: sale)
    return rogue


def test_a_card_that_was_set_back_is_found_at_clearing_and_its_pot_closed(place):
    town = place.town
    card, _, canteen = fed(place)
    earlier = place.enrolment(card)
    canteen.sell(card.reader, town.now)
    rogue = overwrite(place, card, earlier)
    town.pass_time(FEED)
    assert canteen.sell(card.reader, town.now).amount_fen == 0

    town.clear(canteen.till, rogue)
    with reading(town.city.engine) as conn:
        (doubt,) = waiting(conn)
        assert find_pot(conn, card.asn).flagged
    assert "use 1 of the pot was cleared before" in doubt.why
    assert [one["record"] for one in place.events("campus.pot-doubted")] == [doubt.record]
    assert (place.standing().settled_fen, place.standing().difference_fen) == (1000, 0)

    # The canteen's next configuration closes the pot, and the purse pays.
    canteen.refresh()
    town.pass_time(FEED)
    assert canteen.sell(card.reader, town.now).amount_fen == 1000

    paid = decide(place.campus, doubt.record, pay=True, actor="anna")
    assert decide(place.campus, doubt.record, pay=True, actor="anna") == paid
    assert place.standing().settled_fen == 2000
    with pytest.raises(CaseDecided):
        decide(place.campus, doubt.record, pay=False, actor="anna")
    with pytest.raises(CaseUnknown):
        decide(place.campus, "990100000001-1-1", pay=True, actor="anna")
    town.clear(canteen.till)
    town.check_books()


def test_the_desk_sees_a_card_that_was_set_back_and_puts_it_right_when_told(place):
    town = place.town
    card, desk, canteen = fed(place)
    earlier = place.enrolment(card)
    for _ in range(2):
        canteen.sell(card.reader, town.now)
        town.pass_time(FEED)
    town.clear(canteen.till)
    overwrite(place, card, earlier)
    town.pass_time(FEED)
    with pytest.raises(SectorStale):
        desk.write(card.reader, town.now)
    canteen.refresh()
    assert canteen.sell(card.reader, town.now).amount_fen == 1000

    reopen(place.campus, card.asn)
    canteen.refresh()
    desk.write(card.reader, town.pass_time(FEED), heal=True)
    after = place.enrolment(card)
    assert (after.uses, after.spent_fen, after.pot_fen) == (2, 2000, 1000)
    assert canteen.sell(card.reader, town.pass_time(FEED)).amount_fen == 0


def test_a_record_copied_from_another_card_is_refused_at_the_next_tap(place):
    town = place.town
    rich, _, canteen = fed(place)
    other = place.pupil(no="S2")
    town.load(other, 3000)
    overwrite(place, other, place.enrolment(rich))
    town.pass_time(FEED)
    with pytest.raises(MarkBroken):
        canteen.sell(other.reader, town.now)


def test_a_gap_in_the_uses_is_known_until_the_record_comes(place):
    town = place.town
    card, desk, first = fed(place)
    second = place.canteen()
    first.sell(card.reader, town.now)
    second.sell(card.reader, town.pass_time(FEED))
    town.clear(desk.till, second.till)
    with reading(town.city.engine) as conn:
        assert missing_uses(conn, card.asn) == [1]
    assert school_statement(place.campus, SCHOOL, town.now.date(), town.now.date()).uses_missing == 1
    town.clear(first.till)
    with reading(town.city.engine) as conn:
        assert missing_uses(conn, card.asn) == []
    assert place.standing().settled_fen == 2000
    assert settle(place.campus) == []


def test_a_canteen_cannot_take_more_than_is_on_a_pot_nor_more_than_a_meal_costs(place):
    card, _, canteen = fed(place)
    for claimed_fen, uses in ((5000, 1), (900, 2)):
        facts = MealFacts(
            school=3, role=Role.PUPIL, pupil=1, pot_fen=claimed_fen, uses=uses, spent_fen=0, loaded_fen=0
        )
        sale = Sale(service="campus-canteen", amount_fen=0, facts=facts)
        canteen.till.serve(card.reader, place.town.pass_time(FEED), lambda _, sale=sale: sale)
    place.town.clear(canteen.till)
    with reading(place.town.city.engine) as conn:
        assert {use.why for use in waiting(conn)} == {"pot and purse together are not the price of a meal"}
        assert not find_pot(conn, card.asn).flagged
    # What the terminal claimed stands in nobody's way: the card's own first use is settled.
    honest = place.canteen()
    honest.sell(card.reader, place.town.pass_time(FEED))
    place.town.clear(honest.till)
    assert place.standing().settled_fen == 1000


def test_a_torn_meal_is_taken_once_from_pot_and_purse(place):
    town = place.town
    card, desk, canteen = fed(place, meal="6.00")
    before = town.balance_fen(card)

    class PulledAway(type(card.reader)):
        """Loses the answer of the debit, which the card has done."""

        torn = False

        def transmit(self, command):
            answer = super().transmit(command)
            if command[:2] == bytes.fromhex("8054") and not self.torn:
                self.torn = True
                raise CardRemoved(during="test")
            return answer

    reader = PulledAway(card.chip)
    receipt = canteen.sell(reader, town.now)
    assert (receipt.recovered, receipt.amount_fen) == (True, 400)
    assert (town.balance_fen(card), place.enrolment(card).uses) == (before - 400, 1)
    town.clear(desk.till, canteen.till)
    assert (place.standing().settled_fen, place.standing().left_fen) == (600, 0)


# ── conservation ─────────────────────────────────────────────────────────────────────────────────

MEALS = st.lists(
    st.tuples(st.integers(1, 12), st.integers(1, 1000), st.sampled_from(["clear", "pay", "refuse"])),
    max_size=12,
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Give one town for all examples: each of them has a card of its own."""
    town = Town.make(
        tmp_path_factory.mktemp("kept"),
        domains=["campus"],
        settings={"campus": SETTINGS | {"pot_wait_days": 0}},
    )
    place = SchoolTown(town, Campus.of(town.city))
    place.fund(100_000_000)
    place.canteen()
    place.at("12:00")
    yield place
    town.close()


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(month_fen=st.integers(0, 5000), meals=MEALS, ended=st.booleans(), twice=st.booleans())
def test_no_fen_is_lost_or_made_whatever_comes_in_which_order(kept, month_fen, meals, ended, twice):
    campus, city = kept.campus, kept.town.city
    asn = f"0101990199{len(kept.town.cards) + 1:010d}"
    kept.town.cards.append(None)
    with writing(city.engine) as conn:
        registry.add_cards(conn, [city.issuing.card(asn, "citizen", kept.town.now.date())])
    line = f"{SCHOOL},N{asn[-8:]},pupil,Li Lei,7-3,{asn},,2027-07-15,{month_fen // 100}.{month_fen % 100:02d}"
    assert kept.roll(line).bad == ()
    for batch in ("a", "b") if twice else ("a",):
        grant_meals(campus, campus.settings.school(SCHOOL), f"{batch} {asn}")
        carry_all(campus)
        carry_all(campus)
    paid_before = owed(kept)
    settled_before = kept.standing().settled_fen

    for place, (use, pot_fen, how) in enumerate(meals):
        facts = MealFacts(school=3, role=Role.PUPIL, pupil=1, pot_fen=pot_fen, uses=use)
        meal = ClearedUse(
            record=f"{asn[-12:]}-1-{place}",
            asn=asn,
            service=400,
            at=kept.town.now,
            amount_fen=1000 - pot_fen,
            partner=CANTEEN,
            facts=facts,
        )
        with writing(city.engine) as conn:
            take_up(campus, conn, 1, meal)
            state = find_use(conn, meal.record).state
        if state == "waiting" and how != "clear":
            with contextlib.suppress(PotUncovered):
                decide(campus, meal.record, pay=how == "pay", actor="anna")
    kept_books(kept, asn)

    if ended:
        with reading(city.engine) as conn:
            number = pupil_of(conn, asn).number
        end(campus, number, "left")
        return_rests(campus)
        kept_books(kept, asn)
        with reading(city.engine) as conn:
            assert find_pot(conn, asn).left_fen == 0
    with reading(city.engine) as conn:
        uses = uses_of(conn, pot_use.c.asn == asn, pot_use.c.state == "settled")
    paid_fen = sum(use.pot_fen for use in uses)
    assert owed(kept) - paid_before == kept.standing().settled_fen - settled_before == paid_fen


def kept_books(place, asn):
    """Assert that book and ledger agree, for the card, the school and the funder."""
    with reading(place.town.city.engine) as conn:
        held = find_pot(conn, asn)
        settled = uses_of(conn, pot_use.c.asn == asn, pot_use.c.state == "settled")
    assert held.loaded_fen == held.settled_fen + held.returned_fen + held.left_fen
    assert held.left_fen >= 0
    assert held.settled_fen == sum(use.pot_fen for use in settled)
    assert (place.standing().difference_fen, place.programme().difference_fen) == (0, 0)


def owed(place):
    with reading(place.town.city.engine) as conn:
        try:
            return place.town.city.ledger.balance_fen(conn, partner_payable(CANTEEN))
        except AccountMissing:
            return 0
