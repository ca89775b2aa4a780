"""Who may do what at city hall, and what stands in the menu."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from citycard.kernel.outside import PUBLIC, MenuItem, Permission

if TYPE_CHECKING:
    from citycard_egov.settings import EgovSettings

__all__ = ["PERMISSIONS", "menu"]

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
