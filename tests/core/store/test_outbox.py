from datetime import UTC, datetime

from citycard.store import mark_delivered, publish, reading, undelivered, writing

AT = datetime(2018, 9, 1, tzinfo=UTC)


def test_an_event_is_heard_only_after_the_commit(store):
    with writing(store) as conn:
        publish(conn, "card.issued", [{"asn": "1"}], at=AT)
        with reading(store) as other:
            assert undelivered(other) == []
    with reading(store) as conn:
        (message,) = undelivered(conn)
    assert (message.topic, message.body, message.published_at) == ("card.issued", {"asn": "1"}, AT)


def test_what_is_rolled_back_is_never_heard(store):
    with store.connect() as conn:
        publish(conn, "card.issued", [{"asn": "1"}])
        conn.rollback()
    with reading(store) as conn:
        assert undelivered(conn) == []


def test_events_come_in_order_and_only_until_they_are_marked(store):
    with writing(store) as conn:
        assert publish(conn, "tick", [{"n": n} for n in range(5)]) == 5
        first = undelivered(conn, limit=2)
        assert [message.body["n"] for message in first] == [0, 1]
        mark_delivered(conn, first)
        mark_delivered(conn, first)
        assert [message.body["n"] for message in undelivered(conn)] == [2, 3, 4]


def test_numbers_are_never_used_again(store):
    with writing(store) as conn:
        publish(conn, "tick", [{}])
        before = undelivered(conn)[0].seq
        mark_delivered(conn, undelivered(conn))
        publish(conn, "tick", [{}])
        assert undelivered(conn)[0].seq > before


def test_topics_that_nobody_can_hear_hold_nothing_up(store):
    with writing(store) as conn:
        publish(conn, "zoo.fed", [{}, {}])
        publish(conn, "tick", [{"n": 1}])
        assert [message.topic for message in undelivered(conn, limit=1, topics=["tick"])] == ["tick"]
        assert undelivered(conn, topics=[]) == []
