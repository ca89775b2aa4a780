"""What both sides of a query keep to: what a query must have, how it is answered, and which answer counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import attrs

from citycard.clock import Clock
from citycard.errors import Phrase
from citycard.provider.transport import NoAnswerError, send
from citycard_egov.chain import Head
from citycard_egov.errors import EgovInvalid, ExchangeFailed, ExchangeRefused
from citycard_egov.messages import Envelope, Signer, fresh, opened, sha256, signed, verified
from citycard_egov.office import checked_number

__all__ = ["WITHIN", "Party", "QueryRefused", "check_sent", "reply", "send_query"]

WITHIN = dt.timedelta(minutes=5)
_TIMEOUT_S = 10.0
_LONGEST = 200
_TEXTS = ("kind", "id", "from", "to", "asker", "person", "purpose", "at")


@attrs.frozen(kw_only=True)
class Party:
    """Whom a query goes to: its id, where it answers, its public key, and a token that its door may want."""

    id: str
    url: str
    key: str
    token: str = attrs.field(default="", repr=False)


class QueryRefused(Exception):
    """A query is refused: a stable ``code`` and a sentence. Whoever answers signs it as a refusal."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def check_sent(
    query: Envelope, *, me: str, key: str | None, asks_for: Collection[str], now: dt.datetime
) -> tuple[str, list[str]]:
    """Give the person and the fields of a query that its signer, whose ``key`` is known, may send to ``me``.

    Raise QueryRefused, or EgovInvalid for a query that lacks something.
    """
    if key is None or not verified(query, key):
        raise QueryRefused("signature", "the query is not signed by a party that is known here")
    content = query.content
    person, fields = _checked(content)
    if content["from"] != query.signer or content["to"] != me:
        raise QueryRefused("address", f"the query is not from {query.signer} to {me}")
    if content["asker"] != query.signer and content["asker"] not in asks_for:
        raise QueryRefused("asker", f"{query.signer} may not ask for {content['asker']}")
    if not fresh(content, now, WITHIN):
        raise QueryRefused("time", "the query is not of now: five minutes are the most")
    return person, fields


def reply(
    me: str,
    signer: Signer,
    request: str,
    head: Head,
    now: dt.datetime,
    *,
    query: str = "",
    values: Mapping[str, str] | None = None,
    refused: QueryRefused | None = None,
) -> Envelope:
    """Sign an answer to a query, or its refusal; ``request`` is the SHA-256 of the query as it came.

    ``values`` is None where the person is not known.
    """
    answer: dict[str, Any] = {"from": me, "request": request, "at": now, "head": head.as_json()}
    if refused is not None:
        answer |= {"kind": "refusal", "code": refused.code, "reason": refused.reason}
    else:
        answer |= {
            "kind": "answer",
            "query": query,
            "known": values is not None,
            "values": dict(values or {}),
        }
    return signed(answer, me, signer)


def send_query(party: Party, query: Envelope, clock: Clock) -> Envelope:
    """Send a query and give the answer that the party signed for it, now.

    Raise ExchangeRefused when it says no, ExchangeFailed when no answer comes that can be trusted.
    """
    headers = {"content-type": "application/json"}
    if party.token:
        headers["authorization"] = f"Bearer {party.token}"
    where, body = f"{party.url.rstrip('/')}/query", query.as_json().encode()
    try:
        sent = send("POST", where, body=body, headers=headers, timeout_s=_TIMEOUT_S)
    except NoAnswerError as wrong:
        raise ExchangeFailed(party=party.id, reason=str(wrong) or "it cannot be reached") from None
    try:
        answer = opened(sent.body.decode())
        content = answer.content
    except (EgovInvalid, ValueError):
        raise ExchangeFailed(
            party=party.id, reason=Phrase("it is no message (status {status})", status=sent.status)
        ) from None
    if answer.signer != party.id or not verified(answer, party.key):
        raise ExchangeFailed(party=party.id, reason="it is not signed by it")
    if content.get("request") != sha256(query.payload) or not fresh(content, clock.now(), WITHIN):
        raise ExchangeFailed(party=party.id, reason="it is not about this query, or not of now")
    if content.get("kind") == "refusal":
        code, reason = (str(content.get(name, ""))[:_LONGEST] for name in ("code", "reason"))
        raise ExchangeRefused(party=party.id, code=code, reason=reason)
    if not _whole(content, query.content):
        raise ExchangeFailed(party=party.id, reason="it has not the fields of an answer")
    return answer


def _whole(content: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    values = content.get("values")
    return (
        content.get("kind") == "answer"
        and content.get("query") == query["id"]
        and type(content.get("known")) is bool
        and isinstance(values, dict)
        and set(values) <= set(query["fields"])
        and all(isinstance(value, str) for value in values.values())
        and isinstance(content.get("head"), dict)
    )


def _checked(content: Mapping[str, Any]) -> tuple[str, list[str]]:
    for name in _TEXTS:
        if not isinstance(content.get(name), str) or len(content[name]) > _LONGEST:
            raise EgovInvalid(
                field=name,
                value="…",
                expected=Phrase("a text of at most {longest} characters", longest=_LONGEST),
            )
    if content["kind"] != "query":
        raise EgovInvalid(field="kind", value=content["kind"][:20], expected="query")
    try:
        UUID(content["id"])
    except ValueError:
        raise EgovInvalid(field="id", value=content["id"][:40], expected="a UUID") from None
    fields = content.get("fields")
    if not isinstance(fields, list) or not fields or not all(isinstance(name, str) for name in fields):
        raise EgovInvalid(field="fields", value="…", expected="a list of names")
    return checked_number(content["person"]), fields
