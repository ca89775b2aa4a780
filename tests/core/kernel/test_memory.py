"""Who wants a plugin where: the partner's wish goes before the district's, that before the city's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard import FeeRule, Service, Stage
from citycard.errors import ClaimTaken, PluginNeeded, PluginUnknown
from citycard.kernel.memory import Memory, Scope, Wish, forget_wish, read_memory, write_wish

NOW = datetime(2018, 9, 1, tzinfo=UTC)
SCOPES = [Scope(), Scope("district", "nanshan"), Scope("district", "futian"), Scope("partner", "metro")]
SWITCHES = st.lists(
    st.tuples(st.sampled_from(["zoo", "park"]), st.sampled_from(SCOPES), st.sampled_from([True, False, None]))
)


def wish(plugin, scope, wanted):
    return Wish(plugin=plugin, scope=scope, wanted=wanted, changed_at=NOW, changed_by="mei")


def after(memory, plugin, scope, wanted):
    if wanted is None:
        return memory.without_wish(plugin, scope)
    return memory.with_wish(wish(plugin, scope, wanted))


class Board:
    """The rule told in another way: a light per plugin and scope; off for the city puts out all.

    A light that is neither on nor off (None) is unscrewed, and the wider one shines there.
    """

    def __init__(self):
        self.lights = {}

    def switch(self, plugin, scope, wanted):
        if wanted is None:
            self.lights.pop((plugin, scope), None)
            return
        if scope == Scope() and not wanted:
            self.lights = {key: on for key, on in self.lights.items() if key[0] != plugin or not on}
        self.lights[plugin, scope] = wanted

    def lit(self, plugin, district, partner):
        asked = [Scope("partner", partner)] if partner else []
        asked += [Scope("district", district)] if district else []
        for scope in [*asked, Scope()]:
            if (plugin, scope) in self.lights:
                return self.lights[plugin, scope]
        return False


PLACES = [(None, None), ("nanshan", None), ("futian", None), (None, "metro"), ("futian", "metro")]


@given(SWITCHES)
def test_any_row_of_switches_gives_what_the_board_shows(switches):
    memory, board = Memory(), Board()
    for plugin, scope, wanted in switches:
        before = memory
        memory = after(memory, plugin, scope, wanted)
        board.switch(plugin, scope, wanted)
        unchanged = wanted is None and memory.wishes == before.wishes
        assert memory.epoch == before.epoch + (not unchanged)

    for plugin in ("zoo", "park"):
        for district, partner in PLACES:
            assert board.lit(plugin, district, partner) == memory.wanted(plugin, district, partner)
        lit = any(on for (name, _), on in board.lights.items() if name == plugin)
        assert lit == memory.anywhere(plugin)


def test_each_database_remembers_what_the_value_says(store):
    memory = Memory(stored=True)
    switches = [
        ("zoo", Scope(), True),
        ("zoo", Scope("district", "nanshan"), False),
        ("zoo", Scope("partner", "metro"), True),
        ("park", Scope("district", "futian"), True),
        ("zoo", Scope(), False),
        ("zoo", Scope("district", "nanshan"), True),
        ("park", Scope("district", "futian"), None),
        ("park", Scope("partner", "metro"), None),
    ]
    for plugin, scope, wanted in switches:
        memory = after(memory, plugin, scope, wanted)
        with store.begin() as conn:
            if wanted is None:
                forget_wish(conn, plugin, scope)
            else:
                write_wish(conn, wish(plugin, scope, wanted))

    with store.connect() as conn:
        assert memory == read_memory(conn)


def test_a_plugin_can_be_on_in_one_district_only(plugin, city):
    plugins = city(plugin("zoo", services=[Service(name="zoo", number=700, title="Zoo")]), enable=[])

    plugins.enable("zoo", by="mei", district="nanshan")

    assert plugins.enabled("zoo", district="nanshan")
    assert not plugins.enabled("zoo", district="futian")
    assert len(plugins.services(district="nanshan")) == 1
    assert plugins.services(district="futian") == []
    assert tuple(
        plugins.report("zoo").scopes[0][field] for field in ("scope", "id", "wanted", "changed_by")
    ) == ("district", "nanshan", True, "mei")


def test_a_partner_can_be_left_out_of_a_district_that_has_the_plugin(plugin, city):
    plugins = city(plugin("zoo", services=[Service(name="zoo", number=700, title="Zoo")]))

    plugins.disable("zoo", by="mei", partner="metro")

    assert plugins.services(district="nanshan")
    assert not plugins.services(district="nanshan", partner="metro")
    assert plugins.services(partner="bus")


def test_off_for_the_city_is_off_in_every_district(plugin, city):
    plugins = city(plugin("zoo", services=[Service(name="zoo", number=700, title="Zoo")]), enable=[])
    plugins.enable("zoo", by="mei", district="nanshan")

    plugins.disable("zoo", by="mei")

    assert plugins.services() == []
    assert not plugins.enabled("zoo", district="nanshan")


def test_a_switch_of_its_own_is_taken_back_and_the_wider_one_counts_again(plugin, city):
    plugins = city(plugin("zoo", services=[Service(name="zoo", number=700, title="Zoo")]))
    plugins.disable("zoo", by="mei", partner="metro")
    plugins.disable("zoo", by="mei", district="nanshan")

    plugins.reset("zoo", partner="metro")
    assert not plugins.enabled("zoo", "nanshan", "metro")
    assert plugins.enabled("zoo", partner="metro")
    before = plugins.reset("zoo", district="nanshan")
    assert plugins.enabled("zoo", "nanshan", "metro")

    epoch = plugins.epoch
    assert plugins.reset("zoo", partner="metro") == before
    assert plugins.epoch == epoch
    with pytest.raises(PluginUnknown):
        plugins.reset("nobody", partner="metro")


def test_a_plugin_stops_when_the_last_switch_that_wanted_it_is_taken_back(plugin, city):
    plugins = city(plugin("zoo"), enable=[])
    plugins.enable("zoo", by="mei", district="nanshan")

    assert plugins.reset("zoo", district="nanshan").state == "disabled"


def test_a_switch_is_not_taken_back_under_what_needs_it_there(plugin, city):
    plugins = city(plugin("zoo"), plugin("aviary", requires=["zoo"]), enable=[])
    for name in ("zoo", "aviary"):
        plugins.enable(name, by="mei", district="nanshan")

    with pytest.raises(PluginNeeded, match="aviary need it"):
        plugins.reset("zoo", district="nanshan")


def test_the_rules_of_a_scope_are_those_of_the_plugins_that_are_on_there(plugin, city):
    def rules(name):
        return [FeeRule(name=f"{name}-rule", stage=Stage.FEE, apply=lambda *_: None)]

    plugins = city(plugin("zoo", fee_rules=rules("zoo")), plugin("park", fee_rules=rules("park")))
    plugins.disable("park", by="mei", district="nanshan")

    assert [rule.name for rule in plugins.rules().rules] == ["park-rule", "zoo-rule"]
    assert [rule.name for rule in plugins.rules(district="nanshan").rules] == ["zoo-rule"]
    assert plugins.rules() is plugins.rules()
    assert plugins.rules().version != plugins.rules(district="nanshan").version


def test_switching_and_claiming_work_on_each_database(store, plugin, city):
    def opened():
        zoo = plugin("zoo", services=[Service(name="zoo", number=700, title="Zoo")])
        park = plugin("park", services=[Service(name="park", number=700, title="Park")])
        return city(zoo, park, enable=[], engine=store)

    here, there = opened(), opened()

    here.enable("zoo", by="mei", district="nanshan")
    assert there.refresh().started == ("zoo",)
    here.disable("zoo", by="mei")
    assert there.refresh().stopped == ("zoo",)

    with pytest.raises(
        ClaimTaken, match=r"service-number '700' is claimed by citycard-zoo 1\.0 and by citycard-park"
    ):
        opened().enable("park", by="mei")
    assert here.epoch == there.epoch == 2
