"""What a POS asks happens once, and every answer has the code that says how it ended."""

from datetime import timedelta
from unittest.mock import Mock

import attrs
import pytest

from citycard import registry
from citycard.city import charging
from citycard.errors import RefundRefused
from citycard.ledger.chart import AccountCode
from citycard.store import reading, writing
from citycard.wallet import available_fen, online_account, partner_payable, payments_of
from citycard_retail import pos as pos_module
from citycard_retail import sales
from citycard_retail.errors import MessageInvalid
from citycard_retail.iso import Message, write_message
from citycard_retail.tables import message


def money(pos, number):
    """Return what an account has, what the hotel is owed, and what the fees came to."""
    city = pos.shops.town.city
    with reading(city.engine) as conn:
        owed = city.ledger.balances(conn, AccountCode.PAYABLE_TO_PARTNERS)
        free_fen = available_fen(conn, city.wallet, online_account(number))
        return free_fen, *(owed.get(partner_payable(name), 0) for name in ("grand-hotel", "retail-fees"))


def test_a_purchase_is_paid_from_the_account_less_the_fee_once(pos, guest):
    asked = pos.purchase(guest, 10_000)
    first = pos.send(asked)
    assert (first["39"], first["4"], len(first["37"]), len(first["38"])) == ("00", "000000010000", 12, 6)
    assert pos.send(asked) == first
    assert pos.send(attrs.evolve(asked, mti="0201")) == first
    assert money(pos, guest) == (90_000, 9_900, 100)


def test_a_stan_stands_for_one_message(pos, guest):
    pos.send(pos.purchase(guest, 10_000))
    assert pos.send(pos.purchase(guest, 10_001, stan="000001"))["39"] == "94"
    assert money(pos, guest) == (90_000, 9_900, 100)


def test_a_reversal_undoes_a_purchase_once_with_its_fee(pos, guest):
    asked = pos.purchase(guest, 10_000)
    pos.send(asked)
    reversal = pos.message("0400", _3="000000", _4="000000010000", _90=pos.original(asked))
    assert pos.send(reversal)["39"] == "00"
    assert pos.send(attrs.evolve(reversal, mti="0401"))["39"] == "00"
    assert pos.ask("0400", _90=pos.original(asked))["39"] == "00"
    assert money(pos, guest) == (100_000, 0, 0)


def test_a_reversal_before_its_original_leaves_the_original_nothing_to_do(pos, guest):
    late = pos.purchase(guest, 10_000)
    assert pos.ask("0400", _90=pos.original(late))["39"] == "21"
    assert pos.send(late)["39"] == "21"
    assert money(pos, guest) == (100_000, 0, 0)


def test_a_hold_is_completed_by_an_advice_for_less(pos, guest):
    held = pos.ask("0100", _3="000000", _4="000000050000", _49="156", _102=guest)
    assert (held["39"], money(pos, guest)) == ("00", (50_000, 0, 0))
    advice = pos.message("0220", _3="000000", _4="000000032000", _49="156", _37=held["37"])
    assert [pos.send(advice)["39"] for _ in range(2)] == ["00", "00"]
    assert money(pos, guest) == (68_000, 31_680, 320)
    assert pos.ask("0220", _3="000000", _4="000000000100", _49="156", _37=held["37"])["39"] == "12"


def test_a_reversed_hold_is_free(pos, guest):
    asked = pos.message("0100", _3="000000", _4="000000050000", _102=guest)
    pos.send(asked)
    assert pos.ask("0400", _90=pos.original(asked))["39"] == "00"
    assert money(pos, guest) == (100_000, 0, 0)


def test_a_purchase_made_alone_is_told_afterwards(pos, guest):
    assert pos.ask("0220", _3="000000", _4="000000000700", _49="156", _102=guest)["39"] == "00"
    assert money(pos, guest) == (99_300, 693, 7)


def test_a_void_gives_the_fee_back_and_a_refund_keeps_it_as_the_tier_says(pos, guest):
    voided = pos.send(pos.purchase(guest, 5_000))["37"]
    kept = pos.send(pos.purchase(guest, 10_000))["37"]
    assert pos.ask("0200", _3="020000", _4="000000004999", _49="156", _37=voided)["39"] == "13"
    assert pos.ask("0200", _3="020000", _4="000000005000", _49="156", _37=voided)["39"] == "00"
    assert pos.ask("0200", _3="200000", _4="000000002500", _49="156", _37=kept)["39"] == "00"
    assert money(pos, guest) == (92_500, 7_400, 100)
    assert pos.ask("0200", _3="200000", _4="000000007501", _49="156", _37=kept)["39"] == "12"
    assert pos.ask("0200", _3="200000", _4="000000000001", _49="156", _37="000000000000")["39"] == "25"


def totals(debits, debits_fen, returns=0, returns_fen=0):
    net = debits_fen - returns_fen
    return {
        "_74": f"{returns:010d}",
        "_76": f"{debits:010d}",
        "_86": f"{returns_fen:016d}",
        "_88": f"{debits_fen:016d}",
        "_97": f"{'C' if net >= 0 else 'D'}{abs(net):016d}",
    }


def test_a_batch_is_closed_when_both_have_the_same_totals(pos, guest):
    first = pos.send(pos.purchase(guest, 10_000))["37"]
    gone = pos.purchase(guest, 3_000)
    pos.send(gone)
    pos.ask("0400", _90=pos.original(gone))
    pos.send(pos.purchase(guest, 900_000_000))
    pos.ask("0200", _3="200000", _4="000000002500", _49="156", _37=first)

    wrong = pos.ask("0500", _60="1", **totals(2, 13_000))
    assert (wrong["39"], wrong["66"], wrong["76"], wrong["97"]) == (
        "95",
        "2",
        "0000000001",
        "C0000000000007500",
    )
    right = pos.ask("0500", _60="1", **totals(1, 10_000, 1, 2_500))
    assert (right["39"], right["66"]) == ("00", "1")
    again = pos.ask("0500", _60="1", **totals(1, 10_000, 1, 2_500))
    assert (again["39"], again["66"]) == ("00", "1")
    empty = pos.ask("0500", _60="2", **totals(0, 0))
    assert (empty["39"], empty["66"]) == ("00", "1")
    assert pos.ask("0500", _60="4", **totals(0, 0))["39"] == "12"


def test_a_batch_stays_open_while_a_sale_of_it_has_no_answer(pos, guest):
    asked = pos.purchase(guest, 700)
    pos.send(asked)
    with writing(pos.shops.town.city.engine) as conn:  # as if the host had stopped before it was written down
        conn.execute(message.update().values(code="", reply=b""))
    assert pos.ask("0500", _60="1", **totals(0, 0))["39"] == "95"
    assert pos.send(asked)["39"] == "00"
    assert pos.ask("0500", _60="1", **totals(1, 700))["39"] == "00"
    assert money(pos, guest) == (99_300, 693, 7)


REFUSED = [
    ({"_102": "9" * 20}, "14"),
    ({"_4": "000000100001"}, "51"),
    ({"_4": "000000000000"}, "13"),
    ({"_4": "000000500001"}, "13"),
    ({"_3": "900000"}, "12"),
    ({"_42": "990170110000002"}, "03"),
    ({"_13": "0101"}, "30"),
    ({"_13": "0230"}, "30"),
]


def test_what_is_refused_says_why_and_moves_nothing(pos, guest):
    told = {"_3": "000000", "_4": "000000000100", "_49": "156", "_102": guest}
    assert [pos.ask("0200", **(told | fields))["39"] for fields, _ in REFUSED] == [
        code for _, code in REFUSED
    ]
    asked = pos.purchase(guest, 100)
    for missing in ("3", "4", "49", "102"):
        fields = {name: value for name, value in asked.fields.items() if name != missing}
        fields["11"] = missing.rjust(6, "9")
        assert pos.send(Message(mti="0200", fields=fields))["39"] == "30"
    assert money(pos, guest) == (100_000, 0, 0)


def test_a_wrong_mac_is_told_and_nothing_is_done(pos, guest):
    raw = bytearray(write_message(pos.purchase(guest, 100), pos.key))
    raw[raw.index(b"000000000100")] = ord("1")
    reply = pos.host.answer(bytes(raw))
    assert b"A0" in reply
    assert money(pos, guest) == (100_000, 0, 0)


def test_a_terminal_that_is_not_ours_or_revoked_is_refused(pos, guest, shops):
    city = shops.town.city
    with writing(city.engine) as conn:
        registry.set_terminal_status(conn, pos.terminal, registry.TerminalStatus.REVOKED)
    assert pos.send(pos.purchase(guest, 100))["39"] == "58"


def test_bytes_that_are_no_message_are_told_by_field(pos):
    for raw in (b"", b"0200", b"0200" + b"F" * 16, b"\xff" * 40, b"0" * 3000):
        with pytest.raises(MessageInvalid, match="response code 30"):
            pos.host.answer(raw)


def stopped(pos, monkeypatch, asked, module=sales, name="_end"):
    """Send a message whose host stops behind the payment."""

    def stop(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(module, name, stop)
        with pytest.raises(KeyboardInterrupt):
            pos.send(asked)


def test_a_purchase_that_stopped_behind_its_payment_is_reversed(pos, guest, monkeypatch):
    asked = pos.purchase(guest, 10_000)
    stopped(pos, monkeypatch, asked)
    assert money(pos, guest) == (90_000, 9_900, 100)
    assert pos.ask("0400", _90=pos.original(asked))["39"] == "00"
    assert money(pos, guest) == (100_000, 0, 0)
    assert pos.send(asked)["39"] == "21"


@pytest.mark.parametrize("again", [True, False])
def test_a_purchase_that_was_reversed_while_it_was_paid_is_undone_later(pos, guest, monkeypatch, again):
    asked = pos.purchase(guest, 10_000)
    stopped(pos, monkeypatch, asked)
    with writing(pos.shops.town.city.engine) as conn:  # as if the reversal had come before the payment
        conn.execute(message.update().values(reversed=1))
    if again:
        assert pos.send(asked)["39"] == "21"
    else:
        pos.shops.town.pass_time(timedelta(minutes=16))
        pos.shops.town.city.plugins.run_job("retail.finish")
    assert money(pos, guest) == (100_000, 0, 0)


def broken_void(monkeypatch, work, name="void_sale"):
    """Do what stops just before a void, or before a hold is released."""

    def stop(*_args, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(pos_module, name, stop)
        with pytest.raises(KeyboardInterrupt):
            work()


def test_a_job_that_stops_between_the_end_of_a_sale_and_its_void_goes_on_the_next_time(
    pos, guest, monkeypatch
):
    stopped(pos, monkeypatch, pos.purchase(guest, 10_000))
    city = pos.shops.town.city
    with writing(city.engine) as conn:  # as if the reversal had come before the payment
        conn.execute(message.update().values(reversed=1))
    pos.shops.town.pass_time(timedelta(minutes=16))
    broken_void(monkeypatch, pos.host.finish)
    assert money(pos, guest) == (90_000, 9_900, 100)
    for _ in range(2):
        city.plugins.run_job("retail.finish")
        assert money(pos, guest) == (100_000, 0, 0)


def test_a_reversal_that_stopped_before_its_void_and_is_never_sent_again_is_done_by_the_job(
    pos, guest, monkeypatch
):
    sold = pos.purchase(guest, 10_000)
    pos.send(sold)
    held = pos.message("0100", _3="000000", _4="000000050000", _102=guest)
    pos.send(held)
    broken_void(monkeypatch, lambda: pos.ask("0400", _90=pos.original(sold)))
    broken_void(monkeypatch, lambda: pos.ask("0400", _90=pos.original(held)), "release")
    assert money(pos, guest) == (40_000, 9_900, 100)
    pos.shops.town.city.plugins.run_job("retail.finish")
    assert money(pos, guest) == (100_000, 0, 0)


@pytest.mark.parametrize("again", [True, False])
def test_a_reversal_that_was_refused_is_done_once_nothing_is_in_its_way(pos, guest, monkeypatch, again):
    """By the POS that asks again, or by the job, which does so ever later; and never twice."""
    asked = pos.purchase(guest, 10_000)
    pos.send(asked)
    with monkeypatch.context() as refusing:
        refused = RefundRefused(id="x", left_fen=0, wanted_fen=10_000)
        refusing.setattr(charging, "give_back", Mock(side_effect=refused))
        assert [pos.ask("0400", _90=pos.original(asked))["39"] for _ in range(2)] == ["05", "05"]
    pos.shops.town.city.plugins.run_job("retail.finish")
    assert money(pos, guest) == (90_000, 9_900, 100)
    pos.shops.town.pass_time(timedelta(hours=1))
    for _ in range(2):
        if again:
            assert pos.ask("0400", _90=pos.original(asked))["39"] == "00"
        pos.shops.town.city.plugins.run_job("retail.finish")
        assert money(pos, guest) == (100_000, 0, 0)


def test_a_purchase_that_is_reversed_while_it_waits_is_never_paid(pos, guest, monkeypatch):
    asked, price = pos.purchase(guest, 10_000), charging.price

    def late(*given, **named):
        monkeypatch.setattr(charging, "price", price)
        assert pos.ask("0400", _90=pos.original(asked))["39"] == "00"
        return price(*given, **named)

    monkeypatch.setattr(charging, "price", late)
    assert [pos.send(asked)["39"] for _ in range(2)] == ["21", "21"]
    assert money(pos, guest) == (100_000, 0, 0)
    with reading(pos.shops.town.city.engine) as conn:
        assert payments_of(conn, number=guest) == []


def test_a_completion_that_stopped_behind_its_payment_is_reversed(pos, guest, monkeypatch):
    held = pos.ask("0100", _3="000000", _4="000000050000", _49="156", _102=guest)
    advice = pos.message("0220", _3="000000", _4="000000032000", _49="156", _37=held["37"])
    stopped(pos, monkeypatch, advice)
    assert pos.ask("0400", _90=pos.original(advice))["39"] == "00"
    assert money(pos, guest)[0] == 100_000
