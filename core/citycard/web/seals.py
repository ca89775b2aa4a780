"""The ledger's seals and proofs of its answers, as JSON; and the panel that says how far it is sealed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.city.sealing import SealState, seal_state
from citycard.errors import TransferUnknown
from citycard.ledger.proofs import Proof, prove
from citycard.ledger.seals import Seal, seals_before
from citycard.store import reading
from citycard.web.context import actor_of, web_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer, read_query
from citycard.web.rendering import language_of

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["ENDPOINTS", "SealsQuery", "seal_panel"]

_PERMISSION = "city.read-ledger"


@attrs.frozen(kw_only=True)
class SealsQuery:
    """Which seals: the newest ``limit`` below ``before``; below none when that is 0."""

    before: int = attrs.field(default=0, metadata={"expected": "the number of a seal", "range": (0, 2**62)})
    limit: int = attrs.field(default=100, metadata={"expected": "1 to 1000", "range": (1, 1000)})


@attrs.frozen(kw_only=True)
class SealView:
    """A seal: what to publish of it (number and hash), what it covers, and the text that is signed."""

    seal: int
    hash: str
    first_posted_seq: int
    last_posted_seq: int
    accounts: int
    transfers: int
    refusals: int
    sealed_at: datetime
    key_id: str
    content: str
    signature: str


@attrs.frozen(kw_only=True)
class SealKeyView:
    """A public key of seals; ``honoured`` is no when it was retired."""

    id: str
    version: int
    honoured: bool
    pem: str


@attrs.frozen(kw_only=True)
class SealList:
    """How far the ledger is sealed, the public keys, and seals, newest first."""

    state: SealState
    keys: tuple[SealKeyView, ...]
    seals: tuple[SealView, ...]


async def seals(request: Request) -> Response:
    query: SealsQuery = read_query(request, SealsQuery)
    return json_answer(await run_in_threadpool(_read, web_of(request).city, query))


async def proof(request: Request) -> Response:
    return json_answer(await run_in_threadpool(_prove, web_of(request).city, request.path_params["transfer"]))


async def seal_panel(request: Request) -> dict[str, Any] | None:
    """Give the panel that says how far the ledger is sealed, in words; None to those who may not see it."""
    if not actor_of(request).may(_PERMISSION):
        return None
    web, say = web_of(request), language_of(request)
    state = await run_in_threadpool(seal_state, web.city)
    return {
        "seal": f"{state.seal:,}" if state.seal else "",
        "hash": state.hash,
        "sealed_at": _moment(request, state.sealed_at),
        "verified_at": _moment(request, state.verified_at),
        "transfers": f"{state.transfers:,}",
        "waiting": f"{state.waiting:,}",
        "trouble": state.trouble,
        "state": {"title": say("altered or not sealed"), "tone": "bad"}
        if state.trouble
        else {"title": say("as it was sealed"), "tone": "good"},
    }


def _moment(request: Request, moment: datetime | None) -> str:
    if moment is None:
        return ""
    return language_of(request).moment(moment.astimezone(web_of(request).city.timezone))


def _prove(city: City, text: str) -> Proof:
    try:
        identity = UUID(text)
    except ValueError:
        raise TransferUnknown(id=text) from None
    with reading(city.engine) as conn:
        return prove(conn, identity)


def _read(city: City, query: SealsQuery) -> SealList:
    with reading(city.engine) as conn:
        found = seals_before(conn, query.before or None, query.limit)
    keys = [
        SealKeyView(id=one.id, version=one.version, honoured=one.honoured, pem=one.pem)
        for one in city.vault.seal_keys()
    ]
    return SealList(state=seal_state(city), keys=tuple(keys), seals=tuple(map(_view, found)))


def _view(one: Seal) -> SealView:
    return SealView(
        seal=one.seq,
        hash=one.hash32.hex(),
        first_posted_seq=one.first_posted_seq,
        last_posted_seq=one.last_posted_seq,
        accounts=one.accounts,
        transfers=one.transfers,
        refusals=one.refusals,
        sealed_at=one.sealed_at,
        key_id=one.key_id,
        content=one.content,
        signature=one.signature.hex(),
    )


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/api/wallet/seals",
        seals,
        permission=_PERMISSION,
        query=SealsQuery,
        response=SealList,
        summary="The seals of the ledger, newest first, with the public keys that check them.",
    ),
    endpoint(
        "/api/wallet/proofs/{transfer}",
        proof,
        permission=_PERMISSION,
        response=Proof,
        summary="A proof of what the ledger answered to a transfer, which anybody can check.",
    ),
)
