"""Generated days against a model of clearing that is a few dicts, written from docs/clearing.md alone."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.clearing.codes import State
from citycard.clearing.intake import receive
from citycard.clearing.queries import card_taps
from citycard.clearing.run import clear
from citycard.clearing.spent import purse_fen
from citycard.clearing.status import open_gaps
from citycard.store import reading

AT = datetime.fromisoformat("2018-09-01T06:00")
TERMINALS = ("344000000001", "344000000002", "344000000003")
PARTNERS = {"344000000001": "metro", "344000000002": "metro", "344000000003": "bus"}
FEES = {"metro": 50, "bus": 30}


@attrs.frozen
class Tap:
    """One tap, and what happens to its record on the way: ``lost`` never, ``late`` in a later batch."""

    card: int
    terminal: str
    amount_fen: int
    loaded_fen: int
    fate: str


fates = st.sampled_from(["plain"] * 4 + ["forged", "twice", "again", "late", "late", "lost"])
taps = st.builds(
    Tap,
    card=st.integers(1, 3),
    terminal=st.sampled_from(TERMINALS),
    amount_fen=st.integers(0, 900),
    loaded_fen=st.sampled_from([0, 0, 0, 500, 2000]),
    fate=fates,
)
file_fates = st.sampled_from(["plain"] * 5 + ["tampered", "twice"])
days = st.lists(
    st.tuples(st.lists(taps, min_size=4, max_size=10), st.lists(file_fates, min_size=3, max_size=3)),
    min_size=2,
    max_size=3,
)


class Model:
    """What must come out. It knows nothing of gaps as ranges, buckets, states or Parquet."""

    def __init__(self):
        self.arrived = {}
        self.highest = {}
        self.codes = Counter()
        self.sums = Counter()
        self.purses = Counter()
        self.gross = Counter()
        self.fees = Counter()

    def run(self, records):
        """Judge the records of one run: tuples of card, counter, amount, forged, terminal, identity."""
        ends, today = Counter(), set()
        gross = Counter()
        for card, counter, amount, forged, terminal, identity in sorted(records, key=lambda one: one[:2]):
            if identity in today:
                code = "D01"
            elif forged:
                code = "T01"
            elif identity in self.arrived.setdefault(card, {}).values():
                code = "D04"
            elif counter < self.highest.get(card, -1):
                code = "L01"
            else:
                code = "OK" if counter == self.highest.get(card, -1) + 1 else "C01"
            today.add(identity)
            ends[code] += 1
            self.sums[code] += amount
            if code in {"OK", "C01", "L01"}:
                self.arrived[card][counter] = identity
                self.highest[card] = max(counter, self.highest.get(card, -1))
                self.purses[card] += amount
                gross[PARTNERS[terminal]] += amount
        for partner, amount in gross.items():
            self.gross[partner] += amount
            self.fees[partner] += (amount * FEES[partner] * 2 + 10_000) // 20_000
        self.codes += ends
        return ends

    def missing(self, card):
        known = set(self.arrived.get(card, {}))
        return set(range(self.highest.get(card, -1) + 1)) - known


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(days)
def test_a_generated_day_ends_as_a_tiny_model_says(towns_of, day):
    with tempfile.TemporaryDirectory() as folder:
        town = towns_of(Path(folder))
        cards = dict(enumerate(town.issue(1, 2, 3), 1))
        model, loaded, minute = Model(), Counter(), 0
        late, again = [], []
        for played, fates_of_files in day:
            coming = {terminal: [] for terminal in TERMINALS}
            for record in late + again:
                coming[record[4]].append(record)
            late, again = [], []
            for tap in played:
                minute += 1
                card, at = cards[tap.card], AT + timedelta(minutes=minute)
                if tap.loaded_fen or card.balance_fen < tap.amount_fen:
                    amount = tap.loaded_fen + tap.amount_fen
                    town.load(card, amount, at) if amount else None
                    loaded[tap.card] += amount
                forged = {"tac": b"\0\1\2\3"} if tap.fate == "forged" else {}
                counter = card.counter
                raw = town.tap(card, tap.amount_fen, at, tap.terminal, keep=False, **forged)
                record = (tap.card, counter, tap.amount_fen, bool(forged), tap.terminal, raw)
                coming[tap.terminal] += {"late": [], "lost": [], "twice": [record, record]}.get(
                    tap.fate, [record]
                )
                late += [record] if tap.fate == "late" else []
                again += [record] if tap.fate == "again" else []
            accepted = deliver(town, coming, fates_of_files)
            before = clear(town).number
            ends = model.run(accepted)
            report = clear(town)
            assert not report.changed
            assert before == report.number
            if accepted:
                assert ends == {total.code: total.records for total in report.totals}
                assert sum(one[2] for one in accepted) == report.amount_fen
                assert len(accepted) == sum(report.count(state) for state in State)
        compare(town, model, cards, loaded)


def deliver(town, coming, fates_of_files):
    """Hand the records in, one batch per terminal; say which of them must have been accepted."""
    files, accepted, ends = [], [], []
    for terminal, fate in zip(TERMINALS, fates_of_files, strict=True):
        records = coming[terminal]
        name, data = town.batch(terminal, records=[record[-1] for record in records])
        if fate == "tampered":
            data = data[:20] + bytes([data[20] ^ 0x40]) + data[21:]
            ends.append("quarantined")
        else:
            accepted += records
            ends.append("accepted")
        files.append((name, data))
        if fate == "twice":
            files.append((name, data))
            ends.append("duplicate")
    assert ends == [one.state for one in receive(town, files).files]
    return accepted


def compare(town, model, cards, loaded):
    with reading(town.engine) as conn:
        balances = {
            address: town.ledger.balance_fen(conn, address)
            for address in (["control/window"] if sum(model.gross.values()) else [])
        }
        for number, card in cards.items():
            purse = purse_fen(town.ledger, town.folder, conn, card.asn)
            assert loaded[number] - model.purses[number] == purse
        if balances:
            assert balances == {"control/window": 0}
            assert sum(model.fees.values()) == (
                town.ledger.balance_fen(conn, "income/clearing-fee") if sum(model.fees.values()) else 0
            )
            settled = -town.ledger.balance_fen(conn, "transit/settlement")
            assert sum(model.gross.values()) - sum(model.fees.values()) == settled
        assert town.ledger.audit(conn) == []
    for number, card in cards.items():
        missing = {
            counter for gap in open_gaps(town, owner=card.asn) for counter in range(gap.first, gap.last + 1)
        }
        assert model.missing(number) == missing
        taps_of_card = card_taps(town, card.asn)
        assert model.purses[number] == sum(t.amount_fen for t in taps_of_card if t.state == "accepted")
