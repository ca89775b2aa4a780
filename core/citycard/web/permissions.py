"""Who may do what, as data: roles, what each may do, and whether to everybody's or only to its own."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import attrs

from citycard.kernel.outside import PUBLIC

__all__ = ["OWN", "PERMISSIONS", "PUBLIC", "ROLES", "Actor", "Reach", "Role", "reach"]


class Role(StrEnum):
    """The kinds of people and machines that the pages know."""

    PUBLIC = "public"
    CITIZEN = "citizen"
    CLERK = "clerk"
    PARTNER = "partner"
    OPERATOR = "operator"
    AUDITOR = "auditor"


class Reach(StrEnum):
    """How far a permission goes: nowhere, to what belongs to the actor, or to everything."""

    NONE = "none"
    OWN = "own"
    ALL = "all"


PERMISSIONS: Mapping[str, str] = MappingProxyType(
    {
        PUBLIC: "Use what is open to everybody: the city's day as sums, the description of the endpoints.",
        "city.read-partners": "See the partners and what each took in, was charged, and is paid.",
        "city.read-statements": "Read a partner's statements.",
        "city.read-plugins": "See the plugins with their states and reasons.",
        "city.read-cards": "Look up a card: its purse and its journeys. Every look is recorded.",
        "city.read-float": "See what the city owes and holds at any moment, by account.",
        "city.read-ledger": "See the seals of the ledger, and get proofs of what it answered.",
        "city.read-refunds": "See refunds of purchases and charge-backs of top-ups.",
        "city.give-refunds": "Give back purchases.",
        "city.pay-partners": "Order payouts of what partners are owed.",
        "city.keep-chargebacks": "Open charge-backs and take their steps.",
        "city.read-health": "See whether the parts of the city's server work.",
        "city.read-access": "See who looked at which card.",
        "city.hand-in-files": "Hand in files of records, as a sender of a partner.",
        "city.read-bank": "See payments, bank statements, exceptions and the reconciliation.",
        "city.keep-bank": "Instruct the bank, take in its statements, work on exceptions.",
        "city.read-interconnect": "See other cities, the files between, and who owes whom.",
        "city.keep-interconnect": "Exchange files with other cities, and settle with them.",
        "city.read-late-files": "See files that came too late, of anybody.",
        "city.read-exceptions": "See records that clearing suspended or rejected.",
        "city.decide-exceptions": "Decide records that clearing suspended or rejected.",
        "city.read-disputes": "See disputes and their evidence.",
        "city.open-disputes": "Dispute records and statements, and add evidence.",
        "city.decide-disputes": "Decide disputes.",
        "city.read-accounts": "See an online account, its holds, payments and limits. Looks are recorded.",
        "city.use-accounts": "Pay from an online account, exchange its points, limit and freeze it.",
        "city.manage-accounts": "Open, unfreeze and close online accounts.",
        "city.pay-holders": "Pay holders what is owed for their online accounts.",
        "city.read-charges": "See what a partner was paid and holds on online accounts.",
        "city.charge-accounts": "Charge online accounts for a partner: hold, take, give back, give points.",
        "city.read-subsidies": "See the subsidy programmes and where their money is.",
        "city.grant-subsidies": "Grant subsidies out of a programme's budget.",
        "city.manage-subsidies": "Put money into the budgets of subsidy programmes.",
        "city.read-points": "See the points schemes and the money behind them.",
        "city.order-topups": "Order top-ups of a card, and set its automatic top-up.",
        "city.read-topups": "See the orders of a card and its automatic top-up.",
        "city.refund-topups": "Send the money of an order back that was not delivered.",
        "city.read-agents": "See where a load agent stands: quota, what it owes, closed days.",
        "city.close-days": "Close a business day of a load agent.",
        "city.read-supervision": "See how far the card got, by district and domain, against targets.",
        "city.manage-agents": "Open load agents, give them credit, and note what they pay in.",
    }
)

_ALL = frozenset(name for name in PERMISSIONS if name != PUBLIC)
_READING = frozenset(name for name in _ALL if name.startswith("city.read-"))

ROLES: Mapping[Role, frozenset[str]] = MappingProxyType(
    {
        Role.PUBLIC: frozenset({PUBLIC}),
        Role.CITIZEN: frozenset(
            {
                PUBLIC,
                "city.read-cards",
                "city.read-accounts",
                "city.use-accounts",
                "city.read-topups",
                "city.order-topups",
            }
        ),
        Role.CLERK: frozenset(
            {
                PUBLIC,
                "city.read-cards",
                "city.read-partners",
                "city.read-accounts",
                "city.manage-accounts",
                "city.read-subsidies",
                "city.grant-subsidies",
                "city.read-points",
                "city.read-refunds",
                "city.give-refunds",
                "city.read-late-files",
                "city.read-exceptions",
                "city.read-disputes",
                "city.open-disputes",
                "city.read-topups",
                "city.order-topups",
                "city.refund-topups",
            }
        ),
        Role.PARTNER: frozenset(
            {
                PUBLIC,
                "city.read-statements",
                "city.read-exceptions",
                "city.read-disputes",
                "city.open-disputes",
                "city.read-charges",
                "city.charge-accounts",
                "city.read-agents",
                "city.close-days",
                "city.hand-in-files",
            }
        ),
        Role.OPERATOR: frozenset(PERMISSIONS),
        Role.AUDITOR: frozenset({PUBLIC, *_READING}),
    }
)

# What these roles may do, they may do only to what belongs to the subject of their token:
# a citizen's own card (its ASN), a partner's own statement (its id).
OWN: frozenset[Role] = frozenset({Role.CITIZEN, Role.PARTNER})

_READING_VERBS = ("read-", "see-", "list-")


@attrs.frozen(kw_only=True)
class Actor:
    """Whoever makes a request: a role, the token behind it, and whose things it may see (``subject``).

    ``given`` are the permissions that plugins give to this role.
    """

    role: Role = Role.PUBLIC
    token: str = ""
    subject: str = ""
    given: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Name whoever it is, as acts and histories keep it: the role, and the token behind it."""
        return f"{self.role.value} {self.token}".strip()

    @property
    def signed_in(self) -> bool:
        """Tell whether a token or a session stands behind this actor."""
        return self.role is not Role.PUBLIC

    def may(self, permission: str, owner: str | None = None) -> bool:
        """Tell whether the actor has a permission at all, or, with an owner, for that owner's things."""
        far = reach(self.role, permission)
        if far is Reach.NONE and permission in self.given:
            far = Reach.OWN if self.role in OWN else Reach.ALL
        if far is Reach.OWN and owner is not None:
            return bool(self.subject) and owner == self.subject
        return far is not Reach.NONE


def reach(role: Role, permission: str) -> Reach:
    """Say how far a role's permission goes.

    A plugin's permission (``<plugin>.<verb>-<noun>``) belongs to operators; auditors have it when its verb
    reads. Everybody else needs it named in ``ROLES``, or given by the plugin (``Actor.given``).
    """
    if permission == PUBLIC:
        return Reach.ALL
    if permission in ROLES[role]:
        return Reach.OWN if role in OWN else Reach.ALL
    owner, _, verb = permission.partition(".")
    if owner == "city":
        return Reach.NONE
    plugins = role is Role.OPERATOR or (role is Role.AUDITOR and verb.startswith(_READING_VERBS))
    return Reach.ALL if plugins else Reach.NONE
