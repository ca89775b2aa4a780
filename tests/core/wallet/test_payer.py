from uuid import UUID

import pytest

from citycard.errors import PayerInvalid
from citycard.wallet.payer import Payer, PayerKind

ORDER = UUID(int=7)


@pytest.mark.parametrize(
    ("words", "kind", "address", "code", "ahead"),
    [
        ("", PayerKind.CASH, "trust/bank", 1001, False),
        ("kiosk-7", PayerKind.AGENT, "agent/kiosk-7/receivable", 1101, False),
        ("refund/01", PayerKind.REFUND, "card/01/refund", 2203, False),
        (f"order/{ORDER}", PayerKind.ORDER, "topup/in-flight", 2206, True),
        ("account/0104", PayerKind.ACCOUNT, "account/0104/online", 2002, True),
        ("subsidy/pupils", PayerKind.SUBSIDY, "subsidy/pupils/fund", 2204, True),
    ],
)
def test_a_payer_is_named_in_words_and_has_an_account(words, kind, address, code, ahead):
    payer = Payer.read(words)
    assert (payer.kind, payer.words, payer.address) == (kind, words, address)
    assert (payer.account.code, payer.reserved_ahead) == (code, ahead)
    assert str(payer.account.guard) == ("dr<=cr" if ahead else "none")


def test_an_order_is_a_payer():
    assert Payer.order(ORDER).words == f"order/{ORDER}"


@pytest.mark.parametrize("words", ["gift/1", "order/", "/", "cash/1", "agent/kiosk-7", "a" * 101])
def test_other_words_are_refused(words):
    with pytest.raises(PayerInvalid, match="expected a partner's id"):
        Payer.read(words)
