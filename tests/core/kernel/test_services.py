"""Services have one owner; a veto fails closed; entitlements are vouched for, or not."""

from __future__ import annotations

import sys
from datetime import date

import attrs
import pytest

from citycard import DebitRequest, Entitlement, Holder, Participant, Refusal, Service
from citycard.card import amount, layout, unsigned
from citycard.errors import DeclarationInvalid, PluginFailed
from citycard.registry import Partner


@pytest.fixture
def debit(at):
    return DebitRequest(asn="0" * 20, service="zoo", amount_fen=2000, at=at, district="nanshan")


def raising(*_):
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", 0),
        ("number", 65536),
        ("number", True),
        ("name", ""),
        ("title", ""),
        ("facts", dict),
        ("request", 1),
    ],
)
def test_a_service_is_checked_when_it_is_made(field, value):
    with pytest.raises(DeclarationInvalid, match=f"Service.{field} is"):
        Service(**{"name": "zoo", "number": 700, "title": "Zoo", field: value})


@layout(size=9)
class Visit:
    paid_fen: int = amount()
    wide_fen: int = amount(3)
    animals: int = unsigned(2)


@attrs.frozen
class Loose:
    paid_fen: int


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (Visit, "wide_fen"),
        (Visit, "animals"),
        (Visit, "fed_fen"),
        (Visit, ["paid_fen"]),
        (Loose, "paid_fen"),
        (None, "paid_fen"),
    ],
)
def test_what_was_spent_today_is_an_amount_of_four_bytes_or_the_plugin_is_refused(facts, field, plugin, city):
    def citycard_services(settings):
        yield Service(name="zoo", number=700, title="Zoo", facts=facts, spent_today=field)

    report = city(plugin("zoo", citycard_services)).report("zoo")

    assert (report.name, report.state) == ("zoo", "refused")
    assert report.reason == (
        f"citycard_services: Service.spent_today is {field!r}: "
        "expected a field of the facts of service 'zoo' that is an amount of four bytes"
    )


def test_an_amount_of_four_bytes_can_be_what_was_spent_today():
    declared = Service(name="zoo", number=700, title="Zoo", facts=Visit, spent_today="paid_fen")
    assert declared.spent_today == "paid_fen"


def test_a_service_is_found_by_number_and_by_name(plugin, city):
    def citycard_services(settings):
        yield Service(name="zoo", number=700, title="Zoo")

    plugins = city(plugin("zoo", citycard_services))

    assert plugins.service(700) is plugins.service("zoo")
    assert plugins.service(701) is None
    plugins.disable("zoo", by="a test")
    assert plugins.service(700) is None


def test_what_a_service_raises_names_the_plugin_and_only_that_call_fails(plugin, city):
    def request(record, facts):
        return 100 // record

    plugins = city(plugin("zoo", services=[Service(name="zoo", number=700, title="Zoo", request=request)]))
    asked = plugins.service(700).record.request

    with pytest.raises(PluginFailed) as failed:
        asked(0, None)

    assert str(failed.value) == (
        "plugin zoo (citycard-zoo 1.0) failed in services zoo (request): "
        "ZeroDivisionError: integer division or modulo by zero"
    )
    assert asked(2, None) == 50
    report = plugins.report("zoo")
    assert (report.state, report.running, report.failures) == ("failed", True, 1)
    assert report.reason.startswith("raised once while running; last raised in services zoo (request): Zero")


def test_shares_that_raise_late_in_a_generator_are_caught_too(plugin, city):
    def shares(record, facts, quote):
        yield "first"
        raise OSError("no second")

    plugins = city(plugin("zoo", services=[Service(name="zoo", number=700, title="Zoo", shares=shares)]))

    with pytest.raises(
        PluginFailed, match=r"plugin zoo .* failed in services zoo \(shares\): OSError: no second"
    ):
        list(plugins.service(700).record.shares(None, None, None))


def test_a_participant_becomes_the_partner_that_is_paid(plugin, city):
    def citycard_participants(settings):
        yield Participant(id="zoo", name="City zoo", account_no="6200123456789012", bank_bic="CITYCNBJXXX")

    plugins = city(plugin("zoo", citycard_participants))

    (owned,) = plugins.participants()
    partner = Partner(id="zoo", name="City zoo", account_no="6200123456789012", bank_bic="CITYCNBJXXX")
    assert partner == owned.record.partner()


def test_nobody_objects_where_nobody_has_an_opinion(plugin, city, debit):
    assert city(plugin("zoo")).veto(debit) is None


def test_one_no_is_enough_and_says_whose_it_is(plugin, city, debit):
    def citycard_check_debit(request):
        return (
            Refusal(code="feeding", reason="no visits at feeding time") if request.amount_fen > 1000 else None
        )

    plugins = city(plugin("zoo", citycard_check_debit), plugin("aviary", check_debit=lambda: None))

    assert Refusal(code="feeding", reason="no visits at feeding time", plugin="zoo") == plugins.veto(debit)


@pytest.mark.parametrize("answer", [raising, lambda: True, lambda: "no", lambda: sys.exit(1)])
def test_a_check_that_breaks_refuses_every_debit(answer, plugin, city, debit):
    plugins = city(plugin("zoo", check_debit=answer))

    refusals = [plugins.veto(debit) for _ in range(3)]

    expected = Refusal(code="plugin-failed", reason="zoo could not check the debit", plugin="zoo")
    assert [expected] * 3 == refusals
    assert plugins.report("zoo").failures == 3
    assert plugins.report("zoo").state == "failed"


def test_a_check_is_asked_only_where_its_plugin_is_on(plugin, city, debit):
    plugins = city(plugin("zoo", check_debit=raising))

    plugins.disable("zoo", by="a test", district="nanshan")

    assert plugins.veto(debit) is None
    assert plugins.veto(DebitRequest(asn="1", service="zoo", amount_fen=1, at=debit.at)) is not None


def test_switching_a_broken_plugin_starts_its_count_anew(plugin, city, debit):
    plugins = city(plugin("zoo", check_debit=raising))
    plugins.veto(debit)

    plugins.disable("zoo", by="a test")

    assert (plugins.enable("zoo", by="a test").state, plugins.report("zoo").failures) == ("enabled", 0)


def test_entitlements_come_from_everybody_who_vouches(plugin, city, at):
    def citycard_entitlements(holder, at):
        if holder.asn.endswith("1"):
            yield Entitlement(name="student", until=date(2019, 7, 31))

    plugins = city(
        plugin("campus", citycard_entitlements),
        plugin("health", entitlements=lambda: [Entitlement(name="carer")]),
        plugin("broken", entitlements=raising),
        plugin("garbage", entitlements=lambda: ["everything"]),
    )

    def vouched(asn):
        return [(each.owner.plugin, each.record.name) for each in plugins.entitlements(Holder(asn=asn), at)]

    assert vouched("1") == [("campus", "student"), ("health", "carer")]
    assert vouched("2") == [("health", "carer")]
    assert plugins.report("broken").failures == 2
    assert "it gave str, expected Entitlement" in plugins.report("garbage").reason
