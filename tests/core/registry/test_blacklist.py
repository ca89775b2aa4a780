import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.errors import RegistryMissing
from citycard.registry import (
    BlacklistEntry,
    blacklist_at,
    blacklist_cards,
    blacklist_entries,
    blacklist_number,
    publish_blacklist,
    unblacklist_cards,
)

ONE, TWO = f"{1:020d}", f"{2:020d}"


def test_a_list_is_what_it_was_when_it_was_published(conn):
    blacklist_cards(conn, [ONE], reason="lost")
    assert (blacklist_number(conn), blacklist_at(conn, 0)) == (0, frozenset())
    assert publish_blacklist(conn) == 1
    blacklist_cards(conn, [TWO], reason="stolen")
    unblacklist_cards(conn, [ONE])
    assert publish_blacklist(conn) == 2
    assert blacklist_at(conn, 1) == {ONE}
    assert blacklist_at(conn, 2) == {TWO}
    assert blacklist_entries(conn) == [
        BlacklistEntry(asn=ONE, reason="lost", added_in=1, removed_in=2),
        BlacklistEntry(asn=TWO, reason="stolen", added_in=2),
    ]


def test_without_a_change_the_number_stands(conn):
    assert publish_blacklist(conn) == 0
    blacklist_cards(conn, [ONE], reason="lost")
    assert (publish_blacklist(conn), publish_blacklist(conn)) == (1, 1)


def test_a_card_is_listed_once(conn):
    assert blacklist_cards(conn, [ONE, ONE], reason="lost") == 1
    assert blacklist_cards(conn, [ONE, TWO], reason="lost") == 1
    assert unblacklist_cards(conn, [ONE, TWO, ONE]) == 2
    assert unblacklist_cards(conn, [ONE]) == 0


def test_an_unknown_card_is_named(conn):
    with pytest.raises(RegistryMissing, match="card '99999999999999999999'"):
        blacklist_cards(conn, ["9" * 20], reason="lost")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(["+1", "+2", "-1", "-2", "publish"]), max_size=14))
def test_any_history_gives_back_every_list(conn, steps):
    nested = conn.begin_nested()
    now, published = set(), [set()]
    for step in steps:
        card = ONE if step.endswith("1") else TWO
        if step == "publish":
            if now != published[-1] or publish_blacklist(conn) == len(published):
                published.append(set(now))
            assert publish_blacklist(conn) == len(published) - 1
        elif step[0] == "+":
            blacklist_cards(conn, [card], reason="lost")
            now.add(card)
        else:
            unblacklist_cards(conn, [card])
            now.discard(card)
    assert [blacklist_at(conn, number) for number in range(len(published))] == published
    nested.rollback()
