"""City hall's endpoints for citizens: identity, applications, the own file and its readers, consents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import attrs

from citycard.kernel.outside import PUBLIC, MenuItem, Permission
from citycard.store import reading
from citycard_egov import applications, bodies, consents, files, filing, identity, windows
from citycard_egov.disclosure import Disclosed, disclose
from citycard_egov.errors import EgovInvalid
from citycard_egov.register import find_by_card
from citycard_egov.routing import Asked, Posted, Shown

if TYPE_CHECKING:
    from citycard_egov.settings import EgovSettings

__all__ = ["CITIZEN_ENDPOINTS", "PERMISSIONS", "Why", "menu"]

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


def menu(settings: EgovSettings) -> Iterator[MenuItem]:
    """Give the entries of the menu: everybody's, a resident's, the offices', and the service desk's."""
    offices = tuple(one.id for one in settings.departments)
    work = "egov.read-applications"
    yield MenuItem(path="/public", title="Public disclosure", title_zh="信息公开", permission=PUBLIC)
    yield MenuItem(path="/my", title="My file", title_zh="我的档案", permission="egov.read-files", own=True)
    yield MenuItem(path="/office", title="Office", title_zh="部门办件", permission=work, partners=offices)
    yield MenuItem(path="/desk", title="Service desk", title_zh="办事窗口", permission="egov.read-windows")


@attrs.frozen(kw_only=True)
class Why:
    """Why a file is read; its holder need not say."""

    why: str = attrs.field(
        default="", metadata={"expected": "why, at most 200 characters", "range": (0, 200)}
    )


def _services(asked: Asked) -> list[bodies.OfferedService]:
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
        for one in asked.office.settings.services
    ]


def _disclosed(asked: Asked) -> Disclosed:
    return disclose(asked.office)


def _challenge(asked: Asked) -> identity.Challenge:
    return identity.draw(asked.office, asked.body.asn, asked_by=asked.actor)


def _checked(asked: Asked) -> identity.Proof:
    body: bodies.AnswerToCheck = asked.body
    try:
        response = bytes.fromhex(body.answer)
    except ValueError:
        raise EgovInvalid(field="answer", value=body.answer[:40], expected="bytes in hexadecimal") from None
    return identity.answer(asked.office, body.challenge, response, asked_by=asked.actor)


def _filed(asked: Asked) -> applications.Application:
    body: bodies.ApplicationToFile = asked.body
    who = identity.check_proof(asked.office, body.proof, body.asn, asked_by=asked.actor)
    return filing.file_application(
        asked.office, body.id, who, body.asn, body.service, body.form, actor=asked.actor
    )


def _withdrawn(asked: Asked) -> applications.Application:
    who = _holder(asked, asked.body.asn)
    wanted = asked.id("application")
    return applications.withdraw_application(asked.office, asked.body.id, wanted, who, actor=asked.actor)


def _consented(asked: Asked) -> consents.Consent:
    body: bodies.ConsentToGive = asked.body
    who = identity.check_proof(asked.office, body.proof, body.asn, asked_by=asked.actor)
    return consents.give_consent(
        asked.office,
        body.id,
        who,
        asker=body.asker,
        node=body.node,
        fields=body.fields,
        purpose=body.purpose,
        until=body.until,
    )


def _no_longer(asked: Asked) -> consents.Consent:
    return consents.withdraw(asked.office, asked.id("consent"), _holder(asked, asked.body.asn))


def _ticket(asked: Asked) -> windows.Ticket:
    return windows.take_ticket(asked.office, asked.body.id, asked.body.window, asked.body.asn)


def _file(asked: Asked) -> bodies.CitizenFile:
    from citycard.web import read_query

    asn = asked.word("asn")
    who = _holder(asked, asn)
    own = asked.who.subject == asn
    why = read_query(asked.request, Why).why or ("the holder looks at the own file" if own else "")
    reader = files.FileReader(name=asked.actor, department="", why=why)
    return bodies.CitizenFile(asn=asn, fields=files.read_file(asked.office, who, reader).fields)


def _readings(asked: Asked) -> bodies.ReadingList:
    who = _holder(asked, asked.word("asn"))
    return bodies.ReadingList(readings=tuple(files.readings_of(asked.office, who)))


def _mine(asked: Asked) -> bodies.ApplicationList:
    with reading(asked.office.engine) as conn:
        who = find_by_card(conn, asked.word("asn"))
        return bodies.ApplicationList(applications=tuple(applications.applications_of(conn, who)))


def _consents(asked: Asked) -> bodies.ConsentList:
    who = _holder(asked, asked.word("asn"))
    return bodies.ConsentList(consents=tuple(consents.consents_of(asked.office, who)))


def _holder(asked: Asked, asn: str) -> UUID:
    with reading(asked.office.engine) as conn:
        return find_by_card(conn, asn)


CITIZEN_ENDPOINTS: tuple[Shown, ...] = (
    Shown(
        path="/services",
        permission=PUBLIC,
        response=bodies.OfferedService,
        summary="The services that citizens apply for.",
        work=_services,
    ),
    Shown(
        path="/disclosure",
        permission=PUBLIC,
        response=Disclosed,
        summary="What the city makes public.",
        work=_disclosed,
    ),
    Posted(
        path="/identity/challenges",
        permission="egov.prove-identity",
        response=identity.Challenge,
        summary="Draw a challenge for a card: good once, for seconds.",
        work=_challenge,
        body=bodies.ChallengeToDraw,
    ),
    Posted(
        path="/identity/answers",
        permission="egov.prove-identity",
        response=identity.Proof,
        summary="Check a card's answer to a challenge, and give a short-lived proof of identity.",
        work=_checked,
        body=bodies.AnswerToCheck,
    ),
    Posted(
        path="/applications",
        permission="egov.file-applications",
        response=applications.Application,
        summary="File an application with a proof of identity; its fee is charged.",
        work=_filed,
        body=bodies.ApplicationToFile,
    ),
    Posted(
        path="/applications/{id}/withdraw",
        permission="egov.file-applications",
        response=applications.Application,
        summary="Take an open application back.",
        work=_withdrawn,
        body=bodies.ApplicationToWithdraw,
    ),
    Posted(
        path="/consents",
        permission="egov.give-consents",
        response=consents.Consent,
        summary="Consent that an office asks a party for fields, with a proof of identity.",
        work=_consented,
        body=bodies.ConsentToGive,
    ),
    Posted(
        path="/consents/{id}/withdraw",
        permission="egov.give-consents",
        response=consents.Consent,
        summary="Withdraw a consent.",
        work=_no_longer,
        body=bodies.WhoseCard,
    ),
    Posted(
        path="/tickets",
        permission="egov.take-tickets",
        response=windows.Ticket,
        summary="Take a ticket for today at a window.",
        work=_ticket,
        body=bodies.TicketToTake,
    ),
    Shown(
        path="/cards/{asn}/file",
        permission="egov.read-files",
        response=bodies.CitizenFile,
        summary="What stands about a card's holder.",
        work=_file,
    ),
    Shown(
        path="/cards/{asn}/readings",
        permission="egov.read-files",
        response=bodies.ReadingList,
        summary="Who read that file.",
        work=_readings,
    ),
    Shown(
        path="/cards/{asn}/applications",
        permission="egov.read-files",
        response=bodies.ApplicationList,
        summary="The holder's applications.",
        work=_mine,
    ),
    Shown(
        path="/cards/{asn}/consents",
        permission="egov.read-files",
        response=bodies.ConsentList,
        summary="The holder's consents.",
        work=_consents,
    ),
)
