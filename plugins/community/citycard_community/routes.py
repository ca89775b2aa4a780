"""Communities' addresses for people, and their place in the menu.

What answers is in ``pages``, which is imported with the first request; the addresses for programs are in
``api``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from citycard.kernel.outside import MenuItem, Route
from citycard_community.permissions import BUY_PASSES, INVITE, KEEP_LEASES, PAY_FEES, READ_FEES, READ_HOME

if TYPE_CHECKING:
    from citycard_community.settings import CommunitySettings

__all__ = ["menu", "page_routes"]


def menu(settings: CommunitySettings) -> Iterator[MenuItem]:
    """Give the entries of the menu: a resident's, and the desk of the property companies."""
    companies = tuple(one.partner for one in settings.communities)
    yield MenuItem(path="/mine", title="My community", title_zh="我的社区", permission=READ_HOME, own=True)
    yield MenuItem(
        path="/desk", title="Property desk", title_zh="物业前台", permission=READ_FEES, partners=companies
    )


def page_routes() -> Iterator[Route]:
    """Declare the pages and their forms."""
    pages = (
        ("/mine", READ_HOME, "mine", "A resident's own page."),
        ("/desk", READ_FEES, "desk", "The property company's desk."),
    )
    for path, permission, endpoint, summary in pages:
        yield _page(path, permission, endpoint, summary)
    forms = (
        ("/mine/fees", PAY_FEES, "pay", "Pay a fee from the page."),
        ("/mine/passes", BUY_PASSES, "buy", "Buy a parking pass from the page."),
        ("/mine/visits", INVITE, "invite", "Invite a visitor from the page."),
        ("/mine/visits/end", INVITE, "call_off", "Call a visitor off from the page."),
        ("/mine/leases", KEEP_LEASES, "let", "Let a flat from its owner's page."),
        ("/mine/leases/change", KEEP_LEASES, "change", "Change a lease's last day."),
        ("/desk/leases", KEEP_LEASES, "begin_lease", "Begin a lease from the desk."),
        ("/desk/leases/change", KEEP_LEASES, "change_lease", "Change a lease's last day from the desk."),
    )
    for path, permission, endpoint, summary in forms:
        yield _page(path, permission, endpoint, summary, "POST")


def _page(path: str, permission: str, endpoint: str, summary: str, method: str = "GET") -> Route:
    return Route(
        path=path,
        endpoint=f"citycard_community.pages:{endpoint}",
        permission=permission,
        methods=(method,),
        summary=summary,
    )
