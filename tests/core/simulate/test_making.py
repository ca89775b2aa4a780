from __future__ import annotations

import pytest

from citycard.errors import HabitsMissing, PassphraseNotFound, SimulationPlanInvalid, SimulationThere
from citycard.simulate.making import simulate
from citycard.simulate.plan import SimulationPlan

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


def test_a_process_that_cannot_open_the_city_says_why(kiosk_town, tmp_path, capfd):
    city = kiosk_town("town")
    assert city.vault.versions()
    (city.folder / "vault.pass").unlink()
    with pytest.raises(PassphraseNotFound):
        simulate(city, PLAN, tmp_path / "out", processes=2)
    assert "Traceback" not in capfd.readouterr().err
