from citycard.wallet.addresses import agent_receivable, card_purse, partner_payable


def test_addresses_say_whose_they_are():
    assert card_purse("00000000000000000001") == "card/00000000000000000001/purse"
    assert partner_payable("metro-1") == "partner/metro-1/payable"
    assert agent_receivable("kiosk-7") == "agent/kiosk-7/receivable"
