"""The endpoints about disputes, under ``/api/disputes``: opened, proven, decided."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.clearing.casecodes import Bearer, Party, Verdict
from citycard.clearing.disputes import (
    LARGEST_EVIDENCE,
    Claim,
    Dispute,
    DisputeState,
    add_evidence,
    read_evidence,
)
from citycard.clearing.upholding import Judgement, decide_dispute
from citycard.errors import BodyInvalid, DisputeUnknown, PageNotFound, Phrase
from citycard.ids import new_id
from citycard.web import sources
from citycard.web.bankapi import actor_name
from citycard.web.bodies import read_bytes, read_json
from citycard.web.context import actor_of, city_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer, read_query
from citycard.web.exceptionapi import only_own
from citycard.web.permissions import Role
from citycard.web.sessions import require
from citycard.web.sources.disputes import DisputeStory

__all__ = ["ENDPOINTS", "PAGE", "ClaimBody", "JudgementBody", "dispute_id", "may_see"]

PAGE = {"expected": "a page's number, from 1", "range": (1, 1_000_000)}
_READ, _OPEN, _DECIDE = "city.read-disputes", "city.open-disputes", "city.decide-disputes"


@attrs.frozen(kw_only=True)
class DisputeQuery:
    """Which disputes: all, or those of one state; of one partner; and which page of them."""

    state: str = attrs.field(
        default="", metadata={"expected": "open, upheld, part or refused", "range": (0, 20)}
    )
    partner: str = attrs.field(default="", metadata={"expected": "a partner's id", "range": (0, 100)})
    page: int = attrs.field(default=1, metadata=PAGE)


@attrs.frozen(kw_only=True)
class DisputeList:
    """Disputes, the last opened first, 200 a page; a page that is not full is the last one."""

    disputes: tuple[Dispute, ...]


@attrs.frozen(kw_only=True)
class ClaimBody:
    """A dispute to open; ``id`` is made by who opens it. Without a partner it is the holder's of the card.

    ``about`` is a record's id, or a position of the partner's statement: run/3, run/3/2018-09-01 or
    run/3/2018-09-01/T01.
    """

    id: UUID
    about: str
    amount_fen: int
    reason: str
    partner: str = ""

    def claim(self) -> Claim:
        """Give it as clearing takes it."""
        return Claim(
            party=Party.PARTNER if self.partner else Party.HOLDER,
            partner=self.partner,
            about=self.about,
            amount_fen=self.amount_fen,
            reason=self.reason,
        )


@attrs.frozen(kw_only=True)
class NoteBody:
    """Evidence in words; ``id`` is made by who adds it."""

    id: UUID
    note: str


@attrs.frozen(kw_only=True)
class EvidenceQuery:
    """What the file in the body is called, and the id that its sender made for it."""

    id: str = attrs.field(default="", metadata={"expected": "a UUID", "range": (36, 36)})
    name: str = attrs.field(default="", metadata={"expected": "a file's name", "range": (1, 200)})


@attrs.frozen(kw_only=True)
class JudgementBody:
    """How a dispute is decided; ``outcome`` is upheld, part (with ``amount_fen``) or refused.

    ``bearer`` pays what is upheld: to a partner the issuer, the card or a partner (named ``payer``); to a
    holder the partners or the issuer.
    """

    id: UUID
    outcome: str
    reason: str
    amount_fen: int = 0
    bearer: str = ""
    payer: str = ""

    def judgement(self) -> Judgement:
        """Give it as clearing takes it."""
        try:
            return Judgement(
                outcome=Verdict(self.outcome),
                amount_fen=self.amount_fen,
                bearer=Bearer(self.bearer) if self.bearer else None,
                payer=self.payer,
                reason=self.reason,
            )
        except ValueError as wrong:
            expected = "expected outcome: upheld, part or refused; bearer: issuer, card, partner or partners"
            raise BodyInvalid(problems=Phrase("body: {expected}", expected=expected)) from wrong


def dispute_id(request: Request) -> UUID:
    """Read the id of a dispute from the address; raise DisputeUnknown."""
    return _uuid(request.path_params["dispute"])


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise DisputeUnknown(id=text[:40]) from None


async def listed(request: Request) -> Response:
    query: DisputeQuery = read_query(request, DisputeQuery)
    if query.state and query.state not in set(DisputeState):
        raise PageNotFound(thing="state", name=query.state)
    actor = actor_of(request)
    partner = only_own(actor, _READ, query.partner)
    found = await run_in_threadpool(
        sources.read_disputes,
        city_of(request),
        actor,
        state=query.state,
        partner=partner,
        page=query.page,
    )
    return json_answer(DisputeList(disputes=found))


async def opened(request: Request) -> Response:
    body = await read_json(request, ClaimBody)
    actor = actor_of(request)
    require(actor, _OPEN, body.partner)
    made = await run_in_threadpool(
        sources.open_for, city_of(request), body.id, body.claim(), actor, actor_name(request)
    )
    return json_answer(made)


async def shown(request: Request) -> Response:
    return json_answer(await may_see(request))


async def may_see(request: Request, permission: str = _READ) -> DisputeStory:
    """Read the dispute of the address; raise DisputeUnknown, also when it is another partner's."""
    actor, identity = actor_of(request), dispute_id(request)
    found = await run_in_threadpool(sources.read_dispute, city_of(request), identity, actor)
    if actor.role is Role.PARTNER and found.dispute.partner != actor.subject:
        raise DisputeUnknown(id=identity)
    require(actor, permission, found.dispute.partner)
    return found


async def noted(request: Request) -> Response:
    await may_see(request, _OPEN)
    body, city = await read_json(request, NoteBody), city_of(request)
    await run_in_threadpool(
        add_evidence, city, dispute_id(request), body.id, actor=actor_name(request), note=body.note
    )
    return json_answer(await may_see(request))


async def filed(request: Request) -> Response:
    await may_see(request, _OPEN)
    query: EvidenceQuery = read_query(request, EvidenceQuery)
    data, city = await read_bytes(request, limit=LARGEST_EVIDENCE), city_of(request)
    await run_in_threadpool(
        add_evidence,
        city,
        dispute_id(request),
        _uuid(query.id) if query.id else new_id(),
        actor=actor_name(request),
        name=query.name or "evidence",
        data=data,
    )
    return json_answer(await may_see(request))


async def handed_out(request: Request) -> Response:
    found, piece = await may_see(request), _uuid(request.path_params["piece"])
    for one in found.evidence:
        if one.id == piece and one.name:
            # Whatever it is, a browser saves it and never shows it as a page of ours.
            data = await run_in_threadpool(read_evidence, city_of(request), one.digest)
            named = {"content-disposition": f"attachment; filename*=UTF-8''{quote(one.name, safe='')}"}
            return Response(data, media_type="application/octet-stream", headers=named)
    raise PageNotFound(thing="file", name=str(piece))


async def decided(request: Request) -> Response:
    body, city = await read_json(request, JudgementBody), city_of(request)
    await run_in_threadpool(
        decide_dispute, city, dispute_id(request), body.judgement(), actor=actor_name(request), step=body.id
    )
    return json_answer(await may_see(request))


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/api/disputes",
        listed,
        permission=_READ,
        query=DisputeQuery,
        response=DisputeList,
        summary="Disputes; a partner sees its own.",
    ),
    endpoint(
        "/api/disputes",
        opened,
        permission=_OPEN,
        methods=("POST",),
        request=ClaimBody,
        response=Dispute,
        summary="Dispute a record or a position of a statement; again under the same id without harm.",
    ),
    endpoint(
        "/api/disputes/{dispute}",
        shown,
        permission=_READ,
        response=DisputeStory,
        summary="One dispute with its evidence and what it moved.",
    ),
    endpoint(
        "/api/disputes/{dispute}/evidence",
        noted,
        permission=_OPEN,
        methods=("POST",),
        request=NoteBody,
        response=DisputeStory,
        summary="Add evidence in words to a dispute.",
    ),
    endpoint(
        "/api/disputes/{dispute}/files",
        filed,
        permission=_OPEN,
        methods=("POST",),
        query=EvidenceQuery,
        media="application/octet-stream",
        response=DisputeStory,
        summary="Add a file to a dispute: the body is the file as it is.",
    ),
    endpoint(
        "/api/disputes/{dispute}/files/{piece}",
        handed_out,
        permission=_READ,
        summary="A file of a dispute, as it came.",
    ),
    endpoint(
        "/api/disputes/{dispute}/decide",
        decided,
        permission=_DECIDE,
        methods=("POST",),
        request=JudgementBody,
        response=DisputeStory,
        summary="Decide a dispute; the next run posts what is upheld.",
    ),
)
