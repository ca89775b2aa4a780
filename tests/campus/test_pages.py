from schooltown import SCHOOL

from citycard_campus.canteen import Canteen

HTML = {"accept": "text/html"}


def test_a_guardian_sees_the_children_in_both_languages(place):
    mother = place.town.card()
    place.pupil(guardian=mother.asn)
    client = place.town.client("citizen", mother.asn)
    english, chinese = (client.get(f"/campus/mine?lang={code}", headers=HTML) for code in ("en", "zh"))
    assert (english.status_code, chinese.status_code) == (200, 200)
    assert "Li Lei" in english.text
    assert "Limit of the day" in english.text
    assert "每日限额" in chinese.text
    assert "我的孩子" in chinese.text


def test_only_who_may_have_children_finds_the_page_in_the_menu(place):
    mother = place.town.card()
    for role, subject, finds in (("citizen", mother.asn, True), ("operator", "", False)):
        page = place.town.client(role, subject).get("/", headers=HTML)
        assert (role, 'href="/campus/mine"' in page.text) == (role, finds)


def test_schools_alone_of_all_partners_find_them_in_the_menu(place):
    for partner, finds in ((SCHOOL, True), ("somebody-else", False)):
        page = place.town.client("partner", partner).get("/", headers=HTML)
        assert (partner, 'href="/campus/overview"' in page.text) == (partner, finds)


def test_a_stranger_sees_nobody(place):
    place.pupil()
    stranger = place.town.card()
    page = place.town.client("citizen", stranger.asn).get("/campus/mine", headers=HTML)
    assert "Nobody is enrolled with you" in page.text
    assert "Li Lei" not in page.text
    assert place.town.client("partner", SCHOOL).get("/campus/mine", headers=HTML).status_code == 403


def test_the_page_sets_and_takes_away_a_limit(place):
    mother = place.town.card()
    place.pupil(guardian=mother.asn)
    client = place.town.client("citizen", mother.asn)
    number = client.get(f"/campus/guardians/{mother.asn}/children").json()["children"][0]["number"]

    def kept():
        return client.get(f"/campus/guardians/{mother.asn}/children").json()["children"][0]["day_limit_fen"]

    path = f"/campus/mine/{number}/limit"
    answer = client.post(path, data={"limit": "12.50"}, follow_redirects=False)
    assert (answer.status_code, kept()) == (303, 1250)
    assert client.post(path, data={"limit": "a lot"}).status_code == 422
    assert kept() == 1250
    client.post(path, data={"limit": ""})
    assert kept() is None


def test_a_limit_that_is_none_is_told_to_a_guardian_in_chinese(place):
    mother = place.town.card()
    place.pupil(guardian=mother.asn)
    client = place.town.client("citizen", mother.asn)
    number = client.get(f"/campus/guardians/{mother.asn}/children").json()["children"][0]["number"]
    path = f"/campus/mine/{number}/limit"
    page = client.post(path, data={"limit": "a lot"}, headers=HTML | {"accept-language": "zh"})
    assert (page.status_code, page.headers["content-language"]) == (422, "zh")
    assert "limit 为 &#39;a lot&#39;，应为：金额（元），例如 20 或 12.50" in page.text


def test_the_office_sees_schools_and_decides_meals(place):
    from citycard.city.till import Sale
    from citycard_campus.sectors import MealFacts, Role

    card = place.pupil()
    canteen: Canteen = place.canteen()
    place.town.load(card, 3000)
    place.at("12:00")
    facts = MealFacts(school=3, role=Role.PUPIL, pupil=1, pot_fen=400, uses=1)
    sale = Sale(service="campus-canteen", amount_fen=600, facts=facts)
    canteen.till.serve(card.reader, place.town.now, lambda _: sale)
    place.town.clear(canteen.till)

    office = place.town.client("operator")
    page = office.get("/campus/overview", headers=HTML)
    assert "the pot covers 0 fen" in page.text
    record = page.text.partition('action="/campus/overview/')[2].partition('"')[0]
    refused = office.post(f"/campus/overview/{record}", data={"how": "pay"})
    assert refused.status_code == 409
    answer = office.post(f"/campus/overview/{record}", data={"how": "refuse"}, follow_redirects=False)
    assert answer.status_code == 303
    assert "Every meal was paid by its pot" in office.get("/campus/overview", headers=HTML).text
    assert "待处理的就餐" in office.get("/campus/overview?lang=zh", headers=HTML).text
    assert place.town.client("citizen", card.asn).get("/campus/overview", headers=HTML).status_code == 403
