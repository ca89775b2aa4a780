"""What is simulated is handed in and cleared: every fault is found by its code, and nothing else is."""

from __future__ import annotations

import pytest

from citycard.simulate.compare import compare, found_in
from citycard.simulate.delivering import clear_simulation
from citycard.simulate.kinds import CardFault, TerminalFault
from citycard.simulate.making import simulate
from citycard.simulate.plan import SimulationPlan
from citycard.simulate.truth import Truth
from citycard.store import reading


@pytest.mark.parametrize("days", [1, 3])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_fault_is_found_and_nothing_else_in_a_town_of_any_plugin(kiosk_town, tmp_path, days, seed):
    city = kiosk_town("town")
    plan = SimulationPlan(cards=300, terminals=40, records=3000, days=days, faults=0.02, seed=seed)
    simulate(city, plan, tmp_path / "out")
    truth = Truth.read(tmp_path / "out")
    assert {one.kind for one in truth.faults} == {one.title for one in (*CardFault, *TerminalFault)}
    clear_simulation(city, tmp_path / "out", truth)
    score = compare(truth, found_in(city, truth))
    assert (score.missed, score.wrong) == ((), ())
    assert score.faults_found == score.faults_injected == len(truth.faults)
    with reading(city.engine) as conn:
        assert city.ledger.audit(conn) == []


def test_every_fault_is_found_and_nothing_else_where_habits_name_terminals(gate_town, tmp_path):
    plan = SimulationPlan(cards=300, terminals=40, records=3000, days=2, faults=0.02)
    simulate(gate_town, plan, tmp_path / "out")
    truth = Truth.read(tmp_path / "out")
    clear_simulation(gate_town, tmp_path / "out", truth)
    score = compare(truth, found_in(gate_town, truth))
    assert (score.missed, score.wrong) == ((), ())
    assert score.faults_found == len(truth.faults)


def test_what_goes_wrong_at_a_terminal_that_habits_name_is_a_false_alarm(gate_town, tmp_path):
    simulate(gate_town, SimulationPlan(cards=50, terminals=20, records=500), tmp_path / "out")
    truth = Truth.read(tmp_path / "out")
    [file] = (tmp_path / "out").glob("001/990200000071-*.ccb")
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    clear_simulation(gate_town, tmp_path / "out", truth)
    assert not compare(truth, found_in(gate_town, truth)).perfect


def test_without_faults_everything_ends_in_order(kiosk_town, tmp_path):
    city = kiosk_town("town")
    truth = simulate(city, SimulationPlan(cards=100, terminals=20, records=1000, days=2), tmp_path / "out")
    assert (truth.faults, truth.records, truth.files, truth.missing) == ((), (), (), ())
    reports = clear_simulation(city, tmp_path / "out", truth)
    assert sum(report.records for report in reports[:2]) == 1000
    assert compare(truth, found_in(city, truth)).perfect
