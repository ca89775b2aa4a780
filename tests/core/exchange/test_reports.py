"""Where files and records ended is read from the book, page by page."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard.city import City
from citycard.exchange.filebook import BookedFile, book_file, told
from citycard.exchange.format import Answer, FileKind, Header, write_file
from citycard.exchange.outgoing import totals_of
from citycard.exchange.reports import exchange_status
from citycard.store import writing

DAY = dt.date(2026, 3, 2)
TEMPLATE = '[city]\nname = "East"\ncode = "9901"\n\n[plugins]\nallow = []\n'
ANSWERS = [
    Answer(line=1, state="accepted", code="OK", amount_fen=350, fee_fen=3),
    Answer(line=2, state="rejected", code="T01", amount_fen=200, fee_fen=0),
    Answer(line=3, state="accepted", code="OK", amount_fen=100, fee_fen=2),
]


@pytest.fixture
def city(tmp_path):
    (tmp_path / "east.toml").write_text(TEMPLATE)
    city = City.create(tmp_path / "east", tmp_path / "east.toml")
    yield city
    city.close()


def book(city, number, *, answered, kept=True):
    """Book a file of records that came in, and our answers to it."""
    with writing(city.engine) as conn:
        facts = {"day": DAY, "records": len(ANSWERS), "amount_fen": 650, "number": number}
        header = Header(kind=FileKind.RECORDS, sender="9902", receiver="9901", **facts)
        came = BookedFile(
            way="in",
            city="9902",
            name=f"records-{number}",
            digest="",
            state="accepted",
            code="OK",
            **told(header),
        )
        book_file(conn, came, city.clock.now())
        if not answered:
            return
        header = Header(kind=FileKind.ANSWERS, sender="9901", receiver="9902", answers=number, **facts)
        sent = BookedFile.sent(header, data := write_file(header, ANSWERS, city.exchange_signer))
        if not kept:
            path = city.folder / sent.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        book_file(conn, sent, city.clock.now(), totals=totals_of(ANSWERS) if kept else None)


def ended(account):
    return [(one.state, one.code, one.records, one.amount_fen) for one in account.totals]


ALL = [("accepted", "OK", 2, 450), ("rejected", "T01", 1, 200)]


def test_where_answered_records_ended_needs_no_file(city):
    book(city, 1, answered=True)
    (account,) = exchange_status(city).accounts
    assert ended(account) == ALL


def test_answers_that_the_book_did_not_add_up_are_read_from_their_file(city):
    book(city, 1, answered=True, kept=False)
    (account,) = exchange_status(city).accounts
    assert ended(account) == ALL


def test_pages_give_every_file_once_the_newest_first(city):
    for number in (1, 2, 3):
        book(city, number, answered=number == 1)
    whole = exchange_status(city)
    assert [file.number for file in whole.files] == [3, 2, 1, 1]
    first = exchange_status(city, limit=2)
    assert [ended(account) for account in first.accounts] == [[("waiting", "", 3, 650)]] * 2
    second = exchange_status(city, limit=2, before=first.files[-1].seq)
    assert first.files + second.files == whole.files
    assert [ended(account) for account in second.accounts] == [ALL]
    assert exchange_status(city, before=second.files[-1].seq).files == ()
