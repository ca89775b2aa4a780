"""The numbers of a job: who holds them, what became of them, and none twice."""

from datetime import UTC, date, datetime, timedelta

import pytest

from citycard.errors import PersonalisationJobUnknown, RegistryInvalid
from citycard.ids import new_id
from citycard.registry import (
    NumberRange,
    StockLot,
    add_number_range,
    check_job_supply,
    count_job,
    find_personalisation_job,
    number_state,
    personalisation_jobs,
    receive_stock,
    spoiled_numbers,
    stock_report,
)
from citycard.registry.personalising import claim_numbers, open_personalisation_job, settle_numbers

AT = datetime(2018, 9, 1, tzinfo=UTC)
DAY = date(2018, 9, 1)
FIRST = "01019901000000000001"
LEASE = timedelta(seconds=10)


@pytest.fixture
def job(conn):
    ranges = NumberRange(name="a", product="adult", first=FIRST, size=100, opened_on=DAY)
    add_number_range(conn, ranges)
    lot = StockLot(name="box", supplier="maker", size=50, received_on=DAY)
    receive_stock(conn, lot, id=new_id(), actor="anna", at=AT)
    return open_personalisation_job(
        conn,
        product="adult",
        product_version=1,
        range="a",
        lot="box",
        place="store",
        wanted=10,
        starts_on=DAY,
        expires_on=DAY.replace(year=2028),
        actor="anna",
        opened_at=AT,
    )


def claimed(conn, job, most, at=AT, *, again=True):
    return claim_numbers(conn, job, most, worker=new_id(), now=at, lease=LEASE, again=again)


def test_workers_get_different_numbers_and_no_more_than_are_wanted(conn, job):
    one, two, three = (claimed(conn, job, 6) for _ in range(3))
    assert (len(one), len(two), three) == (6, 4, [])
    assert set(one) & set(two) == set()
    assert find_personalisation_job(conn, job.number) == personalisation_jobs(conn)[0] == job


def test_numbers_of_a_dead_worker_are_made_by_another_where_that_is_the_same_card(conn, job):
    held = claimed(conn, job, 6)
    assert set(claimed(conn, job, 10, AT + LEASE)) == {
        *held,
        *(f"{int(FIRST) + n:020d}" for n in range(6, 10)),
    }


def test_numbers_of_a_dead_worker_at_a_reader_are_spoiled_and_others_taken(conn, job):
    held = claimed(conn, job, 1, again=False)
    after = claimed(conn, job, 10, AT + LEASE, again=False)
    assert [(one.asn, one.step) for one in spoiled_numbers(conn, job)] == [(held[0], "interrupted")]
    assert (len(after), set(held) & set(after)) == (10, set())
    (lot,) = stock_report(conn)
    assert (lot.held, lot.spoiled, lot.adds_up) == ({"job-1": 10, "store": 39}, 1, True)


def test_a_number_begun_at_a_reader_is_never_made_as_an_image_too(conn, job):
    held = claimed(conn, job, 1, again=False)
    assert held[0] not in claimed(conn, job, 10, AT + LEASE)
    assert [one.asn for one in spoiled_numbers(conn, job)] == held


def test_a_number_is_settled_once_with_its_blank(conn, job):
    one, two, three = claimed(conn, job, 3)
    assert settle_numbers(conn, job, [one, two], "made", at=AT) == [one, two]
    assert settle_numbers(conn, job, [one, "9" * 20], "spoiled", at=AT) == []
    assert settle_numbers(conn, job, [three], "spoiled", at=AT, step="WRITE KEY", status_word="6A84") == [
        three
    ]

    count = count_job(conn, job)
    assert (count.made, count.spoiled, count.in_hand, count.missing) == (2, 1, 0, 8)
    assert (number_state(conn, one), number_state(conn, "9" * 20)) == ((1, "made"), None)
    (lot,) = stock_report(conn)
    assert (lot.used, lot.spoiled, lot.adds_up) == (2, 1, True)


def test_a_job_needs_a_range_of_its_own_product(conn, job):
    with pytest.raises(RegistryInvalid, match="product"):
        check_job_supply(conn, "gold", 1, numbers="a", lot="box", place="store")
    with pytest.raises(PersonalisationJobUnknown, match="no job 7"):
        find_personalisation_job(conn, 7)
