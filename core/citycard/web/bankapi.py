"""The endpoints about the bank, under ``/api/bank``: statements in, exceptions worked on, everything read."""

from __future__ import annotations

from uuid import UUID

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from citycard.bank.camt import LARGEST_BYTES
from citycard.bank.cases import take
from citycard.bank.codes import How
from citycard.bank.holes import Hole
from citycard.bank.instructing import BankFile, instruct
from citycard.bank.instruction import BankAccount
from citycard.bank.lines import MatchedLine, StoredStatement
from citycard.bank.receiving import Received, receive
from citycard.bank.reconciling import Reconciliation, reconcile
from citycard.bank.resolving import Resolution, resolve
from citycard.errors import BodyInvalid, CaseUnknown, Phrase
from citycard.web import sources
from citycard.web.bodies import read_bytes, read_json
from citycard.web.context import actor_of, city_of
from citycard.web.endpoints import Endpoint, endpoint, json_answer, read_query
from citycard.web.sources.bank import CaseView, OrderedPayment, StepsView, case_view

__all__ = ["ENDPOINTS", "actor_name"]

_READ, _KEEP = "city.read-bank", "city.keep-bank"


@attrs.frozen(kw_only=True)
class PaymentQuery:
    """Which payments: all, or those of one state."""

    state: str = attrs.field(
        default="", metadata={"expected": "ordered, instructed, settled or returned", "range": (0, 20)}
    )


@attrs.frozen(kw_only=True)
class LineQuery:
    """Which lines: of one statement by its number (0: of all), of one state, with one code."""

    statement: int = attrs.field(
        default=0, metadata={"expected": "a statement's number", "range": (0, 10**9)}
    )
    state: str = attrs.field(
        default="", metadata={"expected": "matched, returned, charge or exception", "range": (0, 20)}
    )
    code: str = attrs.field(default="", metadata={"expected": "a code such as M02", "range": (0, 20)})


@attrs.frozen(kw_only=True)
class CaseQuery:
    """Which exceptions: those that are not resolved, or those of one state; with one code."""

    state: str = attrs.field(default="", metadata={"expected": "open, taken or resolved", "range": (0, 20)})
    code: str = attrs.field(default="", metadata={"expected": "a code such as M02", "range": (0, 20)})


@attrs.frozen(kw_only=True)
class PaymentList:
    """Payments, the newest first."""

    payments: tuple[OrderedPayment, ...]


@attrs.frozen(kw_only=True)
class BankStatementList:
    """The bank's statements, the last received first, and what is missing between them."""

    statements: tuple[StoredStatement, ...]
    holes: tuple[Hole, ...]


@attrs.frozen(kw_only=True)
class LineList:
    """Lines in the order of their statements, with where each ended."""

    lines: tuple[MatchedLine, ...]


@attrs.frozen(kw_only=True)
class CaseList:
    """Exceptions, the oldest first."""

    exceptions: tuple[CaseView, ...]


@attrs.frozen(kw_only=True)
class Instructed:
    """The instruction that was made, or null when nothing was ordered."""

    instruction: BankFile | None


@attrs.frozen(kw_only=True)
class Step:
    """A step; its ``id`` is made by who takes it, and the same one again changes nothing."""

    id: UUID


@attrs.frozen(kw_only=True)
class TakeBody:
    """An exception is taken; ``from_other`` says that it is taken from somebody else who has it."""

    id: UUID
    from_other: bool = False


@attrs.frozen(kw_only=True)
class ResolutionBody:
    """How an exception is resolved; ``how`` is matched, posted, paid-back or not-paid."""

    id: UUID
    how: str
    reason: str
    payment: str = ""
    account: str = ""
    to_name: str = ""
    to_account: str = ""
    to_bic: str = ""

    def resolution(self) -> Resolution:
        """Give it as the bank's side takes it."""
        to = BankAccount(name=self.to_name, account=self.to_account, bic=self.to_bic)
        try:
            return Resolution(
                how=How(self.how),
                reason=self.reason,
                payment=self.payment,
                account=self.account,
                creditor=to if self.to_name or self.to_account else None,
            )
        except ValueError as wrong:
            expected = "expected matched, posted, paid-back or not-paid"
            raise BodyInvalid(problems=Phrase("body.how: {expected}", expected=expected)) from wrong


def actor_name(request: Request) -> str:
    """Name who makes a request, for the history: the role, and the token that stands behind it."""
    return actor_of(request).name


async def reconciliation(request: Request) -> Response:
    return json_answer(await run_in_threadpool(reconcile, city_of(request)))


async def payments(request: Request) -> Response:
    query: PaymentQuery = read_query(request, PaymentQuery)
    found = await run_in_threadpool(sources.read_payments, city_of(request), query.state)
    return json_answer(PaymentList(payments=found))


async def statements(request: Request) -> Response:
    shown = await run_in_threadpool(sources.read_bank, city_of(request), rows=200)
    return json_answer(BankStatementList(statements=shown.statements, holes=shown.holes))


async def lines(request: Request) -> Response:
    query: LineQuery = read_query(request, LineQuery)
    found = await run_in_threadpool(
        sources.read_lines, city_of(request), query.statement, query.state, query.code
    )
    return json_answer(LineList(lines=found))


async def cases(request: Request) -> Response:
    query: CaseQuery = read_query(request, CaseQuery)
    found = await run_in_threadpool(sources.read_cases, city_of(request), query.state, query.code)
    return json_answer(CaseList(exceptions=found))


async def case(request: Request) -> Response:
    return json_answer(await run_in_threadpool(sources.read_case, city_of(request), _case_id(request)))


async def take_statement(request: Request) -> Response:
    data = await read_bytes(request, limit=LARGEST_BYTES)
    return json_answer(await run_in_threadpool(receive, city_of(request), data))


async def make_instruction(request: Request) -> Response:
    step = await read_json(request, Step)
    made = await run_in_threadpool(instruct, city_of(request), step.id)
    return json_answer(Instructed(instruction=made))


async def take_case(request: Request) -> Response:
    city, body = city_of(request), await read_json(request, TakeBody)
    found = await run_in_threadpool(
        take,
        city,
        _case_id(request),
        actor=actor_name(request),
        step=body.id,
        from_other=body.from_other,
    )
    return json_answer(case_view(city, found))


async def resolve_case(request: Request) -> Response:
    city, body = city_of(request), await read_json(request, ResolutionBody)
    found = await run_in_threadpool(
        resolve, city, _case_id(request), body.resolution(), actor=actor_name(request), step=body.id
    )
    return json_answer(case_view(city, found))


def _case_id(request: Request) -> UUID:
    text = request.path_params["case"]
    try:
        return UUID(text)
    except ValueError:
        raise CaseUnknown(case=text[:40]) from None


ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint(
        "/api/bank/reconciliation",
        reconciliation,
        permission=_READ,
        response=Reconciliation,
        summary="The trust account in the ledger and at the bank, every fen between them explained.",
    ),
    endpoint(
        "/api/bank/payments",
        payments,
        permission=_READ,
        query=PaymentQuery,
        response=PaymentList,
        summary="The payments that the city ordered.",
    ),
    endpoint(
        "/api/bank/instructions",
        make_instruction,
        permission=_KEEP,
        methods=("POST",),
        request=Step,
        response=Instructed,
        summary="Collect every ordered payment into one instruction to the bank.",
    ),
    endpoint(
        "/api/bank/statements",
        statements,
        permission=_READ,
        response=BankStatementList,
        summary="The bank's statements, and what is missing between them.",
    ),
    endpoint(
        "/api/bank/statements",
        take_statement,
        permission=_KEEP,
        methods=("POST",),
        media="application/xml",
        response=Received,
        summary="Take in a bank statement: the body is the camt.053 file as it is. Again without harm.",
    ),
    endpoint(
        "/api/bank/lines",
        lines,
        permission=_READ,
        query=LineQuery,
        response=LineList,
        summary="The bank's lines, and where each ended.",
    ),
    endpoint(
        "/api/bank/exceptions",
        cases,
        permission=_READ,
        query=CaseQuery,
        response=CaseList,
        summary="What needs a person at the bank.",
    ),
    endpoint(
        "/api/bank/exceptions/{case}",
        case,
        permission=_READ,
        response=StepsView,
        summary="One exception and its history.",
    ),
    endpoint(
        "/api/bank/exceptions/{case}/take",
        take_case,
        permission=_KEEP,
        methods=("POST",),
        request=TakeBody,
        response=CaseView,
        summary="Take an exception to work on it.",
    ),
    endpoint(
        "/api/bank/exceptions/{case}/resolve",
        resolve_case,
        permission=_KEEP,
        methods=("POST",),
        request=ResolutionBody,
        response=CaseView,
        summary="Resolve an exception and post where its money belongs.",
    ),
)
