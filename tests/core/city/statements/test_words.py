"""Every transfer that moves money of a holder or a partner has a name in both languages."""

from citycard.city.statements.words import what_of
from citycard.ledger import TransferCode

# Holds move no money, quotas are control accounts, and points are no money.
UNSEEN = {"HELD", "RELEASED", "GRANTED", "RESERVED", "USED", "RESTORED", "EARNED", "LAPSED", "EXCHANGED"}


def test_every_code_that_moves_money_has_a_name_of_its_own():
    nameless = [
        code.name
        for code in TransferCode
        if what_of(code).en.startswith("Transfer of kind") and code.name.rpartition("_")[2] not in UNSEEN
    ]
    assert nameless == []


def test_a_plugins_code_is_named_by_its_number():
    assert what_of(1007).both() == "Transfer of kind 1007 类型1007转账"
