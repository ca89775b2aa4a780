"""City hall's endpoints for citizens: identity, applications, the own file and its readers, consents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool

from citycard.errors import PageNotFound
from citycard.kernel.outside import PUBLIC, MenuItem, Permission, Route
from citycard.store import reading
from citycard_egov import applications, bodies, consents, files, identity, windows
from citycard_egov.disclosure import Disclosed, disclose
from citycard_egov.errors import EgovInvalid
from citycard_egov.office import Office
from citycard_egov.register import find_by_card
from citycard_egov.settings import EgovSettings

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["MENU", "PERMISSIONS", "Why", "act_id", "citizen_routes", "office_of"]

PERMISSIONS = (
    Permission(name="egov.prove-identity", title="Prove whose card it is.", roles=("citizen", "clerk")),
    Permission(
        name="egov.file-applications",
        title="File applications and take them back.",
        roles=("citizen", "clerk"),
    ),
    Permission(
        name="egov.read-files",
        title="Read a resident's file. Every reading is kept.",
        roles=("citizen", "clerk"),
    ),
    Permission(name="egov.give-consents", title="Give and withdraw consents.", roles=("citizen", "clerk")),
    Permission(name="egov.take-tickets", title="Take a ticket at a window.", roles=("citizen", "clerk")),
    Permission(name="egov.read-windows", title="See who waits at a window.", roles=("clerk",)),
    Permission(name="egov.keep-windows", title="Call and end tickets.", roles=("clerk",)),
    Permission(name="egov.read-conflicts", title="See conflicts of the register.", roles=("clerk",)),
    Permission(name="egov.settle-conflicts", title="Settle conflicts of the register.", roles=("clerk",)),
    Permission(
        name="egov.tell-residents", title="Tell the register what an office knows.", roles=("partner",)
    ),
    Permission(
        name="egov.read-applications", title="See an office's applications.", roles=("partner", "clerk")
    ),
    Permission(name="egov.decide-applications", title="Decide an office's applications.", roles=("partner",)),
    Permission(name="egov.ask-parties", title="Ask other parties about residents.", roles=("partner",)),
    Permission(name="egov.make-plans", title="Hand in payment plans of an office.", roles=("partner",)),
    Permission(name="egov.read-plans", title="See payment plans.", roles=("clerk",)),
    Permission(name="egov.approve-plans", title="Approve, refuse and pay payment plans.", roles=("clerk",)),
    Permission(name="egov.publish-notices", title="Publish items of an office.", roles=("partner",)),
)
MENU = (
    MenuItem(path="/public", title="Public disclosure", title_zh="信息公开", permission=PUBLIC),
    MenuItem(path="/my", title="My file", title_zh="我的档案", permission="egov.read-files"),
    MenuItem(path="/desk", title="Service desk", title_zh="办事窗口", permission="egov.read-windows"),
)


@attrs.frozen(kw_only=True)
class Why:
    """Why a file is read; its holder need not say."""

    why: str = attrs.field(
        default="", metadata={"expected": "why, at most 200 characters", "range": (0, 200)}
    )


def office_of(request: Request, settings: EgovSettings) -> Office:
    """Give the office that a request is about."""
    from citycard.web import city_of

    return Office(city_of(request), settings)


def act_id(request: Request, thing: str) -> UUID:
    """Read the id in an address; raise PageNotFound for what is none."""
    text = request.path_params["id"]
    try:
        return UUID(text)
    except ValueError:
        raise PageNotFound(thing=thing, name=text[:40]) from None


def citizen_routes(settings: EgovSettings) -> Iterator[Route]:
    """Declare what citizens use, and what everybody may see."""

    def posting(
        path: str,
        permission: str,
        body: type[Any],
        response: type[Any],
        summary: str,
        work: Callable[..., Any],
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            from citycard.web import actor_of, json_answer, read_json, require
            from citycard.web.accounts import asked_by

            asked = await read_json(request, body)
            actor = actor_of(request)
            if hasattr(asked, "asn"):
                require(actor, permission, asked.asn)
            office = office_of(request, settings)
            return json_answer(await run_in_threadpool(work, office, asked, asked_by(actor), request))

        return Route(
            path=path,
            endpoint=endpoint,
            permission=permission,
            methods=("POST",),
            summary=summary,
            request=body,
            response=response,
        )

    def showing(
        path: str, permission: str, response: type[Any], summary: str, work: Callable[..., Any]
    ) -> Route:
        def endpoint(request: Request) -> Response:
            from citycard.web import actor_of, json_answer, require

            actor = actor_of(request)
            if "asn" in request.path_params:
                require(actor, permission, request.path_params["asn"])
            return json_answer(work(office_of(request, settings), request, actor))

        return Route(path=path, endpoint=endpoint, permission=permission, summary=summary, response=response)

    yield showing(
        "/services", PUBLIC, bodies.OfferedService, "The services that citizens apply for.", _services
    )
    yield showing("/disclosure", PUBLIC, Disclosed, "What the city makes public.", _disclosed)
    yield posting(
        "/identity/challenges",
        "egov.prove-identity",
        bodies.ChallengeToDraw,
        identity.Challenge,
        "Draw a challenge for a card: good once, for seconds.",
        lambda office, asked, actor, _: identity.draw(office, asked.asn, asked_by=actor),
    )
    yield posting(
        "/identity/answers",
        "egov.prove-identity",
        bodies.AnswerToCheck,
        identity.Proof,
        "Check a card's answer to a challenge, and give a short-lived proof of identity.",
        _checked,
    )
    yield posting(
        "/applications",
        "egov.file-applications",
        bodies.ApplicationToFile,
        applications.Application,
        "File an application with a proof of identity; its fee is charged.",
        _filed,
    )
    yield posting(
        "/applications/{id}/withdraw",
        "egov.file-applications",
        bodies.ApplicationToWithdraw,
        applications.Application,
        "Take an open application back.",
        _withdrawn,
    )
    yield posting(
        "/consents",
        "egov.give-consents",
        bodies.ConsentToGive,
        consents.Consent,
        "Consent that an office asks a party for fields, with a proof of identity.",
        _consented,
    )
    yield posting(
        "/consents/{id}/withdraw",
        "egov.give-consents",
        bodies.WhoseCard,
        consents.Consent,
        "Withdraw a consent.",
        lambda office, asked, _, request: consents.withdraw(
            office, act_id(request, "consent"), _holder(office, asked.asn)
        ),
    )
    yield posting(
        "/tickets",
        "egov.take-tickets",
        bodies.TicketToTake,
        windows.Ticket,
        "Take a ticket for today at a window.",
        lambda office, asked, *_: windows.take_ticket(office, asked.id, asked.window, asked.asn),
    )
    read = "egov.read-files"
    yield showing("/cards/{asn}/file", read, bodies.CitizenFile, "What stands about a card's holder.", _file)
    yield showing("/cards/{asn}/readings", read, bodies.ReadingList, "Who read that file.", _readings)
    yield showing(
        "/cards/{asn}/applications", read, bodies.ApplicationList, "The holder's applications.", _mine
    )
    yield showing("/cards/{asn}/consents", read, bodies.ConsentList, "The holder's consents.", _consents)


def _services(office: Office, *_: Any) -> list[bodies.OfferedService]:
    return [
        bodies.OfferedService(
            id=one.id,
            title=one.title,
            title_zh=one.title_zh,
            department=one.department,
            fee_fen=one.fee_fen,
            form=one.form,
            working_days=sum(step.working_days for step in one.steps),
        )
        for one in office.settings.services
    ]


def _disclosed(office: Office, *_: Any) -> Disclosed:
    return disclose(office)


def _checked(office: Office, asked: bodies.AnswerToCheck, actor: str, _: Any) -> identity.Proof:
    try:
        response = bytes.fromhex(asked.answer)
    except ValueError:
        raise EgovInvalid(field="answer", value=asked.answer[:40], expected="bytes in hexadecimal") from None
    return identity.answer(office, asked.challenge, response, asked_by=actor)


def _filed(office: Office, asked: bodies.ApplicationToFile, actor: str, _: Any) -> applications.Application:
    who = identity.check_proof(office, asked.proof, asked.asn, asked_by=actor)
    return applications.file_application(
        office, asked.id, who, asked.asn, asked.service, asked.form, actor=actor
    )


def _withdrawn(
    office: Office, asked: bodies.ApplicationToWithdraw, actor: str, request: Request
) -> applications.Application:
    who = _holder(office, asked.asn)
    wanted = act_id(request, "application")
    return applications.withdraw_application(office, asked.id, wanted, who, actor=actor)


def _consented(office: Office, asked: bodies.ConsentToGive, actor: str, _: Any) -> consents.Consent:
    who = identity.check_proof(office, asked.proof, asked.asn, asked_by=actor)
    return consents.give_consent(
        office,
        asked.id,
        who,
        asker=asked.asker,
        node=asked.node,
        fields=asked.fields,
        purpose=asked.purpose,
        until=asked.until,
    )


def _file(office: Office, request: Request, actor: Any) -> bodies.CitizenFile:
    from citycard.web import read_query
    from citycard.web.accounts import asked_by

    asn = request.path_params["asn"]
    who = _holder(office, asn)
    own = bool(actor.subject) and actor.subject == asn
    why = read_query(request, Why).why or ("the holder looks at the own file" if own else "")
    reader = files.FileReader(name=asked_by(actor), department="", why=why)
    return bodies.CitizenFile(asn=asn, fields=files.read_file(office, who, reader).fields)


def _readings(office: Office, request: Request, _: Any) -> bodies.ReadingList:
    who = _holder(office, request.path_params["asn"])
    return bodies.ReadingList(readings=tuple(files.readings_of(office, who)))


def _mine(office: Office, request: Request, _: Any) -> bodies.ApplicationList:
    with reading(office.engine) as conn:
        who = find_by_card(conn, request.path_params["asn"])
        return bodies.ApplicationList(applications=tuple(applications.applications_of(conn, who)))


def _consents(office: Office, request: Request, _: Any) -> bodies.ConsentList:
    who = _holder(office, request.path_params["asn"])
    return bodies.ConsentList(consents=tuple(consents.consents_of(office, who)))


def _holder(office: Office, asn: str) -> UUID:
    with reading(office.engine) as conn:
        return find_by_card(conn, asn)
