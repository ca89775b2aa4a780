def test_a_door_opens_for_a_right_that_was_collected(estate):
    owner = estate.town.card()
    estate.home(owner, building=1)
    assert estate.opens("east", owner) == "no-right"
    estate.kiosk().collect(owner.reader, estate.now)

    opening = estate.door("east").open(owner.reader, estate.now)

    assert (opening.door, opening.right.serial, opening.receipt.amount_fen) == ("east", 1, 0)
    assert [estate.opens(door, owner) for door in ("gate", "east", "west")] == ["owner", "owner", "not-here"]
