"""The adapter against the sandbox in its own process, when all is well and when answers are lost."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import attrs
import pytest

from citycard.errors import NotificationRefused, ProviderRefused, ProviderUnavailable
from citycard.ids import new_id
from citycard.provider import HttpsProvider, NewPayment, PaymentState, RefundState
from citycard.provider.signing import Signer, new_nonce, read_private_key, read_public_key

PATH = "/api/providers/pay/notifications"


@pytest.fixture
def provider(payment_sandbox):
    settings = payment_sandbox.settings
    return HttpsProvider(
        name="pay",
        url=settings["url"],
        merchant=settings["merchant"],
        key=read_private_key(Path(settings["key_file"])),
        provider_key=read_public_key(Path(settings["provider_key_file"])),
        provider_key_name=settings["provider_key_name"],
        timeout_s=1.0,
        pause=lambda _: None,
    )


def payment(**more):
    values = {
        "number": new_id().hex,
        "amount_fen": 5000,
        "description": "Top-up",
        "notify_url": "",
        "expires_at": dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5),
    }
    return NewPayment(**values | more)


def test_an_order_is_made_paid_asked_for_and_refunded_once(provider, payment_sandbox):
    wanted = payment()
    made = provider.create(wanted)
    assert (made.state, provider.create(wanted)) == (PaymentState.UNPAID, made)
    assert made.pay_url.startswith(provider.url)
    payment_sandbox.pay(wanted.number)
    found = provider.query(wanted.number)
    assert (found.state, found.amount_fen, bool(found.transaction)) == (PaymentState.PAID, 5000, True)
    assert provider.query_refund("r1" + wanted.number) is RefundState.UNKNOWN
    for _ in range(2):
        assert provider.refund(wanted.number, "r1" + wanted.number, 5000) is RefundState.DONE
    assert provider.query_refund("r1" + wanted.number) is RefundState.DONE
    with pytest.raises(ProviderRefused, match="more than was paid"):
        provider.refund(wanted.number, "r2" + wanted.number, 1)


def test_an_order_that_is_closed_is_paid_no_more(provider, payment_sandbox):
    wanted = payment()
    provider.create(wanted)
    assert provider.close(wanted.number).state is PaymentState.CLOSED
    payment_sandbox.pay(wanted.number)
    assert provider.query(wanted.number).state is PaymentState.CLOSED


def test_what_nobody_ordered_is_unknown(provider):
    assert provider.query("nothing").state is PaymentState.UNKNOWN
    assert provider.close("nothing").state is PaymentState.CLOSED


@pytest.mark.parametrize("fault", ["lose-answer", "late-answer"])
def test_an_answer_that_is_lost_is_asked_for_again(provider, payment_sandbox, fault):
    payment_sandbox.fail("create", fault, seconds=1.5)
    assert provider.create(payment()).state is PaymentState.UNPAID


def test_when_no_answer_comes_that_is_said_and_it_may_have_been_done(provider, payment_sandbox):
    wanted = payment()
    payment_sandbox.fail("create", "lose-answer", times=2)
    with pytest.raises(ProviderUnavailable, match=f"order {wanted.number}.*nothing is lost"):
        provider.create(wanted)
    assert provider.query(wanted.number).state is PaymentState.UNPAID


def test_a_refusal_is_told(provider, payment_sandbox):
    payment_sandbox.fail("create", "refuse")
    with pytest.raises(ProviderRefused, match="was told to refuse"):
        provider.create(payment())


def test_a_provider_that_is_not_there_is_unavailable(provider):
    with pytest.raises(ProviderUnavailable, match="refused"):
        attrs.evolve(provider, url="http://127.0.0.1:9").query("1")


def test_an_answer_that_another_signed_is_none(provider):
    with pytest.raises(ProviderUnavailable, match="not known here"):
        attrs.evolve(provider, provider_key_name="another").query("1")


def test_a_request_that_another_signed_is_refused(provider):
    with pytest.raises(ProviderUnavailable):
        attrs.evolve(provider, merchant="another").query("1")


@pytest.fixture
def told(payment_sandbox):
    """Return a function that signs a notification as the provider does."""
    key = Path(payment_sandbox.settings["provider_key_file"]).with_name("provider.pem")
    signer = Signer(payment_sandbox.settings["provider_key_name"], read_private_key(key))

    def tell(content, path=PATH):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        now = dt.datetime.now(dt.UTC)
        return signer.seal("POST", path, body, nonce=new_nonce(), now=now).headers, body

    return tell


def test_a_notification_is_read_when_the_provider_signed_it(provider, told):
    content = {"number": "7", "state": "paid", "amount_fen": 5000, "transaction": "t"}
    headers, body = told(content)
    found = provider.read_notification(PATH, headers, body)
    assert (found.report.number, found.report.state, found.report.amount_fen) == (
        "7",
        PaymentState.PAID,
        5000,
    )
    with pytest.raises(NotificationRefused, match="signature"):
        provider.read_notification(PATH, headers, body + b" ")
    with pytest.raises(NotificationRefused, match="signature"):
        provider.read_notification("/elsewhere", headers, body)


@pytest.mark.parametrize("content", [b"{", [], {"number": "7"}, {"number": 1, "state": "x", "amount_fen": 1}])
def test_a_notification_about_nothing_is_refused(provider, told, content):
    headers, body = told(content)
    with pytest.raises(NotificationRefused, match="says nothing about an order"):
        provider.read_notification(PATH, headers, body)
