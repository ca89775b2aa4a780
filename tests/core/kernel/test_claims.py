"""A thing has one owner; what cards and ledgers carry keeps it also while the plugin is off or gone."""

from __future__ import annotations

import pytest

from citycard import (
    CardProduct,
    Command,
    KeyPurpose,
    LedgerAccount,
    Participant,
    Schema,
    SectorLayout,
    Service,
)
from citycard.errors import ClaimTaken
from citycard.kernel import Plugins
from citycard.kernel.choices import Choices
from citycard.store import reading


@pytest.fixture
def same_claim(visits):
    """Records of one kind that two plugins can both declare, by family."""
    return {
        "sectors": [SectorLayout(name="meadow", record=visits)],
        "key_purposes": [KeyPurpose(name="meadow", kind=0x39, title="Meadow")],
        "card_products": [CardProduct(name="meadow")],
        "services": [Service(name="meadow", number=700, title="Meadow")],
        "participants": [Participant(id="meadow", name="Meadow")],
        "commands": [Command(path=("replay", "meadow"), target="a:b", summary="Replay a meadow")],
    }


FAMILIES = {
    "sectors": "sector 'meadow'",
    "key_purposes": "key-purpose 'meadow'",
    "card_products": "card-product 'meadow'",
    "services": "service 'meadow'",
    "participants": "participant 'meadow'",
    "commands": "command 'replay meadow'",
}
STICKY = ("sectors", "key_purposes")


@pytest.mark.parametrize(("family", "claim"), FAMILIES.items())
def test_the_second_to_claim_a_thing_is_refused_and_both_distributions_are_named(
    family, claim, same_claim, plugin, city
):
    records = {family: same_claim[family]}
    zoo, park = plugin("zoo", **records), plugin("park", version="0.2", **records)
    plugins = city(zoo, park, enable=["zoo"])

    with pytest.raises(ClaimTaken) as refused:
        plugins.enable("park", by="a test")

    assert str(refused.value).startswith(f"{claim} is claimed by citycard-zoo 1.0 and by citycard-park 0.2: ")
    assert plugins.enabled("zoo")
    assert not plugins.enabled("park")


def test_two_services_of_one_number_conflict_whatever_their_names(plugin, city):
    zoo = plugin("zoo", services=[Service(name="zoo", number=700, title="Zoo")])
    park = plugin("park", services=[Service(name="park", number=700, title="Park")])
    plugins = city(zoo, park, enable=["zoo"])

    with pytest.raises(
        ClaimTaken, match=r"service-number '700' is claimed by citycard-zoo 1.0 and by citycard-park"
    ):
        plugins.enable("park", by="a test")


@pytest.mark.parametrize("family", FAMILIES)
def test_after_disabling_only_sticky_claims_stay(family, same_claim, plugin, city):
    records = {family: same_claim[family]}
    plugins = city(plugin("zoo", **records), plugin("park", **records), enable=["zoo"])

    plugins.disable("zoo", by="a test")

    if family in STICKY or family == "services":
        with pytest.raises(ClaimTaken, match="stays reserved for citycard-zoo"):
            plugins.enable("park", by="a test")
    else:
        plugins.enable("park", by="a test")
        assert plugins.enabled("park")


def test_sticky_claims_survive_the_process_and_the_plugin(same_claim, plugin, city):
    sectors = {"sectors": same_claim["sectors"]}
    city(plugin("zoo", **sectors))

    uninstalled = city(plugin("park", **sectors), enable=[])

    with pytest.raises(
        ClaimTaken, match=r"sector 'meadow' is claimed by citycard-zoo 1.0 and by citycard-park 1.0"
    ):
        uninstalled.enable("park", by="a test")
    gone = uninstalled.report("zoo")
    assert gone.state == "missing"
    assert gone.reason == "not installed; what it claimed stays reserved"
    assert gone.claims == ({"kind": "sector", "key": "meadow", "sticky": True},)


def test_who_held_a_thing_first_gets_it_again_whatever_comes_first_by_name(same_claim, plugin, city):
    sectors = {"sectors": same_claim["sectors"]}
    city(plugin("zoo", **sectors))

    plugins = city(plugin("aviary", **sectors), plugin("zoo", **sectors))

    assert plugins.enabled("zoo")
    assert not plugins.enabled("aviary")


def test_a_new_version_of_the_same_distribution_keeps_its_claims(same_claim, plugin, city):
    sectors = {"sectors": same_claim["sectors"]}
    city(plugin("zoo", version="1.0", **sectors))

    assert city(plugin("zoo", version="2.0", **sectors)).enabled("zoo")


def test_another_distribution_under_the_same_plugin_name_does_not_inherit_the_claims(
    same_claim, plugin, city
):
    sectors = {"sectors": same_claim["sectors"]}
    city(plugin("zoo", **sectors))

    plugins = city(plugin("zoo", distribution="zoo-of-somebody-else", **sectors))

    assert not plugins.enabled("zoo")
    assert "is claimed by citycard-zoo 1.0 and by zoo-of-somebody-else 1.0" in plugins.report("zoo").reason


def test_a_thing_claimed_twice_by_one_plugin_is_refused(same_claim, plugin, city):
    plugins = city(plugin("zoo", sectors=same_claim["sectors"] * 2))

    assert plugins.report("zoo").reason == "citycard_sectors declares sector 'meadow' twice"


def test_the_key_purposes_and_accounts_of_the_core_cannot_be_claimed(plugin, city):
    keys = plugin("zoo", key_purposes=[KeyPurpose(name="purchase", kind=0x3E, title="Mine now")])
    account = LedgerAccount(address="transit/settlement", code=1103, title="Mine now")
    plugins = city(keys, plugin("transit", accounts=[account]))

    assert (
        "key-purpose 'purchase' is claimed by citycard itself and by citycard-zoo 1.0"
        in plugins.report("zoo").reason
    )
    assert "account 'transit/settlement' is claimed by citycard itself" in plugins.report("transit").reason


def test_a_claim_tells_its_owner_also_while_the_plugin_is_off(plugin, city):
    plugins = city(plugin("zoo", services=[Service(name="zoo", number=700, title="Zoo")]))
    plugins.disable("zoo", by="a test")

    owner = plugins.owner_of("service-number", "700")

    assert owner is not None
    assert (owner.plugin, str(owner)) == ("zoo", "citycard-zoo 1.0")
    assert plugins.service(700) is None


def test_three_that_overlap_in_a_chain_are_all_refused(plugin, city, states):
    def services(*numbers):
        return [Service(name=f"service-{number}", number=number, title="Some") for number in numbers]

    plugins = city(
        plugin("one", services=services(1)),
        plugin("two", services=services(1, 2)),
        plugin("three", services=services(2)),
        plugin("four", services=services(4)),
    )

    assert {name: state for name, (state, _) in states(plugins).items()} == {
        "one": "refused",
        "two": "refused",
        "three": "refused",
        "four": "enabled",
    }


def test_a_table_prefix_is_claimed_with_the_schema(plugin, city, tmp_path):
    from sqlalchemy import MetaData

    plugins = city(plugin("zoo", schema=Schema(metadata=MetaData(), migrations=tmp_path)), engine=None)

    assert plugins.report("zoo").claims == ({"kind": "table-prefix", "key": "zoo_", "sticky": True},)


def test_of_two_processes_that_start_at_once_the_one_that_wrote_first_keeps_the_claim(
    same_claim, plugin, city, engine
):
    sectors = {"sectors": same_claim["sectors"]}
    slow = Plugins(Choices(enable=("zoo",)), engine, installed=lambda: [plugin("zoo", **sectors)])
    with reading(engine) as conn:
        slow.reconcile(conn, remember=False)
    assert slow.enabled("zoo")

    fast = city(plugin("park", **sectors))
    slow.reconcile()

    assert fast.enabled("park")
    assert not slow.enabled("zoo")
    assert (
        "sector 'meadow' is claimed by citycard-park 1.0 and by citycard-zoo 1.0" in slow.report("zoo").reason
    )
