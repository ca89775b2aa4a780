"""Many cards followed in one go, against each card followed record by record."""

from __future__ import annotations

import datetime as dt

import attrs
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from citycard.card.codec import encode
from citycard.clearing.bucket import Bucket, Known, Loads, States
from citycard.clearing.codes import Code, State
from citycard.clearing.columns import readable, records_of
from citycard.clearing.following import follow_cards
from citycard.clearing.grey import Greys
from citycard.clearing.sequence import CardState, CardTrail, Gap, Sighting, SpentLoad
from citycard.clearing.verdicts import CODES, Verdicts
from citycard.terminal.record import RecordKind, TransactionRecord

MORNING = dt.datetime.fromisoformat("2018-09-01T06:00:00")


@attrs.frozen(kw_only=True)
class Card:
    """What is known of a card, and its records as (counter, before, amount), some of them odd.

    ``greys`` are the places of those that the card did not confirm.
    """

    state: CardState
    loads: list[SpentLoad]
    gaps: list[Gap]
    records: list[tuple[int, int, int]]
    greys: frozenset[int] = frozenset()


@st.composite
def cards(draw):
    """Draw a card that mostly does as cards do: pays, is loaded now and then, and once in a while jumps."""
    known = draw(st.booleans())
    state = CardState(draw(st.integers(0, 50)), draw(st.integers(0, 3000)), 0) if known else CardState()
    gaps = [Gap(0, 2, 100)] if state.counter > 5 and draw(st.booleans()) else []
    loads, records, greys = [], [], set()
    counter, balance_fen, online_atc = state.counter, state.balance_fen, state.online_atc
    for step in range(draw(st.integers(0, 6))):
        if draw(st.integers(0, 4)) == 0:
            online_atc += 1
            loaded_fen = draw(st.sampled_from([0, 500, 1000]))
            at = MORNING + dt.timedelta(minutes=step)
            loads.append(SpentLoad(online_atc, loaded_fen, draw(st.booleans()), at))
            balance_fen += draw(st.sampled_from([loaded_fen, loaded_fen, loaded_fen, 0]))
        counter = max(0, counter + draw(st.sampled_from([1] * 12 + [2, 0, -1])))
        amount_fen = min(draw(st.integers(0, 900)), balance_fen)
        fate = draw(st.sampled_from(["proven"] * 5 + ["happened", "did not"]))
        if fate != "proven":
            greys.add(len(records))
        records.append((counter, balance_fen, amount_fen))
        if fate == "did not":
            counter -= 1
        else:
            balance_fen -= amount_fen
    return Card(state=state, loads=loads, gaps=gaps, records=records, greys=frozenset(greys))


def encoded(number: int, card: Card) -> list[bytes]:
    return [
        encode(
            TransactionRecord(
                kind=RecordKind.SINGLE,
                tti=6,
                service=1,
                issuer="0101344000FFFFFF",
                asn=f"{number:020d}",
                card_kind=1,
                key_version=1,
                algorithm=0,
                counter=counter,
                balance_before_fen=before_fen,
                amount_fen=amount_fen,
                balance_after_fen=before_fen - amount_fen,
                terminal="344000000001",
                terminal_serial=place,
                at=MORNING + dt.timedelta(minutes=place),
                tac=bytes(4),
                config=1,
                blacklist=0,
            )
        )
        for place, (counter, before_fen, amount_fen) in enumerate(card.records)
    ]


def bucket_of(raws: list[bytes]) -> Bucket:
    records = records_of(raws)
    return Bucket(
        number=0,
        records=records,
        readable=readable(records),
        signer=np.full(len(raws), 344000000001),
        batch=np.ones(len(raws), np.int64),
        line=np.arange(1, len(raws) + 1),
        day=np.full(len(raws), np.datetime64("2018-09-01")),
    )


def known_of(bucket: Bucket, found: dict[str, Card]) -> Known:
    states = States.new(len(bucket.asns))
    loads = []
    for place, asn in enumerate(bucket.asns):
        state = found[asn].state
        states.counter[place], states.balance_fen[place] = state.counter, state.balance_fen
        states.online_atc[place] = state.online_atc
        loads += [(place, load) for load in found[asn].loads]
    return Known(
        terminals={},
        issued=np.ones(len(bucket.asns), bool),
        test_cards=np.zeros(len(bucket.asns), bool),
        expires_on=np.full(len(bucket.asns), np.datetime64("2030-01-01")),
        closed_at=np.full(len(bucket.asns), np.datetime64("NaT", "s")),
        states=states,
        loads=Loads(
            card=np.array([place for place, _ in loads], np.int64),
            online_atc=np.array([load.online_atc for _, load in loads], np.int64),
            amount_fen=np.array([load.amount_fen for _, load in loads], np.int64),
            proven=np.array([load.proven for _, load in loads], bool),
            at=np.array([load.at for _, load in loads], "datetime64[s]"),
        ),
        gaps={asn: card.gaps for asn, card in found.items() if card.gaps},
    )


def alone(raws: list[bytes], card: Card) -> tuple[dict[bytes, Code | None], CardState, list[Gap]]:
    """Follow one card as the page says: by counter, then by time, one record after the other."""
    sightings = [
        Sighting(
            counter,
            before_fen,
            amount_fen,
            before_fen - amount_fen,
            MORNING + dt.timedelta(minutes=place),
            raws[place],
        )
        for place, (counter, before_fen, amount_fen) in enumerate(card.records)
    ]
    unconfirmed = [sightings[place] for place in range(len(raws)) if place in card.greys]
    greys = Greys(sorted(unconfirmed, key=lambda one: one.at))
    trail = CardTrail(card.state, card.gaps, card.loads, {}, greys)
    told = {}
    for place in sorted(range(len(raws)), key=lambda place: (card.records[place][0], place)):
        if place not in card.greys:
            told[raws[place]] = trail.see(sightings[place])
    trail.settle()
    for place, one in enumerate(unconfirmed):
        happened, did_not = place in greys.confirmed, place in greys.released
        told[one.raw] = Code.G05 if happened else Code.G04 if did_not else Code.G01
    return told, trail.state, trail.gaps


@given(st.lists(cards(), min_size=1, max_size=6))
def test_cards_followed_together_come_to_what_each_comes_to_alone(drawn):
    found = {f"{number:020d}": card for number, card in enumerate(drawn)}
    raws = {asn: encoded(int(asn), card) for asn, card in found.items()}
    bucket = bucket_of([raw for some in raws.values() for raw in some])
    verdicts = Verdicts.of(len(bucket))
    known = known_of(bucket, found)
    unconfirmed = {raws[asn][place] for asn, card in found.items() for place in card.greys}
    grey = np.array([record.tobytes() in unconfirmed for record in bucket.records], bool)
    verdicts.set(grey, Code.G01)
    followed = follow_cards(bucket, verdicts, known, ~grey, ~grey, np.zeros(len(grey), bool))
    verdicts.set(followed.confirmed, Code.G05)
    final = verdicts.final()
    for place, asn in enumerate(bucket.asns):
        told, state, gaps = alone(raws[asn], found[asn])
        assert followed.gaps.get(asn, found[asn].gaps) == gaps
        states = followed.states
        assert state == CardState(
            int(states.counter[place]), int(states.balance_fen[place]), int(states.online_atc[place])
        )
        for at in np.flatnonzero(bucket.card == place):
            code = told[bucket.records[at].tobytes()]
            assert CODES[final[at]] is (code or Code.OK)


def test_what_is_not_genuine_moves_no_card():
    card = Card(state=CardState(4, 900, 0), loads=[], gaps=[], records=[(5, 900, 100), (6, 800, 100)])
    bucket = bucket_of(encoded(0, card))
    known = known_of(bucket, {"0" * 20: card})
    verdicts = Verdicts.of(2)
    followed = follow_cards(
        bucket, verdicts, known, np.array([True, False]), np.ones(2, bool), np.zeros(2, bool)
    )
    assert followed.states.counter.tolist() == [5]
    assert followed.states.balance_fen.tolist() == [800]
    assert known.states.counter.tolist() == [4]
    assert all(CODES[code].state is State.ACCEPTED for code in verdicts.final())
