"""The report says of every part what a plain count gives, and of nobody too much."""

from __future__ import annotations

from datetime import date

import attrs
import pytest
from supervisedtown import APRIL, DISTRICTS, MARCH

from citycard.city.config import SupervisionSection
from citycard.city.supervision import choices, scope_of, span_before, supervise
from citycard.city.targets import FEW, Measure, Standing, Target
from citycard.city.uses import Span
from citycard.clearing.status import status
from citycard.errors import QueryInvalid, SupervisionTargetInvalid


def report(supervised, period=APRIL, partners=100, **about):
    since, until = period
    city = supervised.town.city
    return supervise(city, scope_of(city, since=since, until=until, **about), partners=partners)


def told(figures):
    return (figures.cards, figures.uses, figures.turnover_fen, figures.partners, figures.terminals)


def shown(count):
    """Give a plain count as the report may tell it of a part of the city."""
    cards, *others = count
    return (None if 0 < cards < FEW else cards, *others)


def test_all_together_is_told_beside_the_month_before(supervised):
    found = report(supervised)
    assert told(found.total.now) == supervised.count(*APRIL)
    assert told(found.total.before) == supervised.count(*MARCH)
    assert found.total.cards_change == supervised.count(*APRIL)[0] - supervised.count(*MARCH)[0]
    assert found.total.turnover_change_fen == supervised.count(*APRIL)[2] - supervised.count(*MARCH)[2]
    assert (found.before_since, found.before_until) == MARCH
    assert found.run == status(supervised.town.city).last_run


@pytest.mark.parametrize("kind", ["domain", "district", "partner"])
def test_every_line_is_a_plain_count_in_which_few_cards_are_not_told(supervised, kind):
    found = report(supervised, MARCH)
    lines = {line.id: line for line in getattr(found, f"{kind}s")}
    known = {
        "domain": ["kiosk", "market", "-"],
        "district": ["old-town", "harbour", "-"],
        "partner": list(DISTRICTS),
    }
    assert set(known[kind]) <= set(lines)
    for name in known[kind]:
        count = supervised.count(*MARCH, **{kind: name})
        assert told(lines[name].now) == shown(count), name
    assert None in {line.now.cards for line in lines.values()}


def test_the_lines_of_uses_and_turnover_add_up_to_all(supervised):
    found = report(supervised, MARCH)
    for lines in (found.domains, found.districts, found.partners):
        assert sum(line.now.uses for line in lines) == found.total.now.uses
        assert sum(line.now.turnover_fen for line in lines) == found.total.now.turnover_fen


def test_a_report_of_a_district_and_a_domain_is_about_them_alone(supervised):
    found = report(supervised, MARCH, district="harbour", domain="market")
    count = supervised.count(*MARCH, district="harbour", domain="market")
    assert told(found.total.now) == shown(count)
    assert [line.id for line in found.domains] == ["market"]
    assert [line.id for line in found.districts] == ["harbour"]
    assert [line.id for line in found.partners] == ["pier"]


def test_a_part_of_the_city_hides_few_cards_also_in_its_sum(supervised):
    found = report(supervised, MARCH, district="-")
    assert 0 < supervised.count(*MARCH, district="-")[0] < FEW
    assert found.total.now.cards is None
    assert found.total.cards_change is None


def test_registered_partners_and_terminals_are_those_in_use(supervised):
    found = report(supervised)
    lines = {line.id: line for line in found.districts}
    assert (lines["harbour"].partners_registered, lines["harbour"].terminals_registered) == (1, 3)
    assert (lines["harbour"].now.partners, lines["harbour"].now.terminals) == (1, 1)
    assert {line.partners_registered for line in found.domains} == {None}
    assert {line.id for line in found.partners} == {*DISTRICTS, "kiosk-south", "city-desk"}


def test_more_partners_than_asked_for_are_counted(supervised):
    found = report(supervised, partners=1)
    assert [line.id for line in found.partners] == ["old-stall"]
    assert found.partners_found == 5


# ── targets ──────────────────────────────────────────────────────────────────────────────────────


def reached(found):
    return [
        (one.domain.id, one.district.id, one.progress.reached, one.progress.due, one.progress.standing)
        for one in found.targets
    ]


def test_targets_are_measured_over_their_own_days(supervised):
    cards = supervised.count(*MARCH)[0]
    uses = supervised.count(*MARCH, domain="kiosk")[1]
    fen = supervised.count(*MARCH, domain="market", district="harbour")[2]
    assert reached(report(supervised, MARCH)) == [
        ("all", "all", cards, 20 * 31 // 61, Standing.BEHIND),
        ("kiosk", "all", uses, 18, Standing.MISSED if uses < 18 else Standing.REACHED),
        ("market", "harbour", fen, 1000 * 31 // 306, Standing.REACHED if fen >= 1000 else Standing.AHEAD),
    ]


def test_a_target_that_goes_on_is_measured_up_to_today(supervised):
    today = supervised.town.now.date()
    assert MARCH[1] < today < APRIL[1]
    whole = report(supervised).targets[0]
    assert whole.progress.on == today
    assert whole.progress.reached == supervised.count(MARCH[0], today)[0]
    assert whole.progress.due == 20 * ((today - MARCH[0]).days + 1) // 61


def test_targets_of_other_parts_and_days_are_left_out(supervised):
    assert [one[:2] for one in reached(report(supervised, MARCH, domain="kiosk"))] == [("kiosk", "all")]
    assert [one[:2] for one in reached(report(supervised, domain="kiosk"))] == [("kiosk", "harbour")]
    assert reached(report(supervised, (date(2025, 1, 1), date(2025, 1, 31)))) == []


def test_a_target_that_has_not_begun_says_so(supervised, monkeypatch):
    later = Target(measure=Measure.USES, value=5, since=APRIL[1], until=APRIL[1])
    aim(supervised, monkeypatch, later)
    assert reached(report(supervised)) == [("all", "all", 0, 0, Standing.NOT_BEGUN)]


def test_a_target_of_a_domain_that_is_not_there_names_itself(supervised, monkeypatch):
    aim(
        supervised,
        monkeypatch,
        Target(domain="moon", measure=Measure.USES, value=5, since=MARCH[0], until=MARCH[1]),
    )
    expected = r"supervision\.targets\[0\]\.domain 'moon' is not known: expected one of all, kiosk, market, -"
    with pytest.raises(SupervisionTargetInvalid, match=expected):
        report(supervised)


def aim(supervised, monkeypatch, *targets):
    city = supervised.town.city
    config = attrs.evolve(city.config, supervision=SupervisionSection(targets=targets))
    monkeypatch.setattr(city, "config", config)


# ── what is asked ────────────────────────────────────────────────────────────────────────────────


def test_this_month_up_to_today_is_meant_when_nothing_is_said(supervised):
    today = supervised.town.now.date()
    city = supervised.town.city
    assert scope_of(city).span == Span(today.replace(day=1), today)
    assert scope_of(city, until=MARCH[1]).span == Span(*MARCH)
    assert scope_of(city, since=MARCH[0]).span == Span(MARCH[0], today)


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"since": APRIL[0], "until": MARCH[0]}, "until '2026-03-01' is not valid: expected a day from 2026"),
        ({"since": date(1, 1, 1)}, "since '0001-01-01' is not valid: expected a day from 2000-01-01"),
        ({"until": date(9999, 12, 31)}, "until '9999-12-31' is not valid"),
        ({"since": date(2000, 1, 1), "until": date(2026, 1, 1)}, "until '2026-01-01' .* at most 3660 days"),
        ({"district": "moon"}, "district 'moon' is not valid: expected one of harbour, old-town, -"),
        ({"domain": "moon"}, "domain 'moon' is not valid: expected one of kiosk, market, -"),
    ],
)
def test_what_cannot_be_asked_names_its_field(supervised, wish, expected):
    with pytest.raises(QueryInvalid, match=expected):
        scope_of(supervised.town.city, **wish)


def test_districts_and_domains_have_names_in_both_languages(supervised):
    districts, domains = choices(supervised.town.city)
    assert [(one.id, one.title_zh) for one in districts] == [
        ("harbour", "港区"),
        ("old-town", "老城区"),
        ("-", "无区县"),
    ]
    assert [one.title for one in domains] == ["Kiosks", "Market", "other"]


@pytest.mark.parametrize(
    ("span", "before"),
    [
        (("2026-03-01", "2026-03-31"), ("2026-02-01", "2026-02-28")),
        (("2026-02-01", "2026-02-28"), ("2026-01-01", "2026-01-31")),
        (("2026-03-01", "2026-03-10"), ("2026-02-01", "2026-02-10")),
        (("2026-03-01", "2026-03-30"), ("2026-02-01", "2026-02-28")),
        (("2026-01-01", "2026-01-05"), ("2025-12-01", "2025-12-05")),
        (("2026-03-05", "2026-03-11"), ("2026-02-26", "2026-03-04")),
        (("2026-01-01", "2026-03-31"), ("2025-10-03", "2025-12-31")),
    ],
)
def test_months_are_compared_with_months_and_days_with_as_many_days(span, before):
    assert span_before(Span(*map(date.fromisoformat, span))) == Span(*map(date.fromisoformat, before))
