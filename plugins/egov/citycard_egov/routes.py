"""City hall's addresses: what is where, who may use it, and what it takes and gives.

What answers is in ``web``, ``deskweb``, ``pages`` and ``officepages``, which are imported with the first
request: opening a city does without them, and without what they work with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from citycard.kernel.outside import PUBLIC, Route, entering
from citycard_egov.routing import Posted, Shown

if TYPE_CHECKING:
    from citycard_egov.settings import EgovSettings

__all__ = ["routes"]

_WEB, _DESK, _BODIES = "citycard_egov.web", "citycard_egov.deskweb", "citycard_egov.bodies"
_PAGES, _OFFICE = "citycard_egov.pages", "citycard_egov.officepages"
_PLAN_BYTES = 1024 * 1024

_CITIZEN: tuple[Shown, ...] = (
    Shown(
        path="/services",
        permission=PUBLIC,
        response=f"{_BODIES}:OfferedService",
        summary="The services that citizens apply for.",
        work=f"{_WEB}:offered",
    ),
    Shown(
        path="/disclosure",
        permission=PUBLIC,
        response="citycard_egov.disclosure:Disclosed",
        summary="What the city makes public.",
        work=f"{_WEB}:disclosed",
    ),
    Posted(
        path="/identity/challenges",
        permission="egov.prove-identity",
        response="citycard_egov.identity:Challenge",
        summary="Draw a challenge for a card: good once, for seconds.",
        work=f"{_WEB}:challenge",
        body=f"{_BODIES}:ChallengeToDraw",
    ),
    Posted(
        path="/identity/answers",
        permission="egov.prove-identity",
        response="citycard_egov.identity:Proof",
        summary="Check a card's answer to a challenge, and give a short-lived proof of identity.",
        work=f"{_WEB}:checked",
        body=f"{_BODIES}:AnswerToCheck",
    ),
    Posted(
        path="/applications",
        permission="egov.file-applications",
        response="citycard_egov.applications:Application",
        summary="File an application with a proof of identity; its fee is charged.",
        work=f"{_WEB}:filed",
        body=f"{_BODIES}:ApplicationToFile",
    ),
    Posted(
        path="/applications/{id}/withdraw",
        permission="egov.file-applications",
        response="citycard_egov.applications:Application",
        summary="Take an open application back.",
        work=f"{_WEB}:withdrawn",
        body=f"{_BODIES}:ApplicationToWithdraw",
    ),
    Posted(
        path="/consents",
        permission="egov.give-consents",
        response="citycard_egov.consents:Consent",
        summary="Consent that an office asks a party for fields, with a proof of identity.",
        work=f"{_WEB}:consented",
        body=f"{_BODIES}:ConsentToGive",
    ),
    Posted(
        path="/consents/{id}/withdraw",
        permission="egov.give-consents",
        response="citycard_egov.consents:Consent",
        summary="Withdraw a consent.",
        work=f"{_WEB}:no_longer",
        body=f"{_BODIES}:WhoseCard",
    ),
    Posted(
        path="/tickets",
        permission="egov.take-tickets",
        response="citycard_egov.windows:Ticket",
        summary="Take a ticket for today at a window.",
        work=f"{_WEB}:ticket",
        body=f"{_BODIES}:TicketToTake",
    ),
    Shown(
        path="/cards/{asn}/file",
        permission="egov.read-files",
        response=f"{_BODIES}:CitizenFile",
        summary="What stands about a card's holder.",
        work=f"{_WEB}:own_file",
    ),
    Shown(
        path="/cards/{asn}/readings",
        permission="egov.read-files",
        response=f"{_BODIES}:ReadingList",
        summary="Who read that file.",
        work=f"{_WEB}:own_readings",
    ),
    Shown(
        path="/cards/{asn}/applications",
        permission="egov.read-files",
        response=f"{_BODIES}:ApplicationList",
        summary="The holder's applications.",
        work=f"{_WEB}:own_applications",
    ),
    Shown(
        path="/cards/{asn}/consents",
        permission="egov.read-files",
        response=f"{_BODIES}:ConsentList",
        summary="The holder's consents.",
        work=f"{_WEB}:own_consents",
    ),
)

_OF_DESKS: tuple[Shown, ...] = (
    Posted(
        path="/departments/{department}/residents",
        permission="egov.tell-residents",
        response=f"{_BODIES}:TellingList",
        summary="Tell the register what this office knows about a person.",
        work=f"{_DESK}:tell",
        body=f"{_BODIES}:ResidentToTell",
    ),
    Shown(
        path="/departments/{department}/applications",
        permission="egov.read-applications",
        response=f"{_BODIES}:ApplicationList",
        summary="The applications that wait for this office, the most urgent first.",
        work=f"{_DESK}:queue",
    ),
    Shown(
        path="/departments/{department}/applications/{id}",
        permission="egov.decide-applications",
        response=f"{_BODIES}:ApplicationLook",
        summary="An application with its form and the applicant's fields; the reading is written down.",
        work=f"{_DESK}:look",
    ),
    Posted(
        path="/applications/{id}/decisions",
        permission="egov.decide-applications",
        response="citycard_egov.applications:Application",
        summary="Decide the step of an application whose turn it is.",
        work=f"{_DESK}:decide",
        body=f"{_BODIES}:DecisionToMake",
    ),
    Posted(
        path="/departments/{department}/queries",
        permission="egov.ask-parties",
        response=f"{_BODIES}:PartyAnswer",
        summary="Ask another party about a resident who consented.",
        work=f"{_DESK}:ask",
        body=f"{_BODIES}:QueryToAsk",
    ),
    Posted(
        path="/departments/{department}/receipts",
        permission="egov.ask-parties",
        response=f"{_BODIES}:SignedMessage",
        summary="Get the signed receipt of a consent, for a query of the office's own node.",
        work=f"{_DESK}:receipt",
        body=f"{_BODIES}:QueryToAsk",
    ),
    Posted(
        path="/exchange/query",
        permission="egov.ask-parties",
        response=f"{_BODIES}:SignedMessage",
        summary="Answer a party's signed query about a resident, or refuse it; both are signed.",
        work=f"{_DESK}:answer",
        body=f"{_BODIES}:SignedMessage",
    ),
    Posted(
        path="/departments/{department}/plans",
        permission="egov.make-plans",
        response=f"{_BODIES}:PlanDetail",
        summary="Hand in a payment plan.",
        work=f"{_DESK}:make_plan",
        body=f"{_BODIES}:PlanToMake",
        limit=_PLAN_BYTES,
    ),
    Shown(
        path="/conflicts",
        permission="egov.read-conflicts",
        response=f"{_BODIES}:ConflictList",
        summary="Conflicts to settle.",
        work=f"{_DESK}:conflicts",
    ),
    Posted(
        path="/conflicts/{id}/settle",
        permission="egov.settle-conflicts",
        response=f"{_BODIES}:ConflictList",
        summary="Settle a conflict, and give those that are left.",
        work=f"{_DESK}:settle",
        body=f"{_BODIES}:ConflictToSettle",
    ),
    Shown(
        path="/windows/{window}",
        permission="egov.read-windows",
        response=f"{_BODIES}:TicketList",
        summary="Who waits at a window today.",
        work=f"{_DESK}:waiting",
    ),
    Posted(
        path="/windows/{window}/next",
        permission="egov.keep-windows",
        response=f"{_BODIES}:TicketList",
        summary="Call the next one who waits.",
        work=f"{_DESK}:call_next",
    ),
    Posted(
        path="/tickets/{id}/end",
        permission="egov.keep-windows",
        response="citycard_egov.windows:Ticket",
        summary="Say that a ticket was served, or that nobody came.",
        work=f"{_DESK}:end",
        body=f"{_BODIES}:TicketToEnd",
    ),
    Shown(
        path="/plans",
        permission="egov.read-plans",
        response=f"{_BODIES}:PlanList",
        summary="Payment plans, newest first.",
        work=f"{_DESK}:all_plans",
    ),
    Shown(
        path="/plans/{plan}",
        permission="egov.read-plans",
        response=f"{_BODIES}:PlanDetail",
        summary="A plan and its bad lines.",
        work=f"{_DESK}:plan",
    ),
    Posted(
        path="/plans/{plan}/approve",
        permission="egov.approve-plans",
        response="citycard_egov.plans:Plan",
        summary="Approve a plan; two persons have to.",
        work=f"{_DESK}:approve",
    ),
    Posted(
        path="/plans/{plan}/refuse",
        permission="egov.approve-plans",
        response="citycard_egov.plans:Plan",
        summary="Give up a plan of which nothing was paid.",
        work=f"{_DESK}:refuse",
    ),
    Posted(
        path="/notices",
        permission="egov.publish-notices",
        response="citycard_egov.disclosure:Notice",
        summary="Publish an item.",
        work=f"{_DESK}:publish",
        body=f"{_BODIES}:NoticeToPublish",
    ),
)


def routes(settings: EgovSettings) -> Iterator[Route]:
    """Declare the endpoints and pages of a city with these settings."""
    for endpoint in (*_CITIZEN, *_OF_DESKS):
        yield endpoint.route(settings)
    yield from _pages(settings)
    yield from _office(settings)


def _pages(settings: EgovSettings) -> Iterator[Route]:
    yield Route(
        path="/public",
        endpoint=entering(f"{_PAGES}:public", settings),
        permission=PUBLIC,
        summary="What the city makes public, as a page.",
    )
    read = "egov.read-files"
    yield Route(path="/my", endpoint=f"{_PAGES}:mine", permission=read, summary="The way to one's own file.")
    yield Route(
        path="/my/{asn}",
        endpoint=entering(f"{_PAGES}:file", settings),
        permission=read,
        summary="A citizen's own file, as a page.",
    )
    yield Route(
        path="/my/{asn}/consents",
        endpoint=entering(f"{_PAGES}:withdraw", settings),
        permission="egov.give-consents",
        methods=("POST",),
        summary="Withdraw a consent from the page.",
    )
    yield Route(
        path="/desk",
        endpoint=entering(f"{_PAGES}:desk", settings),
        permission="egov.read-windows",
        summary="The service desk, as a page.",
    )
    yield Route(
        path="/desk",
        endpoint=entering(f"{_PAGES}:act", settings),
        permission="egov.keep-windows",
        methods=("POST",),
        summary="What the desk's forms send.",
    )


def _office(settings: EgovSettings) -> Iterator[Route]:
    """Declare the pages of an office: ``/office`` leads a partner to its own."""
    read, do, one = "egov.read-applications", "egov.decide-applications", "/office/{department}/{id}"
    for path, endpoint, permission, method, summary in (
        ("/office", "mine", read, "GET", "The way to one's own office."),
        ("/office/{department}", "queue", read, "GET", "What waits for an office."),
        (one, "case", do, "GET", "An application, as a page."),
        (one, "decide", do, "POST", "Decide it from the page."),
    ):
        yield Route(
            path=path,
            endpoint=entering(f"{_OFFICE}:{endpoint}", settings),
            permission=permission,
            methods=(method,),
            summary=summary,
        )
