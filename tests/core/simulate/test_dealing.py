from __future__ import annotations

from citycard.simulate.making import simulate
from citycard.simulate.plan import SimulationPlan
from citycard.terminal import read_batch


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def made(town, folder, seed):
    plan = SimulationPlan(cards=100, terminals=30, records=1000, days=2, faults=0.03, seed=seed)
    simulate(town(f"{folder.name}-city"), plan, folder)
    return files_of(folder)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(kiosk_town, tmp_path):
    first, again, other = (
        made(kiosk_town, tmp_path / name, seed) for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    assert first == again
    assert first != other


def test_without_faults_each_terminal_hands_in_one_signed_batch_a_day(kiosk_town, tmp_path):
    city = kiosk_town("town")
    plan = SimulationPlan(cards=60, terminals=10, records=1000, days=2)
    simulate(city, plan, tmp_path / "out")
    vault, records, sequence = city.vault, 0, {}
    for path in sorted((tmp_path / "out").rglob("*.ccb")):
        batch = read_batch(
            path.read_bytes(),
            lambda number, digest, mac: vault.check_terminal_mac(bytes.fromhex(number), digest, mac),
        )
        terminal = batch.header.terminal
        assert batch.header.first_sequence == sequence.get(terminal, 1)
        sequence[terminal] = batch.header.first_sequence + batch.header.count
        records += batch.header.count
        assert path.name == f"{terminal}-{batch.header.number:06d}.ccb"
    assert records == plan.records
