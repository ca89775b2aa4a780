"""A school year: enrolled from a file, fed by the subsidy first, followed through rooms, graduated.

Real chips, tills, ledger, clearing and pages; nothing of the plugin is stood in for.
"""

import datetime as dt
from importlib.metadata import entry_points

import pytest
from schooltown import CANTEEN, HEADER, PROGRAMME, SCHOOL, SETTINGS, SchoolTown

from citycard.city.office import Office
from citycard.city.till import Sale
from citycard.errors import CardRefused
from citycard.testing.town import Town
from citycard_campus.attendance import import_timetable
from citycard_campus.campus import Campus
from citycard_campus.errors import DayLimitReached, DoorClosed, NotEnrolled, RightsEnded
from citycard_campus.lending import LibraryDesk
from citycard_campus.rooms import ComputerRoom, Gate, LessonRoom

MONTH, DAY = "2026-03", dt.timedelta(days=1)
TIMETABLE = (
    "school,class,weekday,begins,ends,room,title,from,until\n"
    f"{SCHOOL},7-3,1,08:30,09:15,12,Mathematics,2026-03-01,2026-07-10\n"
    f"{SCHOOL},7-3,8,08:30,09:15,12,Nothing,2026-03-01,2026-07-10\n"
)


@pytest.fixture(params=["on_sqlite", pytest.param("on_postgresql", marks=pytest.mark.postgresql)])
def place(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def family(place):
    """Enrol two pupils and a teacher from a file in which two lines are bad."""
    town = place.town
    mother, lei, mei, teacher = (town.card() for _ in range(4))
    for card in (lei, mei, teacher):
        town.load(card, 6000)
    report = place.roll(
        f"{SCHOOL},S1,pupil,李雷,7-3,{lei.asn},{mother.asn},2027-07-15,15.00",
        f"{SCHOOL},S2,pupil,韩梅梅,7-3,{mei.asn},{mother.asn},2026-03-31,",
        f"{SCHOOL},T1,teacher,Ms Gao,,{teacher.asn},,2030-07-15,",
        f"{SCHOOL},S3,pupil,Nobody,7-3,{'9' * 20},,2027-07-15,",
        f"school-7,S4,pupil,Somebody,7-3,{mother.asn},,2027-07-15,",
    )
    assert (report.enrolled, [line.line for line in report.bad]) == (3, [5, 6])
    assert "school-3" in report.bad[1].reason
    return mother, lei, mei, teacher


def granted(place, fen):
    """Let the education office pay for meals, grant a month of them, and write cards at the desk."""
    place.fund(fen)
    with_line = place.town.client("operator")
    answer = with_line.post(f"/campus/schools/{SCHOOL}/grants", json={"batch": MONTH})
    assert answer.status_code == 200, answer.text
    again = with_line.post(f"/campus/schools/{SCHOOL}/grants", json={"batch": MONTH}).json()
    assert again["repeated"] == answer.json()["granted"]
    return answer.json()


def test_the_subsidy_pays_first_and_the_canteen_gets_every_fen(place, family):
    town = place.town
    _, lei, mei, teacher = family
    guest = town.card()
    town.load(guest, 3000)
    assert granted(place, 100_000)["granted_fen"] == 1500
    desk, canteen = place.desk(), place.canteen()
    for card in (lei, mei, teacher):
        desk.write(card.reader, town.now)
        desk.write(card.reader, town.now)
    assert place.enrolment(lei).pot_fen == 1500

    place.at("12:00")
    paid = {}
    for name, card in (("lei", lei), ("mei", mei), ("teacher", teacher), ("guest", guest)):
        paid[name] = canteen.sell(card.reader, town.now).amount_fen
        town.pass_time(dt.timedelta(minutes=2))
    assert paid == {"lei": 0, "mei": 1000, "teacher": 1500, "guest": 2500}
    assert canteen.sell(lei.reader, town.now).amount_fen == 500

    place.at("21:00")
    run = town.clear(desk.till, canteen.till)
    first = town.statement(CANTEEN)
    assert (run.count("rejected"), run.count("suspended"), first.net_fen) == (0, 0, 5500)
    town.clear()
    second = town.statement(CANTEEN)
    assert (second.net_fen, second.carried_fen) == (0, 1500)
    instruction = max((town.city.folder / "bank").glob("*.xml")).read_text()
    assert second.end_to_end in instruction
    assert '<InstdAmt Ccy="CNY">15.00</InstdAmt>' in instruction

    pots, programme = place.standing(), place.programme()
    assert (pots.settled_fen, pots.left_fen, pots.difference_fen) == (1500, 0, 0)
    assert (programme.spent_fen, programme.difference_fen) == (1500, 0)
    statement = town.client("partner", SCHOOL).get(f"/campus/schools/{SCHOOL}/statement").json()
    assert statement["days"] == [
        {
            "day": "2026-03-02",
            "canteen": CANTEEN,
            "meals": 2,
            "settled_fen": 1500,
            "waiting_fen": 0,
            "purse_fen": 500,
        }
    ]
    town.check_books()


def test_a_missed_lesson_is_told_to_the_guardian_at_once_and_once(place, family):
    town = place.town
    mother, lei, mei, _ = family
    desk = place.desk()
    for card in (lei, mei):
        desk.write(card.reader, town.now)
    report = import_timetable(place.campus, TIMETABLE, file="timetable.csv")
    assert (report.added, [line.line for line in report.bad]) == (1, [3])
    room = LessonRoom(place.campus, town.terminal(SCHOOL), SCHOOL, 12)
    offline = LessonRoom(place.campus, town.terminal(SCHOOL), SCHOOL, 12, online=False)

    place.at("08:20")
    room.attend(lei.reader, town.now)
    place.at("08:39")
    town.city.plugins.run_job("campus.tell-missing")
    assert place.events("campus.lesson-missed") == []
    place.at("08:41")
    for _ in range(2):
        town.city.plugins.run_job("campus.tell-missing")
    told = place.events("campus.lesson-missed")
    assert [(one["card"], one["guardian"], one["title"]) for one in told] == [
        (mei.asn, mother.asn, "Mathematics")
    ]
    page = town.client("citizen", mother.asn).get(f"/cards/{mother.asn}", headers={"accept": "text/html"})
    assert "韩梅梅 missed Mathematics" in page.text

    # A room without a line saw her come late; its records say so when they are cleared.
    offline.attend(mei.reader, town.now)
    town.clear(desk.till, room.till, offline.till)
    assert [one["pupil"] for one in place.events("campus.absence-taken-back")] == [told[0]["pupil"]]
    town.city.plugins.run_job("campus.tell-missing")
    assert len(place.events("campus.lesson-missed")) == 1


def test_a_guardian_limits_the_day_and_terminals_keep_to_it_offline(place, family):
    town = place.town
    mother, lei, mei, _ = family
    desk, canteen = place.desk(), place.canteen()
    guardian = town.client("citizen", mother.asn)
    found = guardian.get(f"/campus/guardians/{mother.asn}/children").json()["children"]
    numbers = {child["card"]: child["number"] for child in found}
    assert set(numbers) == {lei.asn, mei.asn}
    limit = {"guardian": mother.asn, "day_limit_fen": 900}
    assert guardian.post(f"/campus/members/{numbers[mei.asn]}/limit", json=limit).json() == {
        "number": numbers[mei.asn],
        "day_limit_fen": 900,
    }
    stranger = town.client("citizen", lei.asn)
    assert stranger.post(f"/campus/members/{numbers[mei.asn]}/limit", json=limit).status_code == 403
    own = {"guardian": lei.asn, "day_limit_fen": 9000}
    assert stranger.post(f"/campus/members/{numbers[mei.asn]}/limit", json=own).status_code == 404

    desk.write(mei.reader, town.now)
    place.at("12:00")
    with pytest.raises(DayLimitReached) as refused:
        canteen.sell(mei.reader, town.now)
    assert refused.value.data == {"left_fen": 900, "wanted_fen": 1000}
    assert town.balance_fen(mei) == 6000
    page = guardian.get("/campus/mine", headers={"accept": "text/html"})
    assert "韩梅梅" in page.text


def test_rooms_doors_and_the_library_go_by_the_card(place, family):
    town = place.town
    _, lei, _, teacher = family
    desk = place.desk()
    gate = Gate(place.campus, town.terminal(SCHOOL), SCHOOL, 1)
    staff = Gate(place.campus, town.terminal(SCHOOL), SCHOOL, 2)
    with pytest.raises(NotEnrolled):
        gate.enter(lei.reader, town.now)
    for card in (lei, teacher):
        desk.write(card.reader, town.now)
    assert gate.enter(lei.reader, town.now).amount_fen == 0
    staff.enter(teacher.reader, town.now)
    with pytest.raises(DoorClosed, match="door 2 does not open for a pupil"):
        staff.enter(lei.reader, town.now)

    computers = ComputerRoom(place.campus, town.terminal(SCHOOL), SCHOOL, 7)
    begun = place.at("15:00")
    assert computers.tap(lei.reader, begun).amount_fen == 0
    assert computers.tap(lei.reader, town.pass_time(dt.timedelta(minutes=31, seconds=10))).amount_fen == 150
    computers.tap(lei.reader, town.pass_time(dt.timedelta(minutes=5)))
    assert computers.tap(lei.reader, town.pass_time(DAY)).amount_fen == 300

    library = LibraryDesk(place.campus, town.terminal(SCHOOL), SCHOOL)
    library.lend(lei.reader, town.now, "B-0017")
    run = town.clear(*(post.till for post in (desk, gate, staff, computers, library)))
    assert (run.count("accepted"), run.notes, town.statement(SCHOOL).net_fen) == (run.records, (), 450)
    town.pass_time(33 * DAY)
    assert library.take_back(lei.reader, town.now, "B-0017").amount_fen == 30
    town.clear(library.till)
    assert town.statement(SCHOOL).net_fen == 30
    town.check_books()


def test_graduation_ends_the_rights_at_the_next_tap_and_the_rest_goes_back(place, family):
    town = place.town
    _, lei, mei, _ = family
    granted(place, 100_000)
    desk, canteen = place.desk(), place.canteen()
    gate = Gate(place.campus, town.terminal(SCHOOL), SCHOOL, 1)
    for card in (lei, mei):
        desk.write(card.reader, town.now)
    place.at("12:00")
    assert canteen.sell(lei.reader, town.now).amount_fen == 0

    number = place.enrolment(lei).pupil
    ended = town.client("clerk").post(f"/campus/members/{number}/end", json={"why": "graduated"})
    assert ended.json() == {"number": number, "left_on": "2026-03-02", "why": "graduated"}
    for post in (gate, canteen):
        post.refresh()
    with pytest.raises(RightsEnded, match="the school ended the enrolment"):
        gate.enter(lei.reader, town.now)
    town.pass_time(dt.timedelta(minutes=5))
    assert canteen.sell(lei.reader, town.now).amount_fen == 2500
    town.clear(desk.till, canteen.till)
    assert place.standing().left_fen == 500
    # The last day that stands on a card needs no list.
    town.pass_time(30 * DAY)
    place.at("12:00")
    with pytest.raises(RightsEnded, match="2026-03-31"):
        gate.enter(mei.reader, town.now)

    for _ in range(2):
        town.city.plugins.run_job("campus.return-meals")
    pots, programme = place.standing(), place.programme()
    assert (pots.settled_fen, pots.returned_fen, pots.left_fen, pots.difference_fen) == (1000, 500, 0, 0)
    assert (programme.spent_fen, programme.held_fen, programme.difference_fen) == (1000, 500, 0)
    town.check_books()


def test_a_lost_card_is_refused_and_its_pot_follows_to_the_next_one(place, family):
    town = place.town
    _, lei, _, _ = family
    granted(place, 100_000)
    desk, canteen = place.desk(), place.canteen()
    desk.write(lei.reader, town.now)
    place.at("12:00")
    canteen.sell(lei.reader, town.now)
    town.clear(desk.till, canteen.till)

    office, successor = Office(town.city, "anna"), place.stock()
    office.lost(lei.asn)
    canteen.refresh()
    with pytest.raises(CardRefused):
        canteen.sell(lei.reader, town.now)
    office.replace(lei.asn, successor.asn, reason="lost", fee_fen=0)
    town.city.plugins.run_job("campus.follow-cards")
    desk.refresh()
    desk.write(successor.reader, town.now)
    assert (place.enrolment(successor).group, place.enrolment(successor).pot_fen) == ("7-3", 0)

    town.pass_time(15 * DAY)
    for job in ("return-meals", "carry-meals", "carry-meals"):
        town.city.plugins.run_job(f"campus.{job}")
    desk.write(successor.reader, town.now)
    assert place.enrolment(successor).pot_fen == 500
    pots = place.standing()
    assert (pots.loaded_fen, pots.settled_fen, pots.returned_fen, pots.left_fen) == (2000, 1000, 500, 500)
    assert (pots.difference_fen, place.programme().difference_fen) == (0, 0)


@pytest.mark.skipif(
    not {"transit", "retail"} <= entry_points(group="citycard").names,
    reason="needs transit and retail installed beside campus, as `tox run -e contract` has them",
)
def test_the_same_card_pays_the_bus_and_a_shop(tmp_path):
    transit = {
        "operators": [{"id": "bus-1", "name": "Bus One", "number": 1}],
        "bases": [{"name": "bus", "source": "flat", "flat_fen": 200, "services": ["bus"]}],
    }
    town = Town.make(
        tmp_path,
        domains=["campus", "transit", "retail"],
        settings={"campus": SETTINGS, "transit": transit},
    )
    place = SchoolTown(town, Campus.of(town.city))
    lei = place.pupil()
    town.load(lei, 1000)
    desk, bus = place.desk(), town.till(town.terminal("bus-1"))
    shop = town.till(town.terminal(town.partner("corner-shop")))
    desk.write(lei.reader, town.now)

    def paying(service, list_price_fen=0, **facts):
        made = town.city.plugins.service(service).record.facts(**facts)

        def pay(visit):
            price = visit.price(service, made, list_price_fen=list_price_fen)
            return Sale(
                service=service, amount_fen=price.amount_fen, facts=made, list_price_fen=list_price_fen
            )

        return pay

    ride = paying("bus", place=901, operator=1)
    bread = paying("retail-sale", 350, tier=1, mcc="5399", receipt=1)
    assert bus.serve(lei.reader, town.now, ride).amount_fen == 200
    assert shop.serve(lei.reader, town.pass_time(dt.timedelta(minutes=5)), bread).amount_fen == 350
    run = town.clear(desk.till, bus, shop)
    assert (run.count("accepted"), run.notes, town.statement("bus-1").net_fen) == (3, (), 200)
    assert run.gross_fen == 550
    assert place.enrolment(lei).school == 3
    town.check_books()
    town.close()


def test_the_roll_may_come_by_http_and_again(place):
    card = place.town.card()
    text = f"{HEADER}{SCHOOL},S1,pupil,Li Lei,7-3,{card.asn},,2027-07-15,15\n"
    clerk = place.town.client("clerk")
    first = clerk.post("/campus/roll", json={"name": "roll.csv", "text": text}).json()
    again = clerk.post("/campus/roll", json={"name": "roll.csv", "text": text}).json()
    assert (first["enrolled"], again["unchanged"], PROGRAMME) == (1, 1, "meals")
