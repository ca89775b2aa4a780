from citycard.city.office import Office
from citycard.store import reading
from citycard_campus.replacing import follow_cards
from citycard_campus.roll import find_pupil


def test_guardians_and_pupils_follow_their_new_cards_once(place):
    mother = place.town.card()
    child = place.pupil(guardian=mother.asn)
    office, cards = Office(place.town.city, "anna"), {}
    for old in (mother, child):
        new = cards[old.asn] = place.stock()
        office.lost(old.asn)
        office.replace(old.asn, new.asn, reason="lost", fee_fen=0)
    assert [follow_cards(place.campus) for _ in range(2)] == [2, 0]
    with reading(place.campus.engine) as conn:
        one = find_pupil(conn, 1)
    assert (one.asn, one.guardian) == (cards[child.asn].asn, cards[mother.asn].asn)


def test_a_card_that_was_given_back_has_no_successor_to_follow(place):
    child = place.pupil()
    Office(place.town.city, "anna").give_back(child.asn)
    assert follow_cards(place.campus) == 0
