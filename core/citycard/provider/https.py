"""The adapter of a provider that speaks JSON over HTTPS with signed requests, as WeChat Pay v3 does."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import attrs
from cryptography.hazmat.primitives.asymmetric import rsa

from citycard.clock import Clock, SystemClock
from citycard.errors import NotificationRefused, Phrase, ProviderRefused, ProviderUnavailable
from citycard.provider.port import (
    NewPayment,
    Notification,
    PaymentReport,
    PaymentState,
    RefundState,
)
from citycard.provider.signing import Seal, Signer, Verifier, new_nonce
from citycard.provider.transport import Answer, NoAnswerError, send

__all__ = ["HttpsProvider"]

_JSON = {"accept": "application/json", "content-type": "application/json"}
_NOT_FOUND, _REFUSALS, _OK = 404, range(400, 500), range(200, 300)
_BUSY = frozenset({408, 425, 429})
_FIRST_PAUSE_S = 0.2
#: As long as the city's store keeps them.
_LONGEST_TRANSACTION, _LONGEST_URL = 64, 300


@attrs.frozen(kw_only=True)
class HttpsProvider:
    """A provider at ``url``, where the city is ``merchant``; each side's key has a name.

    A call that is not answered within ``timeout_s`` is repeated up to ``attempts`` times in all: all of them
    may be, since an order and a refund are named by their numbers.
    """

    name: str
    url: str
    merchant: str
    key: rsa.RSAPrivateKey = attrs.field(repr=False)
    provider_key: rsa.RSAPublicKey = attrs.field(repr=False)
    provider_key_name: str = "provider"
    timeout_s: float = 5.0
    attempts: int = 2
    clock: Clock = attrs.field(factory=SystemClock)
    pause: Callable[[float], None] = time.sleep

    def create(self, payment: NewPayment) -> PaymentReport:
        """Make an order, or give the one of this number as it is."""
        content = attrs.asdict(payment) | {"expires_at": payment.expires_at.isoformat()}
        return _report(
            self._ask("POST", "/v1/orders", content, what=Phrase("order {number}", number=payment.number)),
            self.name,
        )

    def query(self, number: str) -> PaymentReport:
        """Say what became of an order."""
        answer = self._ask(
            "GET",
            f"/v1/orders/{quote(number, safe='')}",
            None,
            what=Phrase("query of {number}", number=number),
        )
        if answer is None:
            return PaymentReport(number=number, state=PaymentState.UNKNOWN)
        return _report(answer, self.name)

    def close(self, number: str) -> PaymentReport:
        """Let an order be paid no more; one that was paid stays paid."""
        answer = self._ask(
            "POST",
            f"/v1/orders/{quote(number, safe='')}/close",
            {},
            what=Phrase("closing of {number}", number=number),
        )
        if answer is None:
            return PaymentReport(number=number, state=PaymentState.CLOSED)
        return _report(answer, self.name)

    def refund(self, number: str, refund: str, amount_fen: int) -> RefundState:
        """Give a paid order's money back, once under the number ``refund``."""
        content = {"number": number, "refund": refund, "amount_fen": amount_fen}
        answer = self._ask("POST", "/v1/refunds", content, what=Phrase("refund {refund}", refund=refund))
        if answer is None:
            raise ProviderRefused(
                provider=self.name,
                what=Phrase("refund {refund}", refund=refund),
                reason="the order is unknown",
            )
        return _refund_state(answer, self.name)

    def query_refund(self, refund: str) -> RefundState:
        """Say what became of a refund."""
        answer = self._ask(
            "GET",
            f"/v1/refunds/{quote(refund, safe='')}",
            None,
            what=Phrase("query of {refund}", refund=refund),
        )
        return RefundState.UNKNOWN if answer is None else _refund_state(answer, self.name)

    def read_notification(self, path: str, headers: Mapping[str, str], body: bytes) -> Notification:
        """Verify a notification that was sent to ``path``; raise NotificationRefused."""
        seal = Seal.read(headers)
        self._verifier.check("POST", path, body, seal, now=self.clock.now())
        try:
            content = json.loads(body)
            return Notification(report=_record(content), nonce=seal.nonce)
        except (ValueError, KeyError, TypeError):
            raise NotificationRefused(reason="it says nothing about an order") from None

    @property
    def _verifier(self) -> Verifier:
        return Verifier(self.provider_key_name, self.provider_key)

    def _ask(
        self, method: str, path: str, content: Mapping[str, Any] | None, *, what: str
    ) -> dict[str, Any] | None:
        """Ask until there is an answer; None when the provider knows no such thing."""
        body = b"" if content is None else json.dumps(content).encode()
        for attempt in range(self.attempts):
            if attempt:
                self.pause(_FIRST_PAUSE_S * 2 ** (attempt - 1))
            try:
                answer = self._once(method, path, body)
            except (NoAnswerError, NotificationRefused) as nothing:
                # An answer that is not the provider's is none.
                reason = str(nothing)
                continue
            if answer.status in _OK or (answer.status in _REFUSALS and answer.status not in _BUSY):
                return self._understood(answer, what)
            reason = Phrase("status {status}", status=answer.status)
        raise ProviderUnavailable(provider=self.name, what=what, reason=reason)

    def _once(self, method: str, path: str, body: bytes) -> Answer:
        nonce = new_nonce()
        whole = urlsplit(self.url).path.rstrip("/") + path
        signer = Signer(self.merchant, self.key)
        seal = signer.seal(method, whole, body, nonce=nonce, now=self.clock.now())
        answer = send(
            method,
            self.url.rstrip("/") + path,
            body=body,
            headers=_JSON | seal.headers,
            timeout_s=self.timeout_s,
        )
        back = Seal.read(answer.headers)
        self._verifier.check(method, whole, answer.body, back, now=self.clock.now(), nonce=nonce)
        return answer

    def _understood(self, answer: Answer, what: str) -> dict[str, Any] | None:
        if answer.status == _NOT_FOUND:
            return None
        try:
            content = json.loads(answer.body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise ProviderUnavailable(provider=self.name, what=what, reason="its answer is no JSON object")
        if answer.status not in _OK:
            told = str(content.get("message", f"status {answer.status}"))[:200]
            reason = "".join(letter if letter.isprintable() else " " for letter in told)
            raise ProviderRefused(provider=self.name, what=what, reason=reason)
        return content


def _report(content: dict[str, Any] | None, provider: str) -> PaymentReport:
    try:
        return _record(content or {})
    except (ValueError, KeyError, TypeError):
        raise ProviderUnavailable(
            provider=provider,
            what="an order",
            reason="its answer does not say its state in fields of the agreed form and length",
        ) from None


def _refund_state(content: Mapping[str, Any], provider: str) -> RefundState:
    try:
        return RefundState(content["state"])
    except (ValueError, KeyError):
        raise ProviderUnavailable(
            provider=provider, what="a refund", reason="its answer does not say its state"
        ) from None


def _record(content: Mapping[str, Any]) -> PaymentReport:
    if type(content["amount_fen"]) is not int:
        raise TypeError
    return PaymentReport(
        number=str(content["number"]),
        state=PaymentState(content["state"]),
        amount_fen=content["amount_fen"],
        transaction=_text(content, "transaction", _LONGEST_TRANSACTION),
        pay_url=_text(content, "pay_url", _LONGEST_URL),
    )


def _text(content: Mapping[str, Any], name: str, longest: int) -> str:
    """Give a text that every store can keep: no longer than agreed, and without control characters."""
    value = content.get(name, "")
    if not isinstance(value, str):
        raise TypeError
    if len(value) > longest or not value.isprintable():
        raise ValueError
    return value
