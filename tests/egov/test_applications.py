"""Applications: forms, fees, turns, deadlines by the city's calendar."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from uuid import UUID

import pytest

from citycard.city import charging
from citycard.errors import ActDiffers, ActGivenUp, FundsMissing, OnlineAccountUnknown
from citycard.ids import new_id
from citycard.store import reading, undelivered
from citycard.testing.town import Town, TownCard
from citycard.wallet import online_account
from citycard_egov import register
from citycard_egov.applications import (
    applications_of,
    decide,
    history,
    look,
    mark_overdue,
    queue,
    withdraw_application,
)
from citycard_egov.errors import ApplicationRefused, ApplicationUnknown, EgovInvalid, ServiceNotOffered
from citycard_egov.filing import file_application, finish_paying
from citycard_egov.office import Office

FORM = {"reason": "school"}


@pytest.fixture
def applicant(town: Town, office: Office, number: Callable[..., str]) -> tuple[UUID, TownCard]:
    card = town.card()
    register.tell(office, number(1), "police", {"name": "Li"}, day=dt.date(2026, 2, 1), actor="test")
    return register.link_card(office, number(1), card.asn, actor="clerk"), card


def test_without_its_fee_nothing_is_filed(
    town: Town, office: Office, applicant: tuple[UUID, TownCard]
) -> None:
    who, card = applicant
    with pytest.raises(OnlineAccountUnknown):
        file_application(office, new_id(), who, card.asn, "residence-certificate", FORM, actor="me")
    town.account(card, 999)
    with pytest.raises(FundsMissing):
        file_application(office, new_id(), who, card.asn, "residence-certificate", FORM, actor="me")
    with reading(office.engine) as conn:
        assert applications_of(conn, who) == []
    town.account(card, 1)
    once = new_id()
    for _ in range(2):
        filed = file_application(office, once, who, card.asn, "residence-certificate", FORM, actor="me")
        assert filed.fee_fen == 1000
    with pytest.raises(ActDiffers):
        file_application(office, once, who, card.asn, "hearing", {}, actor="me")
    town.check_books()


def test_what_was_broken_off_while_paying_is_opened_when_it_was_paid_and_given_up_otherwise(
    town: Town, office: Office, applicant: tuple[UUID, TownCard], monkeypatch: pytest.MonkeyPatch
) -> None:
    who, card = applicant
    town.account(card, 1500)
    paid, unpaid = new_id(), new_id()

    def killed(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("citycard_egov.filing._open", killed)
        with pytest.raises(KeyboardInterrupt):
            file_application(office, paid, who, card.asn, "residence-certificate", FORM, actor="me")
        patch.setattr("citycard_egov.filing.charge_fee", killed)
        with pytest.raises(KeyboardInterrupt):
            file_application(office, unpaid, who, card.asn, "residence-certificate", FORM, actor="me")
    with reading(office.engine) as conn:
        assert applications_of(conn, who) == queue(conn) == []
    town.city.plugins.run_job("egov.finish-applications")
    town.pass_time(dt.timedelta(minutes=3))
    town.city.plugins.run_job("egov.finish-applications")
    assert finish_paying(office) == 0
    with reading(office.engine) as conn:
        assert [(one.id, one.fee_fen, str(one.state)) for one in applications_of(conn, who)] == [
            (paid, 1000, "open")
        ]
    again = file_application(office, paid, who, card.asn, "residence-certificate", FORM, actor="me")
    assert again.fee_fen == 1000
    town.check_books()


def test_an_application_that_stalled_until_it_was_given_up_takes_no_fee(
    town: Town, office: Office, applicant: tuple[UUID, TownCard], monkeypatch: pytest.MonkeyPatch
) -> None:
    who, card = applicant
    account, late, price = town.account(card, 1500), new_id(), charging.price

    def stalled(*given: object, **named: object) -> object:
        monkeypatch.setattr(charging, "price", price)
        town.pass_time(dt.timedelta(minutes=3))
        assert finish_paying(office) == 1
        return price(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(charging, "price", stalled)
    for _ in range(2):
        with pytest.raises(ActGivenUp):
            file_application(office, late, who, card.asn, "residence-certificate", FORM, actor="me")
    with reading(office.engine) as conn:
        assert applications_of(conn, who) == []
        assert office.city.ledger.balance_fen(conn, online_account(account)) == 1500


@pytest.mark.parametrize(
    ("service", "form", "error", "message"),
    [
        ("passport", {}, ServiceNotOffered, "there are residence-certificate, hearing"),
        ("residence-certificate", {}, EgovInvalid, "exactly these fields: reason"),
        ("residence-certificate", {"reason": " "}, EgovInvalid, "form.reason"),
        ("residence-certificate", {"reason": "x" * 501}, EgovInvalid, "1 to 500 characters"),
        ("hearing", {"reason": "x"}, EgovInvalid, "exactly these fields: none"),
    ],
)
def test_a_form_that_is_not_the_services_is_refused(
    office: Office,
    applicant: tuple[UUID, TownCard],
    service: str,
    form: dict[str, str],
    error: type[Exception],
    message: str,
) -> None:
    who, card = applicant
    with pytest.raises(error, match=message):
        file_application(office, new_id(), who, card.asn, service, form, actor="me")


def test_working_days_leave_out_weekends_and_holidays_and_overdue_is_told_once(
    town: Town, office: Office, applicant: tuple[UUID, TownCard]
) -> None:
    who, card = applicant
    # Filed on the Friday before Qingming 2026: Saturday to Monday are free.
    town.pass_time(dt.datetime(2026, 4, 3, 9) - town.now)
    filed = file_application(office, new_id(), who, card.asn, "hearing", {}, actor="me")
    assert filed.due_on == dt.date(2026, 4, 7)
    town.pass_time(dt.datetime(2026, 4, 7, 23) - town.now)
    assert mark_overdue(office) == 0
    town.pass_time(dt.timedelta(hours=2))
    assert [mark_overdue(office), mark_overdue(office)] == [1, 0]
    with reading(office.engine) as conn:
        told = undelivered(conn, topics=["egov.application-overdue"])
        assert [one.overdue for one in queue(conn, "police")] == [True]
    assert [(one.body["department"], one.body["due_on"]) for one in told] == [("police", "2026-04-07")]


def test_only_whose_turn_it_is_decides_and_a_refusal_says_why(
    town: Town, office: Office, applicant: tuple[UUID, TownCard]
) -> None:
    who, card = applicant
    town.account(card, 1000)
    filed = file_application(office, new_id(), who, card.asn, "residence-certificate", FORM, actor="me")
    with pytest.raises(ApplicationRefused, match="the turn of police"):
        decide(office, new_id(), filed.id, "civil-affairs", approve=True, words="", actor="she")
    with pytest.raises(ApplicationRefused, match="not with civil-affairs"):
        look(office, filed.id, "civil-affairs", actor="she")
    with pytest.raises(EgovInvalid, match="the reason"):
        decide(office, new_id(), filed.id, "police", approve=False, words=" ", actor="he")
    once = new_id()
    for _ in range(2):
        refused = decide(office, once, filed.id, "police", approve=False, words="moved away", actor="he")
        assert (str(refused.state), refused.due_on) == ("refused", None)
    with pytest.raises(ActDiffers):
        decide(office, once, filed.id, "police", approve=True, words="", actor="he")
    with pytest.raises(ApplicationRefused, match="it is refused"):
        withdraw_application(office, new_id(), filed.id, who, actor="me")
    with pytest.raises(ApplicationUnknown):
        decide(office, new_id(), new_id(), "police", approve=True, words="", actor="he")
    with reading(office.engine) as conn:
        done = history(conn, office, filed.id)
    assert [(one.action, one.words) for one in done] == [("filed", ""), ("refused", "moved away")]


def test_an_applicant_takes_an_open_application_back_and_nobody_else_does(
    office: Office, applicant: tuple[UUID, TownCard]
) -> None:
    who, card = applicant
    filed = file_application(office, new_id(), who, card.asn, "hearing", {}, actor="me")
    with pytest.raises(ApplicationUnknown):
        withdraw_application(office, new_id(), filed.id, new_id(), actor="somebody")
    once = new_id()
    for _ in range(2):
        assert str(withdraw_application(office, once, filed.id, who, actor="me").state) == "withdrawn"
    with pytest.raises(ApplicationRefused, match="it is withdrawn"):
        decide(office, new_id(), filed.id, "police", approve=True, words="", actor="he")
