"""What endpoints of city hall take and give, beside the records themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

import attrs
from attrs.validators import max_len

from citycard_egov.applications import Application, Done
from citycard_egov.consents import Consent
from citycard_egov.files import Reading, StandingField
from citycard_egov.plans import Plan, PlanLine
from citycard_egov.register import Conflict
from citycard_egov.windows import Ticket

__all__ = [
    "AnswerToCheck",
    "ApplicationList",
    "ApplicationLook",
    "ApplicationToFile",
    "ApplicationToWithdraw",
    "ChallengeToDraw",
    "CitizenFile",
    "ConflictList",
    "ConflictToSettle",
    "ConsentList",
    "ConsentToGive",
    "DecisionToMake",
    "NoticeToPublish",
    "OfferedService",
    "PartyAnswer",
    "PlanDetail",
    "PlanList",
    "PlanToMake",
    "QueryToAsk",
    "ReadingList",
    "ResidentToTell",
    "SignedMessage",
    "TellingList",
    "TicketList",
    "TicketToEnd",
    "TicketToTake",
    "WhoseCard",
]


@attrs.frozen(kw_only=True)
class OfferedService:
    """A service as it is offered: fee in fen, the form's fields, and working days of all steps."""

    id: str
    title: str
    title_zh: str
    department: str
    fee_fen: int
    form: tuple[str, ...]
    working_days: int


@attrs.frozen(kw_only=True)
class ChallengeToDraw:
    """The card that is to prove its identity."""

    asn: str = attrs.field(validator=max_len(20))


@attrs.frozen(kw_only=True)
class AnswerToCheck:
    """The card's answer to a challenge: 16 bytes in hexadecimal."""

    challenge: UUID
    answer: str = attrs.field(validator=max_len(64))


@attrs.frozen(kw_only=True)
class ApplicationToFile:
    """An application; ``id`` is made by the client, ``proof`` came from the card a moment ago."""

    id: UUID
    asn: str
    proof: str = attrs.field(validator=max_len(100))
    service: str
    form: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class ApplicationToWithdraw:
    """An application that its applicant takes back; ``id`` is that of the act."""

    id: UUID
    asn: str


@attrs.frozen(kw_only=True)
class ApplicationList:
    """Applications, each with whose turn it is."""

    applications: tuple[Application, ...]


@attrs.frozen(kw_only=True)
class ApplicationLook:
    """An application as the department sees whose turn it is."""

    application: Application
    form: Mapping[str, str]
    done: tuple[Done, ...]
    fields: tuple[StandingField, ...]


@attrs.frozen(kw_only=True)
class DecisionToMake:
    """A department's decision; ``id`` is made by the client. A refusal needs words."""

    id: UUID
    department: str
    approve: bool
    words: str = ""


@attrs.frozen(kw_only=True)
class CitizenFile:
    """What stands in the register about the holder of a card."""

    asn: str
    fields: tuple[StandingField, ...]


@attrs.frozen(kw_only=True)
class ReadingList:
    """Who read the file of a card's holder, newest first."""

    readings: tuple[Reading, ...]


@attrs.frozen(kw_only=True)
class ConsentToGive:
    """A consent, proven by the card; ``id`` is made by the client."""

    id: UUID
    asn: str
    proof: str = attrs.field(validator=max_len(100))
    asker: str
    node: str
    fields: tuple[str, ...]
    purpose: str
    until: dt.date


@attrs.frozen(kw_only=True)
class WhoseCard:
    """The card of whoever acts."""

    asn: str


@attrs.frozen(kw_only=True)
class ConsentList:
    """The consents of a card's holder, newest first."""

    consents: tuple[Consent, ...]


@attrs.frozen(kw_only=True)
class TicketToTake:
    """A ticket for today at a window; ``id`` is made by the client."""

    id: UUID
    window: str
    asn: str = attrs.field(validator=max_len(20))


@attrs.frozen(kw_only=True)
class TicketToEnd:
    """Whether whoever was called was served, or did not come."""

    served: bool


@attrs.frozen(kw_only=True)
class TicketList:
    """Tickets of a window today, by number; empty when nobody waits."""

    tickets: tuple[Ticket, ...]


@attrs.frozen(kw_only=True)
class ResidentToTell:
    """What a department says about a person; ``day`` is when its own record was made."""

    id_number: str = attrs.field(validator=max_len(40))
    day: dt.date
    values: Mapping[str, str]


@attrs.frozen(kw_only=True)
class TellingList:
    """What came of each field: ``new``, ``same`` or ``conflict``."""

    fields: Mapping[str, str]


@attrs.frozen(kw_only=True)
class ConflictList:
    """The conflicts that nobody has settled."""

    conflicts: tuple[Conflict, ...]


@attrs.frozen(kw_only=True)
class ConflictToSettle:
    """Whose word stands from now on, and why."""

    chosen: str
    reason: str


@attrs.frozen(kw_only=True)
class QueryToAsk:
    """A query to another party about a resident who consented."""

    node: str
    id_number: str = attrs.field(validator=max_len(40))
    fields: tuple[str, ...]
    purpose: str = attrs.field(validator=max_len(200))


@attrs.frozen(kw_only=True)
class SignedMessage:
    """A message of the exchange: the payload's text, who signed it, and the signature (docs/egov.md)."""

    payload: str
    signer: str
    signature: str


@attrs.frozen(kw_only=True)
class PartyAnswer:
    """What the party answered; ``known`` says whether it has the person at all."""

    query: UUID
    node: str
    known: bool
    values: Mapping[str, str]


@attrs.frozen(kw_only=True)
class PlanToMake:
    """A payment plan as a department hands it in: ``csv`` has the columns amount, and id_number or card."""

    plan: str
    programme: str
    title: str
    csv: str


@attrs.frozen(kw_only=True)
class PlanList:
    """Payment plans, newest first."""

    plans: tuple[Plan, ...]


@attrs.frozen(kw_only=True)
class PlanDetail:
    """A payment plan and its bad lines."""

    plan: Plan
    bad: tuple[PlanLine, ...]


@attrs.frozen(kw_only=True)
class NoticeToPublish:
    """An item to be published by a department, under an id of its own."""

    id: str
    department: str
    title: str
    body: str
    title_zh: str = ""
    body_zh: str = ""
