"""Statements that are sent before those before them are answered are each done alone, in their order."""

import errno
import os
import time
from concurrent.futures import ThreadPoolExecutor, wait
from select import poll
from socket import SHUT_RDWR, socket, socketpair
from threading import Event

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from citycard.store import open_store
from citycard.store.streaming import Stream

pytestmark = pytest.mark.postgresql
INSERT = "INSERT INTO thing SELECT $1::bigint, $2::text RETURNING number, (SELECT count(*) FROM thing)"


@pytest.fixture
def engine(postgresql_server):
    url = postgresql_server.create_database()
    engine = open_store(url)
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE thing (number bigint PRIMARY KEY, words text)"))
    yield engine
    engine.dispose()
    postgresql_server.drop_database(url)


def connected(engine):
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")


@pytest.fixture
def stream(engine):
    stream = Stream(connected(engine), INSERT)
    yield stream
    stream.close()


def send(stream, *numbers):
    for number in numbers:
        stream.send([str(number).encode(), None], (0, 0))


def kept(engine):
    with engine.connect() as conn:
        return list(conn.scalars(text("SELECT number FROM thing ORDER BY number")))


def drop_streams(engine):
    with engine.begin() as conn:
        conn.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND query LIKE 'PREPARE%'"
            )
        )


def test_answers_come_in_the_order_of_sending(engine, stream):
    send(stream, 3, 1, 2)
    answers = [stream.answer() for _ in range(3)]
    assert answers == [[(b"3", b"0")], [(b"1", b"1")], [(b"2", b"2")]]
    assert kept(engine) == [1, 2, 3]


def test_one_that_fails_undoes_itself_alone(engine, stream):
    send(stream, 1, 1, 2)
    assert stream.answer() == [(b"1", b"0")]
    with pytest.raises(IntegrityError, match="thing_pkey"):
        stream.answer()
    assert stream.answer() == [(b"2", b"1")]
    assert (kept(engine), stream.broken) == ([1, 2], False)


def test_values_may_be_binary_and_far_larger_than_what_is_on_its_way(engine, stream):
    words = "公交" * 1_000_000
    for number in (1, 2, 3):
        stream.send([number.to_bytes(8, "big"), words.encode()], (1, 0))
    assert [len(stream.answer()) for _ in range(3)] == [1, 1, 1]
    with engine.connect() as conn:
        assert conn.scalar(text("SELECT count(*) FROM thing WHERE words = :words"), {"words": words}) == 3


def test_one_thread_sends_while_another_waits_for_answers(engine, stream):
    with ThreadPoolExecutor(1) as pool:
        for number in range(300):
            send(stream, number)
            answer = pool.submit(stream.answer)
        assert answer.result() == [(b"299", b"299")]
    assert kept(engine) == list(range(300))


def test_an_answer_that_is_read_while_something_large_is_sent_is_not_waited_for(engine, stream, monkeypatch):
    """Who sends more than fits on its way reads what has come meanwhile, the other thread's answer too."""
    about_to_wait, sent = Event(), Event()

    class Late:
        """A poll that begins only when the large one was sent."""

        def __init__(self):
            self._poll = poll()
            self.register = self._poll.register

        def poll(self, *until):
            about_to_wait.set()
            sent.wait(20)
            return self._poll.poll(*until)

    monkeypatch.setattr("citycard.store.streaming.poll", Late)
    with ThreadPoolExecutor(1) as pool, engine.begin() as conn:
        conn.execute(text("LOCK TABLE thing"))
        send(stream, 1)
        answers = pool.submit(lambda: [stream.answer() for _ in range(2)])
        assert about_to_wait.wait(20)
        conn.commit()
        time.sleep(0.5)  # the first answer is on this side now
        stream.send([b"2", b"words" * 5_000_000], (0, 0))
        sent.set()
        wait([answers], timeout=20)
        if not answers.done():
            drop_streams(engine)
        assert answers.result() == [[(b"1", b"0")], [(b"2", b"1")]]


def test_when_the_connection_breaks_nothing_is_said_of_what_was_on_its_way(engine):
    stream = Stream(connected(engine), INSERT)
    with engine.begin() as conn:
        conn.execute(text("LOCK TABLE thing"))
        send(stream, 1, 2)
        drop_streams(engine)
        for _ in range(2):
            with pytest.raises(OperationalError):
                stream.answer()
    assert stream.broken
    with pytest.raises(OperationalError):
        send(stream, 3)
    stream.close()
    assert kept(engine) == []


def test_whoever_waits_is_told_when_sending_finds_the_connection_broken(engine, monkeypatch):
    """The socket that the other thread waits at is closed, and its number may be another's by then."""
    stream = Stream(connected(engine), INSERT)
    other, end = socketpair()
    with engine.begin() as conn, ThreadPoolExecutor(1) as pool, other, end:
        conn.execute(text("LOCK TABLE thing"))
        send(stream, 1)
        monkeypatch.setattr("citycard.store.streaming.poll", lambda: Astray(stream, other))
        answer = pool.submit(stream.answer)
        with socket(fileno=os.dup(stream._libpq.socket)) as cut:
            cut.shutdown(SHUT_RDWR)
        with pytest.raises(OperationalError):
            flood(stream)
        with pytest.raises(OperationalError):
            answer.result(timeout=20)
    stream.close()
    stream.close()


def flood(stream):
    for _ in range(100):
        stream.send([b"2", b"words" * 5_000_000], (0, 0))
        time.sleep(0.05)


def test_a_stream_that_cannot_be_opened_for_want_of_sockets_gives_its_connection_back(engine, monkeypatch):
    def nothing_left():
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("citycard.store.streaming.socketpair", nothing_left)
    with pytest.raises(OperationalError, match="Too many open files"):
        Stream(connected(engine), INSERT)
    assert engine.pool.checkedout() == 0


class Astray:
    """A poll for which the number of the stream's socket has become that of one where nothing happens."""

    def __init__(self, stream, other):
        self._poll, self._socket, self._other = poll(), stream._libpq.socket, other
        self.poll = self._poll.poll

    def register(self, which, events):
        self._poll.register(self._other if which == self._socket else which, events)


def test_a_closed_stream_leaves_its_connection_as_it_was(engine):
    stream = Stream(connected(engine), INSERT)
    send(stream, 1)
    stream.answer()
    stream.close()
    with engine.connect() as conn:
        assert conn.scalar(text("SHOW plan_cache_mode")) == "auto"
        assert conn.scalar(text("SELECT count(*) FROM pg_prepared_statements")) == 0
    assert engine.pool.checkedout() == 0


def test_a_stream_that_is_closed_before_its_answers_drops_its_connection(engine):
    stream = Stream(connected(engine), INSERT)
    send(stream, 1)
    stream.close()
    with engine.connect() as conn:
        assert conn.scalar(text("SHOW plan_cache_mode")) == "auto"


def test_a_statement_that_is_none_is_refused_at_once(engine):
    with pytest.raises(DBAPIError, match="nothing_here"):
        Stream(connected(engine), "SELECT * FROM nothing_here")
    assert engine.pool.checkedout() == 0
