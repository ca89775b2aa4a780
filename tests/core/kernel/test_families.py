"""The records of the card and of prices come out typed, with their owner, in the order of names."""

from __future__ import annotations

import pytest

from citycard import Adjustment, CardProduct, FeeRule, KeyPurpose, PriceRequest, SectorLayout, Service, Stage
from citycard.kernel.families import FAMILIES, OPEN_GROUPS, RESERVED, family
from citycard.kernel.owned import Owner


def test_every_family_has_a_hook_and_a_class_of_records():
    from citycard.kernel import hookspecs

    for each in FAMILIES:
        assert hasattr(hookspecs, each.hook)
        assert isinstance(each.record_class(), type)
        assert each is family(each.name)


def test_no_plugin_can_take_a_command_or_a_table_prefix_of_the_core():
    from citycard.cli.main import _COMMANDS
    from citycard.store.schema import CORE

    prefixes = {name.partition("_")[0] for name in CORE.metadata.tables if "_" in name}

    assert set() == set(_COMMANDS) - RESERVED
    assert set() == prefixes - RESERVED
    assert OPEN_GROUPS <= RESERVED


def test_a_record_comes_with_the_plugin_and_the_distribution_it_is_from(plugin, city, visits):
    def citycard_sectors():
        yield SectorLayout(name="visits", record=visits)

    plugins = city(plugin("zoo", citycard_sectors, version="1.2"))

    (owned,) = plugins.sectors()
    assert Owner(plugin="zoo", distribution="citycard-zoo", version="1.2") == owned.owner
    assert owned.record.name == "visits"


def test_records_come_by_plugins_name_and_then_as_declared(plugin, city):
    def products(*names):
        return [CardProduct(name=name) for name in names]

    plugins = city(
        plugin("zoo", card_products=products("c", "a")), plugin("park", card_products=products("b"))
    )

    assert [owned.record.name for owned in plugins.card_products()] == ["b", "c", "a"]


def test_a_key_purpose_and_a_fee_rule_carry_their_plugins_name(plugin, city):
    def citycard_key_purposes(settings):
        yield KeyPurpose(name="zoo-gate", kind=0x39, title="Gate")

    def citycard_fee_rules(settings):
        yield FeeRule(name="ticket", stage=Stage.BASE, apply=lambda *_: None)

    plugins = city(plugin("zoo", citycard_key_purposes, citycard_fee_rules))

    assert [owned.record.owner for owned in plugins.key_purposes()] == ["zoo"]
    assert [owned.record.owner for owned in plugins.fee_rules()] == ["zoo"]


def test_a_hook_may_give_a_list_a_tuple_or_a_generator_and_nothing(plugin, city):
    def citycard_card_products():
        return None

    plugins = city(
        plugin("zoo", citycard_card_products),
        plugin("park", card_products=(CardProduct(name="park"),)),
        plugin("farm", card_products=[CardProduct(name="farm")]),
        plugin("aviary", card_products=lambda: iter([CardProduct(name="aviary")])),
    )

    assert [owned.record.name for owned in plugins.card_products()] == ["aviary", "farm", "park"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (CardProduct(name="zoo"), "citycard_card_products gives one CardProduct: yield it, or give a list"),
        ("zoo", "citycard_card_products gives a str, expected CardProduct records"),
        ({"name": "zoo"}, "citycard_card_products gives a dict, expected CardProduct records"),
        (7, "citycard_card_products gives an int, expected CardProduct records"),
        ([CardProduct(name="zoo"), None], "citycard_card_products gives None, expected CardProduct"),
        ([CardProduct], "citycard_card_products gives a type, expected CardProduct"),
    ],
)
def test_anything_else_is_refused_with_what_it_was(answer, reason, plugin, city, states):
    plugins = city(plugin("zoo", card_products=[answer] if answer == CardProduct else answer))

    assert ("refused", reason) == states(plugins)["zoo"]


def test_two_fee_rules_of_one_name_in_one_plugin_are_refused_and_in_two_are_not(plugin, city, states):
    def rules(count):
        return [FeeRule(name="ticket", stage=Stage.BASE, apply=lambda *_: None)] * count

    plugins = city(
        plugin("zoo", fee_rules=rules(2)),
        plugin("park", fee_rules=rules(1)),
        plugin("farm", fee_rules=rules(1)),
    )

    assert states(plugins)["zoo"] == ("refused", "citycard_fee_rules declares fee-rule 'zoo.ticket' twice")
    assert len(plugins.rules().rules) == 2


def test_the_rules_of_all_plugins_price_together(plugin, city, at):
    def citycard_fee_rules(settings):
        yield FeeRule(
            name="ticket",
            stage=Stage.BASE,
            services=("zoo",),
            apply=lambda *_: Adjustment(amount_fen=2000, reason="day ticket"),
        )

    half = FeeRule(
        name="half",
        stage=Stage.CONCESSION,
        apply=lambda request, fen: (
            Adjustment(amount_fen=fen // 2, reason="student") if "student" in request.entitlements else None
        ),
    )
    zoo = plugin("zoo", citycard_fee_rules, services=[Service(name="zoo", number=700, title="Zoo")])
    plugins = city(zoo, plugin("campus", fee_rules=[half]))

    quote = plugins.rules().quote(PriceRequest(service="zoo", at=at, entitlements=["student"]))

    assert quote.amount_fen == 1000
    assert [(step.owner, step.rule) for step in quote.steps] == [("zoo", "ticket"), ("campus", "half")]
