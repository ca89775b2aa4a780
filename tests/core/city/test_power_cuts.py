"""A migration is cut at every write of both cards, every commit and every answer: it ends exactly once."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import event

from citycard.registry import MigrationState
from citycard.store import reading

_spec = importlib.util.spec_from_file_location(
    "migration_bench", Path(__file__).with_name("migration_bench.py")
)
desk = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(desk)


@pytest.fixture
def bench(city):
    return desk.Bench(city)


@pytest.fixture
def killing(bench):
    """Return a function that kills the process before, or just after, the n-th commit from now on."""
    state = {"left": None, "after": False}

    def before_commit(_conn):
        if state["left"] is None:
            return
        state["left"] -= 1
        if state["left"] < 0 and not state["after"]:
            state["left"] = None
            raise desk.Killed

    def at_begin(_conn):
        if state["after"] and state["left"] is not None and state["left"] < 0:
            state["left"] = None
            raise desk.Killed

    event.listen(bench.city.engine, "commit", before_commit)
    event.listen(bench.city.engine, "begin", at_begin)

    def kill(commits, *, after):
        state["left"], state["after"] = commits, after

    kill.struck = lambda: state["left"] is None
    return kill


def places(killing):
    """Yield where the first try is cut: at each write of either card, before or within it, at each commit.

    Each is a kind, a function that arms the cut, and one that says whether it struck.
    """
    for write in range(16):
        for torn in (False, True):
            yield "old", *at_write(lambda pair: pair.old.memory, write, torn=torn)
    for write in range(30):
        for torn in (False, True):
            yield "new", *at_write(lambda pair: pair.chip.eeprom, write, torn=torn)
    for commit in range(20):
        for after in (False, True):
            yield (
                "kill",
                lambda _, at=commit, after=after: killing(at, after=after),
                lambda _: killing.struck(),
            )


def at_write(memory, write, *, torn):
    return lambda pair: memory(pair).cut_after(write, torn), lambda pair: memory(pair)._cut is None


def cut_try(pair, cut, killing):
    """Try with a cut, and say whether it struck. A card that comes back at once lets the try go on."""
    _, arm, struck = cut
    arm(pair)
    stopped = pair.tried()
    found = struck(pair)
    assert found or not stopped
    pair.old.memory.cut_after(None)
    pair.chip.eeprom.cut_after(None)
    killing(None, after=False)
    return found


def reached(bench, killing):
    """Cut the first try of a pair of cards in each place that it reaches; yield the place and the pair.

    Where it ends before a place, it ends before every later one of that kind.
    """
    past_its_end = set()
    for cut in places(killing):
        if cut[0] in past_its_end:
            continue
        pair = bench.pair()
        if cut_try(pair, cut, killing):
            yield cut, pair
        else:
            past_its_end.add(cut[0])


def test_a_migration_that_is_cut_anywhere_ends_exactly_once(bench, killing, record_property):
    struck = Counter()
    for cut, pair in reached(bench, killing):
        struck[cut[0]] += 1
        assert pair.migrate().state is MigrationState.DONE
        pair.check_done()
    record_property("cuts", struck.total())
    with reading(bench.city.engine) as conn:
        assert bench.city.ledger.audit(conn) == []
    # The lock takes 2 writes and each of the two purses 6; the store commits once for every step at least.
    assert struck["old"] == 2 * (2 + 6 + 6)
    assert struck["new"] > 10
    assert struck["kill"] > 2 * len(MigrationState)


@pytest.mark.parametrize("reader", ["lost_old", "lost_new"])
def test_an_answer_that_is_lost_anywhere_moves_nothing_twice(bench, record_property, reader):
    cuts = 0
    for lost in range(100):
        pair = bench.pair()
        pair.tried(**{reader: lost})
        if pair.all_heard:
            break
        assert pair.migrate().state is MigrationState.DONE
        pair.check_done()
        cuts += 1
    record_property("cuts", cuts)
    assert 10 <= cuts < 100


def test_a_migration_that_is_cut_twice_ends_exactly_once(bench, killing, record_property):
    struck = Counter()
    # The ledger is compared as a whole: no pair stays half moved.
    cuts = [cut for cut, pair in reached(bench, killing) if pair.migrate()]
    for number, first in enumerate(cuts):
        # Each place of the first try meets other places of the second.
        for step in (1, 11, 40):
            second = cuts[(number + step) % len(cuts)]
            pair = bench.pair()
            if cut_try(pair, first, killing) and cut_try(pair, second, killing):
                struck[first[0], second[0]] += 1
                assert pair.migrate().state is MigrationState.DONE
                pair.check_done()
    record_property("cuts", struck.total())
    assert {kinds[0] for kinds in struck} == {kinds[1] for kinds in struck} == {"old", "new", "kill"}
    assert struck.total() > 30
