"""Tables are the plugin's own and up to date before it runs; events are typed, and observers harm nobody."""

from __future__ import annotations

import attrs
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, inspect

from citycard import Event, EventType, PersonalData, Schema
from citycard.errors import DeclarationInvalid, EventUnknown, PluginFailed


@attrs.frozen(kw_only=True)
class Fed:
    animal: str


FED = EventType(name="zoo.animal-fed", title="An animal was fed", body=Fed)


def tables(engine):
    return [name for name in inspect(engine).get_table_names() if "tabled" in name]


def test_a_plugin_whose_tables_are_behind_does_not_run_until_it_is_enabled_again(
    on_disk, city, engine, states
):
    installed = on_disk("tabled")

    plugins = city(*installed())

    assert states(plugins)["tabled"] == (
        "migration-due",
        "its tables are not there, it needs tabled_0001: citycard plugin enable tabled upgrades them",
    )
    assert tables(engine) == []

    plugins.enable("tabled", by="a test")

    assert states(plugins)["tabled"] == ("enabled", "")
    assert tables(engine) == ["citycard_version_tabled", "tabled_visit"]
    assert [name for each in plugins.schemas() for name in each.record.metadata.tables] == ["tabled_visit"]


def test_disabling_keeps_the_tables_and_what_is_in_them(on_disk, city, engine):
    plugins = city(*on_disk("tabled")(), enable=[])
    plugins.enable("tabled", by="a test")
    with engine.begin() as conn:
        conn.exec_driver_sql("INSERT INTO tabled_visit (id) VALUES (7)")

    plugins.disable("tabled", by="a test")
    plugins.enable("tabled", by="a test")

    with engine.begin() as conn:
        assert [tuple(row) for row in conn.exec_driver_sql("SELECT id FROM tabled_visit")] == [(7,)]


def test_a_table_outside_the_plugins_prefix_is_refused(plugin, city, states, tmp_path):
    metadata = MetaData()
    Table("visits", metadata, Column("id", Integer, primary_key=True))

    def citycard_schema(settings):
        return Schema(metadata=metadata, migrations=tmp_path)

    plugins = city(plugin("zoo", citycard_schema))

    assert states(plugins)["zoo"] == (
        "refused",
        "plugin zoo: table 'visits' must be named zoo_…, in no schema",
    )


def test_two_schemas_or_a_wrong_thing_are_refused(plugin, city, states, tmp_path):
    plugins = city(plugin("zoo", schema=[Schema(metadata=MetaData(), migrations=tmp_path)]))

    assert states(plugins)["zoo"] == ("refused", "citycard_schema gives a list, expected Schema")
    with pytest.raises(DeclarationInvalid, match=r"Schema.metadata is .*: expected an SQLAlchemy MetaData"):
        Schema(metadata="zoo", migrations=tmp_path)


def test_personal_data_is_handed_over_and_erased_by_its_owner(plugin, city, engine):
    kept = {"1": ["a pram"]}

    def export(conn, asn):
        for thing in kept.get(asn, ()):
            yield {"thing": thing}

    def erase(conn, asn):
        return len(kept.pop(asn))

    def citycard_personal_data(settings):
        yield PersonalData(name="lost", title="Lost property", export=export, erase=erase)

    plugins = city(plugin("zoo", citycard_personal_data))

    (owned,) = plugins.personal_data()
    with engine.begin() as conn:
        assert list(owned.record.export(conn, "1")) == [{"thing": "a pram"}]
        assert owned.record.erase(conn, "1") == 1
        with pytest.raises(PluginFailed, match=r"personal_data lost \(erase\): KeyError: '1'"):
            owned.record.erase(conn, "1")


def test_an_event_reaches_everybody_in_the_order_of_names(plugin, city):
    heard = []

    def citycard_event_types(settings):
        yield FED

    def citycard_on_event(event):
        heard.append(("zoo", event.body.animal))

    plugins = city(
        plugin("zoo", citycard_event_types, citycard_on_event),
        plugin("aviary", on_event=lambda event: heard.append(("aviary", event.name))),
    )

    plugins.tell(Event(name="zoo.animal-fed", body=Fed(animal="lion")))

    assert heard == [("aviary", "zoo.animal-fed"), ("zoo", "lion")]


def test_an_observer_that_raises_is_counted_and_nobody_else_notices(plugin, city, caplog):
    heard = []

    def citycard_on_event(event):
        raise RuntimeError("deaf")

    plugins = city(
        plugin("bad", citycard_on_event),
        plugin("zoo", event_types=[FED], on_event=lambda event: heard.append(event.id)),
    )

    for _ in range(2):
        plugins.tell(Event(name="zoo.animal-fed", body=Fed(animal="lion")))

    assert len(heard) == 2
    report = plugins.report("bad")
    assert (report.state, report.running, report.failures) == ("failed", True, 2)
    assert report.reason == (
        "raised 2 times while running; last raised in citycard_on_event: RuntimeError: deaf"
    )
    assert "plugin bad (citycard-bad 1.0) failed in citycard_on_event: RuntimeError: deaf" in caplog.text


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("zoo.closed", Fed(animal="lion"), "no running plugin declares it"),
        ("zoo.animal-fed", "lion", "it gave str, expected Fed"),
    ],
)
def test_an_event_that_is_not_declared_so_cannot_be_told(name, body, reason, plugin, city):
    plugins = city(plugin("zoo", event_types=[FED]))

    with pytest.raises(EventUnknown, match=f"event '{name}' cannot be told: {reason}"):
        plugins.tell(Event(name=name, body=body))


def test_an_event_type_must_carry_the_plugins_name(plugin, city, states):
    plugins = city(plugin("park", event_types=[FED]))

    assert states(plugins)["park"] == ("refused", "event-type 'zoo.animal-fed' must begin with 'park.'")
