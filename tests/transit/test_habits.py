"""A simulated Haibin: every fault that was put in is found with its code, and nothing else is."""

from __future__ import annotations

import shutil
from pathlib import Path

import attrs
import pytest
from sqlalchemy import select

from citycard.city import City
from citycard.clearing.queries import cleared
from citycard.ledger.tables import transfer
from citycard.registry.tables import blacklist, card
from citycard.simulate.compare import compare, found_in
from citycard.simulate.delivering import clear_simulation
from citycard.simulate.kinds import CardFault, TerminalFault
from citycard.simulate.making import simulate
from citycard.simulate.plan import SimulationPlan
from citycard.store import reading
from citycard.wallet.tables import load
from citycard_transit.habits import bus_habits, metro_habits

ROOT = Path(__file__).parents[2]
SMALL = SimulationPlan(cards=300, terminals=60, records=3000, days=2, faults=0.05)
DAY_CAP_FEN = 1500
LARGE = SimulationPlan(cards=400_000, terminals=8_000, records=2_000_000, faults=0.005)


KEPT = (card.c.asn, load.c.id, transfer.c.id, blacklist.c.asn)


def new_city(folder: Path) -> City:
    return City.create(folder, ROOT / "examples" / "morning" / "city.toml")


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("engine", ["local", "pool:2"])
def test_every_fault_of_a_simulated_city_is_found_and_nothing_else(tmp_path, engine):
    city = new_city(tmp_path / "city")
    truth = simulate(city, SMALL, tmp_path / "out")
    kinds = {one.kind for one in truth.faults}
    assert kinds == {one.title for one in (*CardFault, *TerminalFault)}
    reports = clear_simulation(city, tmp_path / "out", truth, engine=engine)
    score = compare(truth, found_in(city, truth))
    assert (score.missed, score.wrong) == ((), ())
    assert score.perfect
    assert score.faults_injected == len(truth.faults) > 100
    assert sum(report.records for report in reports) > 2500
    with reading(city.engine) as conn:
        assert city.ledger.audit(conn) == []
    city.close()


def test_nobody_who_is_simulated_pays_more_than_the_cap_and_somebody_reaches_it(tmp_path):
    city = new_city(tmp_path / "city")
    truth = simulate(city, attrs.evolve(SMALL, faults=0), tmp_path / "out")
    clear_simulation(city, tmp_path / "out", truth)
    days = "SELECT sum(amount_fen) AS fen FROM outcomes WHERE code = 'OK' GROUP BY asn, \"at\"::DATE"
    with reading(city.engine) as conn, cleared(city, conn, None, None) as outcomes:
        (most_fen,) = outcomes.execute(f"SELECT max(fen) FROM ({days})").fetchone()
    assert most_fen == DAY_CAP_FEN
    city.close()


@pytest.mark.parametrize(
    "plan",
    [
        attrs.evolve(SMALL, cards=200, records=2000, days=1),
        pytest.param(LARGE, marks=pytest.mark.deep, id="two million records"),
    ],
)
def test_a_day_ends_alike_on_every_engine_with_every_fault_found(tmp_path, spark_cluster, plan):
    city = new_city(tmp_path / "city")
    truth = simulate(city, plan, tmp_path / "out")
    city.close()
    digests = set()
    for place, engine in enumerate(("local", "pool:2", spark_cluster)):
        shutil.copytree(tmp_path / "city", tmp_path / str(place))
        city = City.open(tmp_path / str(place))
        reports = clear_simulation(city, tmp_path / "out", truth, engine=engine)
        score = compare(truth, found_in(city, truth))
        assert (score.missed, score.wrong) == ((), ())
        digests.add(tuple((report.digest, report.records, report.settled_fen) for report in reports))
        city.close()
        shutil.rmtree(tmp_path / str(place))
    assert len(digests) == 1


def test_a_fault_that_clearing_does_not_find_and_one_too_many_are_told(tmp_path):
    city = new_city(tmp_path / "city")
    truth = simulate(city, SMALL, tmp_path / "out")
    # Nothing was handed in: so nothing is found, and nothing is wrong.
    score = compare(truth, found_in(city, truth))
    assert (score.faults_found, score.false_alarms, score.perfect) == (0, 0, False)
    city.close()


def test_the_same_seed_gives_the_same_files_and_another_gives_others(tmp_path):
    made = []
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        city = new_city(tmp_path / name)
        plan = SimulationPlan(cards=40, terminals=60, records=400, faults=0.05, seed=seed)
        simulate(city, plan, tmp_path / f"{name}-out")
        city.close()
        # The proofs are made with the keys of the city, and each city draws its own.
        made.append((tmp_path / f"{name}-out" / "truth.json").read_bytes())
    assert made[0] == made[1] != made[2]


def test_two_processes_make_what_one_makes(tmp_path):
    plan = attrs.evolve(SMALL, cards=17_000, records=9000, faults=0.01)
    new_city(tmp_path / "1").close()
    shutil.copytree(tmp_path / "1", tmp_path / "2")
    kept = []
    for processes in (1, 2):
        city = City.open(tmp_path / str(processes))
        simulate(city, plan, tmp_path / "out" / str(processes), processes=processes)
        with reading(city.engine) as conn:
            kept.append([conn.execute(select(key).order_by(key)).all() for key in KEPT])
        city.close()
    assert files_of(tmp_path / "out" / "1") == files_of(tmp_path / "out" / "2")
    assert kept[0] == kept[1]
    assert len(kept[0][0]) > 16_900


def test_people_ride_to_where_an_operator_is_and_back(haibin):
    journeys = list(metro_habits(haibin))
    assert all(len(one.there) == len(one.back) == 2 for one in journeys)
    assert {tap.partner for one in journeys for tap in one.there} == {"haibin-metro", "bay-rail"}
    assert {one.there[0].partner for one in bus_habits(haibin)} == {"dongshan-bus", "xihai-bus"}
