from citycard.city.statements.explained import reason_of
from citycard.ids import new_id
from citycard.store import reading


def test_what_a_partner_gave_back_by_itself_needs_no_approval_to_stand_on_a_statement(store):
    with reading(store) as conn:
        assert reason_of(conn, f"refund/{new_id()}") is None
        assert reason_of(conn, "load/990100000077/3") is None
