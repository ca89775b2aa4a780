"""Jobs run when their turn has come, each by itself, and say how it went."""

from __future__ import annotations

from datetime import timedelta

import pytest

from citycard import registry
from citycard.city.jobs import due_jobs, jobs, run_due, run_job
from citycard.city.leases import leased
from citycard.city.office import Office
from citycard.city.rounds import Rounds
from citycard.errors import JobBusy, JobUnknown, PluginFailed
from citycard.registry import ClosingState
from citycard.store import reading, writing

OWN = (
    "citycard.take-in-inbox",
    "citycard.settle-cards",
    "citycard.look-after-orders",
    "citycard.expire-topups",
    "citycard.lapse",
    "citycard.expire-uploads",
    "citycard.seal-ledger",
    "citycard.verify-ledger",
)


def due(city):
    return [each.job for each in due_jobs(city) if each.job not in OWN]


def only(city):
    *own, state = jobs(city)
    assert tuple(each.job for each in own) == OWN
    return state


def test_a_job_is_due_at_once_and_then_after_its_interval(city, yard, clock):
    assert due(city) == ["yard.sweep"]
    assert run_due(city, only(city))
    clock.moment += timedelta(minutes=59)
    assert due(city) == []
    clock.moment += timedelta(minutes=1)
    assert due(city) == ["yard.sweep"]
    assert yard.swept == ["yard"]


def test_two_servers_run_a_turn_once(city, other, yard):
    mine, theirs = only(city), only(other)

    assert [run_due(city, mine), run_due(other, theirs)] == [True, False]
    assert yard.swept == ["yard"]


def test_a_job_that_raises_says_so_and_gets_its_next_turn(city, yard, clock):
    yard.doing.append(lambda _: 1 // 0)

    assert run_due(city, only(city))

    assert "ZeroDivisionError" in only(city).last.outcome
    assert city.plugins.report("yard").failures == 1
    clock.moment += timedelta(hours=1)
    assert due(city) == ["yard.sweep"]


def test_a_job_that_is_called_runs_before_its_turn(city, yard):
    run_job(city, "yard.sweep")
    run_job(city, "yard.sweep")

    assert (yard.swept, only(city).last.outcome) == (["yard", "yard"], "done")


def test_a_job_that_is_called_passes_on_what_it_raises(city, yard):
    yard.doing.append(lambda _: 1 // 0)
    with pytest.raises(PluginFailed, match="ZeroDivisionError"):
        run_job(city, "yard.sweep")


def test_a_job_that_means_an_error_is_not_counted_as_failed(city, yard):
    def flooded(_):
        raise yard.YardFlooded

    yard.doing.append(flooded)
    with pytest.raises(yard.YardFlooded):
        run_job(city, "yard.sweep")

    assert only(city).last.outcome == "the yard is under water"
    assert not city.plugins.report("yard").failures


def test_a_job_nobody_has_is_told_with_those_there_are(city):
    with pytest.raises(JobUnknown, match=r"expected one of .*yard\.sweep"):
        run_job(city, "yard.dig")


def test_a_job_that_is_being_run_is_refused(city, other):
    with leased(city, "yard.sweep"):
        assert due(other) == []
        with pytest.raises(JobBusy, match="2018-09-01 01:00:00 UTC"):
            run_job(other, "yard.sweep")


def test_the_city_settles_cards_by_itself_also_without_any_plugin(city, yard, clock):
    with writing(city.engine) as conn:
        card = registry.Card(
            asn="01019901000000000001",
            issuer=city.config.city.issuer,
            product="none",
            kind=1,
            issued_on=clock.now().date(),
            expires_on=clock.now().date() + timedelta(days=1),
        )
        registry.add_products(conn, [registry.Product(name="none", title="None", kind=1)])
        registry.add_product_versions(conn, [registry.ProductVersion(product="none", version=1, layout="{}")])
        registry.add_cards(conn, [card])
    Office(city, "anna").give_back(card.asn)
    clock.moment += timedelta(days=city.config.cards.clearing_days + 1)
    city.plugins.disable("yard", by="a test")

    rounds = Rounds(city)
    rounds.once()
    rounds.wait()

    with reading(city.engine) as conn:
        assert registry.closing_of(conn, card.asn).state is ClosingState.SETTLED
