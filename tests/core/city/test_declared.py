"""Partners and accounts that plugins declare are opened once, and what is there is left alone."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from citycard import registry
from citycard.city import City
from citycard.errors import AccountConflict, RegistryMissing
from citycard.ledger import AccountSpec
from citycard.registry.tables import partner
from citycard.store import reading, writing


def partners(city):
    with reading(city.engine) as conn:
        return {each.id: each for each in registry.partners(conn)}


def deposits(city):
    with reading(city.engine) as conn:
        return city.ledger.balance(conn, "yard/deposits")


def test_a_new_city_has_the_partners_and_accounts_of_its_plugins(city):
    assert partners(city)["yard"].account_no == "6200990100000700001"
    assert (deposits(city).code, deposits(city).owner, str(deposits(city).guard)) == (2003, "yard", "dr<=cr")


def test_opening_again_opens_nothing(city):
    assert city.open_declared() == 0


def test_an_operators_change_is_never_overwritten(city):
    with writing(city.engine) as conn:
        conn.execute(update(partner).values(account_no="6200990100000999999", name="Renamed"))

    assert city.open_declared() == 0

    assert partners(city)["yard"].account_no == "6200990100000999999"


def test_a_plugin_that_comes_later_is_opened_then(city):
    with writing(city.engine) as conn:
        conn.execute(partner.delete())

    city.upgrade()

    assert list(partners(city)) == ["yard"]


def test_one_plugins_mistake_keeps_nobody_else_out(city):
    with writing(city.engine) as conn:
        conn.execute(partner.delete())
    city.plugins.enable("loud", by="a test")

    with pytest.raises(RegistryMissing, match="district"):
        city.open_declared()

    assert list(partners(city)) == ["yard"]


def test_an_account_that_is_open_as_somebody_elses_is_an_error(city, yard, tmp_path):
    template = tmp_path / "template.toml"
    bare = tmp_path / "bare.toml"
    bare.write_text(template.read_text().replace('enable = ["yard"]', ""))
    with_account = City.create(tmp_path / "bare", bare)
    with writing(with_account.engine) as conn:
        with_account.ledger.open_accounts(
            conn, [AccountSpec(address="yard/deposits", code=2003, owner="somebody")]
        )
    with_account.plugins.enable("yard", by="a test")

    with pytest.raises(AccountConflict, match="yard/deposits"):
        with_account.open_declared()
    with_account.close()


def test_a_key_purpose_belongs_to_the_plugin_that_declares_it(city):
    owners = {purpose.name: purpose.owner for purpose in city.vault.purposes()}

    assert (owners["yard-gate"], owners["purchase"]) == ("yard", "citycard")
