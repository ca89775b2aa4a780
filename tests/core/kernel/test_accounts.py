"""A plugin's ledger accounts stand under its own name, and the ledger can open them."""

from __future__ import annotations

import pytest

from citycard import LedgerAccount
from citycard.errors import DeclarationInvalid
from citycard.ledger import AccountSpec, Ledger


def test_an_account_under_the_plugins_name_is_opened_in_the_ledger(plugin, city, engine):
    def citycard_accounts(settings):
        yield LedgerAccount(address="zoo/deposits", code=2003, title="Deposits for prams", guard="dr<=cr")

    plugins = city(plugin("zoo", citycard_accounts))

    (owned,) = plugins.accounts()
    spec = owned.record.spec(owned.owner.plugin)
    assert AccountSpec(address="zoo/deposits", code=2003, guard="dr<=cr", owner="zoo") == spec
    with engine.begin() as conn:
        ledger = Ledger(engine)
        ledger.open_accounts(conn, [spec])
        assert ledger.balance_fen(conn, "zoo/deposits") == 0


def test_an_account_under_another_name_is_refused(plugin, city, states):
    plugins = city(plugin("zoo", accounts=[LedgerAccount(address="trust/bank", code=1001, title="Mine now")]))

    assert states(plugins)["zoo"] == ("refused", "account 'trust/bank' must begin with 'zoo/'")


@pytest.mark.parametrize(
    ("field", "value"), [("address", ""), ("code", 999), ("code", 10_000), ("title", "")]
)
def test_an_account_is_checked_when_it_is_made(field, value):
    with pytest.raises(DeclarationInvalid, match=f"LedgerAccount.{field} is"):
        LedgerAccount(**{"address": "zoo/a", "code": 2003, "title": "A", field: value})
