"""City hall's endpoints for citizens: identity, applications, the own file and its readers, consents."""

from __future__ import annotations

from uuid import UUID

import attrs

from citycard.store import reading
from citycard_egov import applications, bodies, consents, files, filing, identity, windows
from citycard_egov.disclosure import Disclosed, disclose
from citycard_egov.errors import EgovInvalid
from citycard_egov.register import find_by_card
from citycard_egov.routing import Asked

__all__ = ["Why"]


@attrs.frozen(kw_only=True)
class Why:
    """Why a file is read; its holder need not say."""

    why: str = attrs.field(
        default="", metadata={"expected": "why, at most 200 characters", "range": (0, 200)}
    )


def offered(asked: Asked) -> list[bodies.OfferedService]:
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


def disclosed(asked: Asked) -> Disclosed:
    return disclose(asked.office)


def challenge(asked: Asked) -> identity.Challenge:
    return identity.draw(asked.office, asked.body.asn, asked_by=asked.actor)


def checked(asked: Asked) -> identity.Proof:
    body: bodies.AnswerToCheck = asked.body
    try:
        response = bytes.fromhex(body.answer)
    except ValueError:
        raise EgovInvalid(field="answer", value=body.answer[:40], expected="bytes in hexadecimal") from None
    return identity.answer(asked.office, body.challenge, response, asked_by=asked.actor)


def filed(asked: Asked) -> applications.Application:
    body: bodies.ApplicationToFile = asked.body
    who = identity.check_proof(asked.office, body.proof, body.asn, asked_by=asked.actor)
    return filing.file_application(
        asked.office, body.id, who, body.asn, body.service, body.form, actor=asked.actor
    )


def withdrawn(asked: Asked) -> applications.Application:
    who = _holder(asked, asked.body.asn)
    wanted = asked.id("application")
    return applications.withdraw_application(asked.office, asked.body.id, wanted, who, actor=asked.actor)


def consented(asked: Asked) -> consents.Consent:
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


def no_longer(asked: Asked) -> consents.Consent:
    return consents.withdraw(asked.office, asked.id("consent"), _holder(asked, asked.body.asn))


def ticket(asked: Asked) -> windows.Ticket:
    return windows.take_ticket(asked.office, asked.body.id, asked.body.window, asked.body.asn)


def own_file(asked: Asked) -> bodies.CitizenFile:
    from citycard.web import read_query

    asn = asked.word("asn")
    who = _holder(asked, asn)
    own = asked.who.subject == asn
    why = read_query(asked.request, Why).why or ("the holder looks at the own file" if own else "")
    reader = files.FileReader(name=asked.actor, department="", why=why)
    return bodies.CitizenFile(asn=asn, fields=files.read_file(asked.office, who, reader).fields)


def own_readings(asked: Asked) -> bodies.ReadingList:
    who = _holder(asked, asked.word("asn"))
    return bodies.ReadingList(readings=tuple(files.readings_of(asked.office, who)))


def own_applications(asked: Asked) -> bodies.ApplicationList:
    with reading(asked.office.engine) as conn:
        who = find_by_card(conn, asked.word("asn"))
        return bodies.ApplicationList(applications=tuple(applications.applications_of(conn, who)))


def own_consents(asked: Asked) -> bodies.ConsentList:
    who = _holder(asked, asked.word("asn"))
    return bodies.ConsentList(consents=tuple(consents.consents_of(asked.office, who)))


def _holder(asked: Asked, asn: str) -> UUID:
    with reading(asked.office.engine) as conn:
        return find_by_card(conn, asn)
