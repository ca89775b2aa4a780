"""The adapter against the sandbox in its own process, when all is well and when answers are lost."""

from __future__ import annotations

import datetime as dt
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
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


UNFIT = [
    {"pay_url": "https://pay.example/" + "x" * 300},
    {"pay_url": 7},
    {"pay_url": "https://pay.example/\0"},
    {"transaction": "t" * 65},
    {"transaction": None},
]


@pytest.mark.parametrize("unfit", UNFIT)
def test_a_notification_that_no_store_could_keep_is_refused(provider, told, unfit):
    headers, body = told({"number": "7", "state": "paid", "amount_fen": 5000} | unfit)
    with pytest.raises(NotificationRefused, match="says nothing about an order"):
        provider.read_notification(PATH, headers, body)


class Answering(BaseHTTPRequestHandler):
    """Signs whatever its server says, as the provider does."""

    def do_GET(self):
        body, nonce = json.dumps(self.server.says).encode(), self.headers["pay-nonce"]
        seal = self.server.signer.seal("GET", self.path, body, nonce=nonce, now=dt.datetime.now(dt.UTC))
        self.send_response(200)
        for name, value in (seal.headers | {"content-length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def answering(provider, payment_sandbox):
    """Return a function that makes a provider whose every signed answer is the given one."""
    key = Path(payment_sandbox.settings["provider_key_file"]).with_name("provider.pem")
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        server.signer = Signer(payment_sandbox.settings["provider_key_name"], read_private_key(key))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def answer(says):
            server.says = says
            return attrs.evolve(provider, url=f"http://127.0.0.1:{server.server_port}")

        yield answer
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("unfit", UNFIT)
def test_an_answer_that_no_store_could_keep_is_none(answering, unfit):
    good = {"number": "7", "state": "unpaid", "amount_fen": 5000, "transaction": "t" * 64}
    assert answering(good).query("7").transaction == "t" * 64
    with pytest.raises(ProviderUnavailable, match="agreed form and length"):
        answering(good | unfit).query("7")


def test_an_answer_without_the_state_of_a_refund_is_none(answering):
    with pytest.raises(ProviderUnavailable, match="does not say its state"):
        answering({"state": "perhaps"}).query_refund("7")
