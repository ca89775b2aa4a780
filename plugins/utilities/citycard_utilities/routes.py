"""Where bills are, who may use them, and what they take and give. docs/utilities.md lists them.

What answers is in ``web`` and ``pages``, which are imported with the first request: opening a city does
without them, and without what they work with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from citycard import Route
from citycard.kernel.outside import entering
from citycard_utilities.lookups import Served
from citycard_utilities.permissions import FIND, MANDATES, OVERVIEW, PAY, RECEIPTS, REVERSE, SEND, SETTLEMENTS

if TYPE_CHECKING:
    from citycard_utilities.settings import UtilitySettings

__all__ = ["routes"]

_HOME = "citycard_utilities."


def routes(settings: UtilitySettings) -> Iterator[Route]:
    """Declare the pages and endpoints of a city with these settings."""
    served = Served(settings=settings)
    yield from _pages(served)
    yield from _about_bills(served)
    yield from _about_mandates(served)
    yield from _about_billers(served)


def _about_bills(served: Served) -> Iterator[Route]:
    yield _route(
        "/bills",
        "web:find",
        FIND,
        "The bills of a household.",
        "bodies:BillQuery",
        "bills:HouseholdBills",
        served,
    )
    yield _route(
        "/bills/slip",
        "web:slip",
        FIND,
        "The bar code of a bill.",
        "bodies:SlipQuery",
        "bodies:BillSlip",
        served,
    )
    pay = "Pay a bill from an online account."
    yield _route(
        "/payments", "web:pay", PAY, pay, "bodies:BillToPay", "paying:ReceiptView", served, method="POST"
    )
    one = "/receipts/{receipt}"
    yield _route(one, "web:receipt", RECEIPTS, "What was paid for a bill.", None, "paying:ReceiptView")
    back = "Give the money of a receipt back."
    yield _route(
        f"{one}/reversal",
        "web:reverse_receipt",
        REVERSE,
        back,
        "bodies:ReversalToMake",
        "returning:Return",
        served,
        method="POST",
    )
    assigned = "Let money without a bill pay one."
    yield _route(
        f"{one}/bill",
        "web:assign_bill",
        REVERSE,
        assigned,
        "bodies:BillToAssign",
        "bodies:Assigned",
        served,
        method="POST",
    )
    yield _route("/totals", "web:totals", OVERVIEW, "Where bills stand.", None, "overview:Overview")


def _about_mandates(served: Served) -> Iterator[Route]:
    made = "Make a direct-debit mandate."
    yield _route(
        "/mandates",
        "web:make",
        MANDATES,
        made,
        "bodies:MandateToMake",
        "mandates:MandateView",
        served,
        method="POST",
    )
    of_card = "The mandates of a card."
    yield _route(
        "/mandates/of-card", "web:mandates", MANDATES, of_card, "bodies:MandateQuery", "bodies:CardMandates"
    )
    ended = "End a mandate: nothing more is collected."
    yield _route(
        "/mandates/{mandate}/end", "web:end", MANDATES, ended, None, "mandates:MandateView", method="POST"
    )


def _about_billers(served: Served) -> Iterator[Route]:
    files, settled = "/billers/{biller}/files", "/billers/{biller}/settlement"
    yield _route(
        files, "web:files", SEND, "What came of a biller's files.", None, "bodies:BillerFiles", served
    )
    sent = "Send a file of bills (CSV); the same file again gets the same answer."
    yield _route(
        f"{files}/{{name}}", "web:send", SEND, sent, None, "importing:FileReport", served, method="PUT"
    )
    for path, words in (
        (settled, "What the last run settled"),
        (f"{settled}/{{run:int}}", "What a run settled"),
    ):
        yield _route(
            path,
            "web:settlement",
            SETTLEMENTS,
            f"{words} with a biller.",
            None,
            "settlement:Settlement",
            served,
        )
    file = "The file of what a run settled with a biller (CSV)."
    yield _route(f"{settled}/{{run:int}}/file", "web:file", SETTLEMENTS, file, None, None, served)


def _pages(served: Served) -> Iterator[Route]:
    mine = "A citizen's bills, and what pays them."
    yield _route("/mine", "pages:mine", PAY, mine, None, None, served)
    act = "What a citizen does with bills: pay, keep, forget, let collect, end."
    yield _route("/mine", "pages:act", PAY, act, None, None, served, method="POST")
    standing = "Where bills, files and direct debits stand."
    yield _route("/overview", "pages:standing", OVERVIEW, standing, None, None, served)


def _route(
    path: str,
    endpoint: str,
    permission: str,
    summary: str,
    request: str | None,
    response: str | None,
    *bound: Served,
    method: str = "GET",
) -> Route:
    return Route(
        path=path,
        endpoint=entering(_HOME + endpoint, *bound),
        permission=permission,
        summary=summary,
        methods=(method,),
        request=request and _HOME + request,
        response=response and _HOME + response,
    )
