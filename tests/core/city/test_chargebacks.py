"""A charge-back moves its money at every step, ends once, and is never borne silently."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moneytown import balances, broken_off_everywhere, move

from citycard import registry
from citycard.city.chargebacks import accept_overdue, open_chargeback, pay_claim, take_step
from citycard.errors import ChargebackConflict, ChargebackRefused, ChargebackUnknown
from citycard.ids import new_id
from citycard.registry import CardStatus
from citycard.store import reading, writing
from citycard.wallet.chargebacks import ChargebackState, chargebacks, steps_of

CARD = "01010199010000000001"
ONLINE, PURSE = f"account/{CARD}/online", f"card/{CARD}/purse"
DEADLINE = dt.date(2018, 9, 10)
ACCEPTED, DISPUTED, WON, LOST = (ChargebackState(one) for one in ("accepted", "disputed", "won", "lost"))


@pytest.fixture
def town(money_town):
    """The town with one card in use."""
    with writing(money_town.engine) as conn:
        registry.add_products(conn, [registry.Product(name="standard", title="City card", kind=1)])
        version = registry.ProductVersion(
            product="standard", version=1, layout="", created_on=dt.date(2018, 9, 1)
        )
        registry.add_product_versions(conn, [version])
        registry.add_cards(
            conn,
            [
                registry.Card(
                    asn=CARD,
                    issuer=money_town.config.city.issuer,
                    product="standard",
                    kind=1,
                    issued_on=dt.date(2018, 9, 1),
                    expires_on=dt.date(2028, 9, 1),
                    status=CardStatus.ISSUED,
                )
            ],
        )
    return money_town


def charged(city, topup, amount_fen=None, identity=None, **more):
    asked = {"reason": "card was stolen", "deadline": DEADLINE, "actor": "anna"} | more
    return open_chargeback(city, identity or new_id(), topup.id, amount_fen, **asked)


def step(city, case, wanted, evidence="letter 3"):
    return take_step(city, case.id, wanted, evidence=evidence, actor="anna")


def status(city):
    with reading(city.engine) as conn:
        listed = CARD in registry.blacklist_at(conn, registry.blacklist_number(conn))
        return str(registry.find_card(conn, CARD).status), listed


def test_the_money_is_gone_at_once_and_held_where_it_went(town):
    case = charged(town, move(town, "provider/pay", ONLINE, 1000))
    assert balances(town) == {ONLINE: 1000, f"chargeback/{case.id}": 1000}
    with reading(town.engine) as conn:
        assert town.ledger.balance(conn, ONLINE).available_fen == 0
    assert case.held_fen == 1000


def test_accepted_it_comes_out_of_the_online_account(town):
    case = charged(town, move(town, "provider/pay", ONLINE, 1000))
    assert step(town, case, ACCEPTED).state is ACCEPTED
    assert balances(town) == {}
    assert status(town) == ("issued", False)


def test_what_the_account_has_not_is_a_claim_and_the_card_is_refused(town):
    topup = move(town, "trust/bank", ONLINE, 1000)
    move(town, ONLINE, "partner/shop/payable", 700, 120)
    case = charged(town, topup)
    step(town, case, DISPUTED)
    step(town, case, LOST)
    assert balances(town) == {f"card/{CARD}/claim": 700, "partner/shop/payable": 700}
    assert status(town) == ("blocked", True)


def test_money_on_a_card_cannot_be_reached_so_that_all_of_it_is_a_claim(town):
    case = charged(town, move(town, "agent/kiosk/receivable", PURSE, 1000), 400)
    step(town, case, ACCEPTED)
    assert balances(town) == {
        "agent/kiosk/receivable": 600,
        PURSE: 1000,
        f"card/{CARD}/claim": 400,
    }
    assert status(town) == ("blocked", True)


def test_won_everything_is_as_before(town):
    topup = move(town, "provider/pay", ONLINE, 1000)
    before = balances(town)
    case = charged(town, topup)
    step(town, case, DISPUTED)
    step(town, case, WON)
    assert balances(town) == before
    with reading(town.engine) as conn:
        assert town.ledger.balance(conn, ONLINE).available_fen == 1000
    assert status(town) == ("issued", False)


def test_money_that_came_in_since_is_taken_too_before_anything_is_claimed(town):
    topup = move(town, "trust/bank", ONLINE, 1000)
    move(town, ONLINE, "partner/shop/payable", 1000, 120)
    case = charged(town, topup)
    move(town, "trust/bank", ONLINE, 300)
    step(town, case, ACCEPTED)
    assert balances(town)[f"card/{CARD}/claim"] == 700
    assert ONLINE not in balances(town)


def test_cases_of_one_top_up_are_never_more_than_it(town):
    topup = move(town, "provider/pay", ONLINE, 1000)
    charged(town, topup, 600)
    with pytest.raises(ChargebackRefused, match="400 fen of top-up"):
        charged(town, topup, 401)
    case = charged(town, topup, 400)
    step(town, case, DISPUTED)
    step(town, case, WON)
    charged(town, topup, 400)


def test_steps_are_taken_once_in_their_order_and_written_down(town):
    case = charged(town, move(town, "provider/pay", ONLINE, 1000))
    for wanted in (WON, LOST):
        with pytest.raises(ChargebackRefused, match=f"it is open: it cannot become {wanted}"):
            step(town, case, wanted)
    for wanted in (DISPUTED, DISPUTED, LOST, LOST):
        step(town, case, wanted)
    for wanted in (WON, ACCEPTED, DISPUTED):
        with pytest.raises(ChargebackRefused, match="it is lost"):
            step(town, case, wanted)
    with reading(town.engine) as conn:
        steps = steps_of(conn, case.id)
        assert [one.id for one in chargebacks(conn, state=LOST)] == [case.id]
    assert [(str(one.state), one.evidence, one.actor) for one in steps] == [
        ("open", "card was stolen", "anna"),
        ("disputed", "letter 3", "anna"),
        ("lost", "letter 3", "anna"),
    ]


def test_a_dispute_needs_evidence_and_comes_in_time(town):
    case = charged(town, move(town, "provider/pay", ONLINE, 1000))
    with pytest.raises(ChargebackRefused, match="needs evidence"):
        step(town, case, DISPUTED, evidence=" ")
    town.clock.moment += dt.timedelta(days=10)
    with pytest.raises(ChargebackRefused, match="until 2018-09-10"):
        step(town, case, DISPUTED)


def test_what_nobody_disputed_in_time_is_accepted(town):
    late = charged(town, move(town, "provider/pay", ONLINE, 1000), 100)
    disputed = charged(town, move(town, "provider/pay", ONLINE, 1000), 100)
    step(town, disputed, DISPUTED)
    assert accept_overdue(town, actor="clock") == 0
    town.clock.moment += dt.timedelta(days=10)
    assert [accept_overdue(town, actor="clock") for _ in range(2)] == [1, 0]
    with reading(town.engine) as conn:
        states = {one.id: one.state for one in chargebacks(conn)}
    assert states == {late.id: ACCEPTED, disputed.id: DISPUTED}


def test_a_claim_is_paid_at_the_desk_once_for_each_id(town):
    case = charged(town, move(town, "trust/bank", PURSE, 1000))
    step(town, case, ACCEPTED)
    identity = new_id()
    assert [pay_claim(town, identity, CARD, 300) for _ in range(2)] == [700, 700]
    with pytest.raises(ChargebackRefused, match="owes 700 fen, not 701"):
        pay_claim(town, new_id(), CARD, 701)
    assert pay_claim(town, new_id(), CARD, 700) == 0


def test_the_same_id_is_the_same_case_and_no_other(town):
    topup, identity = move(town, "provider/pay", ONLINE, 1000), new_id()
    first = charged(town, topup, 600, identity)
    assert charged(town, topup, 600, identity) == first
    with pytest.raises(ChargebackConflict, match="another amount_fen"):
        charged(town, topup, 500, identity)


def test_only_top_ups_are_taken_back_and_only_from_where_money_is(town):
    topup = move(town, "provider/pay", ONLINE, 1000)
    paid = move(town, ONLINE, "partner/shop/payable", 100, 120)
    with pytest.raises(ChargebackRefused, match="topped nothing up"):
        charged(town, paid)
    with pytest.raises(ChargebackRefused, match="is not what it was taken from"):
        charged(town, topup, taken_from="partner/shop/payable")
    with pytest.raises(ChargebackRefused, match="no top-up"):
        open_chargeback(town, new_id(), new_id(), 1, reason="x", deadline=DEADLINE, actor="anna")
    with pytest.raises(ChargebackUnknown):
        take_step(town, new_id(), ACCEPTED, evidence="", actor="anna")


@pytest.mark.parametrize("way", [(ACCEPTED,), (DISPUTED, WON), (DISPUTED, LOST)])
def test_broken_off_at_any_statement_each_step_is_taken_once(town, way):
    topup, identity = move(town, "trust/bank", ONLINE, 1000), new_id()
    move(town, ONLINE, "partner/shop/payable", 400, 120)
    broken = broken_off_everywhere(town, lambda: charged(town, topup, 900, identity))
    for wanted in way:
        broken += broken_off_everywhere(
            town, lambda wanted=wanted: take_step(town, identity, wanted, evidence="x", actor="anna")
        )
    assert broken > 20
    claim = 300 if way[-1] is not WON else 0
    assert balances(town).get(f"card/{CARD}/claim", 0) == claim


moves = st.lists(
    st.one_of(
        st.tuples(st.just("top-up"), st.integers(1, 900), st.sampled_from([ONLINE, PURSE])),
        st.tuples(st.just("pay"), st.integers(1, 900)),
        st.tuples(st.just("charge"), st.integers(0, 9), st.integers(1, 900)),
        st.tuples(st.just("step"), st.integers(0, 9), st.sampled_from([ACCEPTED, DISPUTED, WON, LOST])),
    ),
    max_size=14,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=moves)
def test_whatever_happens_what_was_taken_is_held_claimed_or_back(town, wanted):
    """The paper: what each case took, and who bears it."""
    topups, cases, states = [], [], {}
    before = balances(town)
    for what, *words in wanted:
        if what == "top-up":
            topups.append(move(town, "trust/bank", words[1], words[0]))
        elif what == "pay" and balances(town).get(ONLINE, 0):
            with reading(town.engine) as conn:
                fen = min(words[0], town.ledger.balance(conn, ONLINE).available_fen)
            if fen:
                move(town, ONLINE, "partner/shop/payable", fen, 120)
        elif what == "charge" and topups:
            topup = topups[words[0] % len(topups)]
            others = sum(
                one.amount_fen for one in cases if one.topup == topup.id and states[one.id] is not WON
            )
            if words[1] <= topup.amount_fen - others:
                cases.append(charged(town, topup, words[1]))
                states[cases[-1].id] = ChargebackState.OPEN
            else:
                with pytest.raises(ChargebackRefused):
                    charged(town, topup, words[1])
        elif what == "step" and cases:
            case = cases[words[0] % len(cases)]
            try:
                states[case.id] = step(town, case, words[1]).state
            except ChargebackRefused:
                assert words[1] is not states[case.id]
    after = balances(town)
    for case in cases:
        pending = after.get(f"chargeback/{case.id}", 0)
        open_still = states[case.id] in {ChargebackState.OPEN, DISPUTED}
        assert pending == (case.amount_fen if open_still else 0)
    taken = sum(one.amount_fen for one in cases if states[one.id] is not WON)
    came = sum(one.amount_fen for one in topups)
    assert after.get("trust/bank", 0) - before.get("trust/bank", 0) == came - taken
    assert all(fen >= 0 for address, fen in after.items() if address == ONLINE)
