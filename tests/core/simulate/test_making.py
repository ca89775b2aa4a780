from __future__ import annotations

import datetime as dt

import attrs
import pytest

from citycard import registry
from citycard.errors import HabitsMissing, PassphraseNotFound, SimulationPlanInvalid, SimulationThere
from citycard.simulate.making import simulate
from citycard.simulate.plan import SimulationPlan
from citycard.store import reading, writing
from citycard.terminal.batch import read_batch
from citycard.terminal.record import read_record

PLAN = SimulationPlan(cards=10, terminals=10, records=20)


@pytest.fixture
def city(bazaar, found_city, card_town, tmp_path):
    found = found_city(tmp_path / "city", card_town)
    yield found
    found.close()


def test_where_nobody_has_habits_nobody_taps(city, tmp_path):
    with pytest.raises(HabitsMissing, match="switch on a plugin whose services have some"):
        simulate(city, PLAN, tmp_path / "out")
    assert not list(tmp_path.glob("out/**/*.ccb"))


def test_files_that_are_there_are_not_written_over(city, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(SimulationThere):
        simulate(city, PLAN, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("cards", 0), ("terminals", 0), ("records", -1), ("days", 29), ("faults", 0.2), ("seed", -1)],
)
def test_a_plan_out_of_bounds_names_its_field(field, value):
    with pytest.raises(SimulationPlanInvalid, match=rf"{field} is {value}: expected from"):
        SimulationPlan(**{"cards": 10, "terminals": 10, "records": 20} | {field: value})


def test_a_tap_is_made_at_the_terminal_that_its_habit_names(gate_town, tmp_path):
    east = registry.Terminal(number="990200000071", partner="wardens", opened_on=dt.date(2020, 1, 1))
    gate_town.open_declared()
    with writing(gate_town.engine) as conn:
        registry.add_terminals(conn, [east])
    simulate(gate_town, attrs.evolve(PLAN, terminals=20, records=200), tmp_path / "out")
    with reading(gate_town.engine) as conn:
        known = {one.number: one for one in registry.terminals(conn)}
    assert (known["990200000071"], known["990200000072"].partner) == (east, "wardens")
    assert len(known) == 20
    for gate in ("990200000071", "990200000072"):
        [file] = (tmp_path / "out").glob(f"001/{gate}-*.ccb")
        records = map(read_record, read_batch(file.read_bytes()).records)
        assert {(one.terminal, one.amount_fen) for one in records} == {(gate, 0)}


def test_too_few_terminals_for_those_that_habits_name_are_told(gate_town, tmp_path):
    message = "14 or more: 4 for each of the 3 partners with habits, and 1 for each of the 2 that habits name"
    with pytest.raises(SimulationPlanInvalid, match=message):
        simulate(gate_town, PLAN, tmp_path / "out")


def test_a_process_that_cannot_open_the_city_says_why(kiosk_town, tmp_path, capfd):
    city = kiosk_town("town")
    assert city.vault.versions()
    (city.folder / "vault.pass").unlink()
    with pytest.raises(PassphraseNotFound):
        simulate(city, PLAN, tmp_path / "out", processes=2)
    assert "Traceback" not in capfd.readouterr().err
