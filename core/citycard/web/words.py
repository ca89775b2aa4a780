"""Words for the states and kinds that records carry as codes, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from citycard.bank.codes import BankCode
from citycard.web.languages import Language, mark
from citycard.web.views import DayView

__all__ = [
    "adjustment_meaning",
    "bank_code",
    "bank_state",
    "card_status",
    "claim_kind",
    "code_meaning",
    "day_headline",
    "dispute_state",
    "file_meaning",
    "file_state",
    "order_state",
    "partner_kind",
    "plugin_state",
    "stage_name",
    "tap_kind",
]

_PLUGIN_STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "found": (mark("installed, not allowed"), ""),
        "missing": (mark("not installed"), "bad"),
        "refused": (mark("refused"), "bad"),
        "declared": (mark("being started"), "warn"),
        "claimed": (mark("being started"), "warn"),
        "migration-due": (mark("migration due"), "warn"),
        "migrated": (mark("being started"), "warn"),
        "started": (mark("being started"), "warn"),
        "enabled": (mark("enabled"), "good"),
        "stopping": (mark("being stopped"), "warn"),
        "disabled": (mark("disabled"), ""),
        "failed": (mark("failed"), "bad"),
    }
)

_BANK_STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ordered": (mark("ordered"), ""),
        "instructed": (mark("instructed"), "warn"),
        "settled": (mark("paid"), "good"),
        "returned": (mark("came back"), "bad"),
        "open": (mark("open"), "bad"),
        "taken": (mark("being worked on"), "warn"),
        "resolved": (mark("resolved"), "good"),
    }
)

_DISPUTE_STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "open": (mark("open"), "warn"),
        "overdue": (mark("overdue"), "bad"),
        "upheld": (mark("upheld"), "good"),
        "part": (mark("upheld in part"), "good"),
        "refused": (mark("dispute refused"), ""),
    }
)

_CARD_STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "stock": (mark("in stock"), ""),
        "issued": (mark("in use"), "good"),
        "lost": (mark("reported lost"), "bad"),
        "blocked": (mark("blocked"), "bad"),
        "replaced": (mark("replaced"), ""),
        "returned": (mark("returned"), ""),
    }
)

_ORDER_STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "created": (mark("waits for payment"), "warn"),
        "paid": (mark("paid, hold the card to a reader"), "good"),
        "delivered": (mark("loaded"), "good"),
        "refunding": (mark("being refunded"), "warn"),
        "refunded": (mark("refunded"), ""),
        "closed": (mark("not paid"), ""),
    }
)

_TAPS: Mapping[str, str] = MappingProxyType(
    {
        "entry": mark("entry"),
        "exit": mark("exit"),
        "single": mark("single tap"),
        "opened": mark("opening by the exit gate"),
    }
)


_FILE_STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "accepted": (mark("accepted"), "good"),
        "duplicate": (mark("duplicate"), ""),
        "quarantined": (mark("quarantined"), "bad"),
        "missing": (mark("missing"), "warn"),
    }
)

_STAGES: Mapping[str, str] = MappingProxyType(
    {
        "base": mark("base price"),
        "concession": mark("concession"),
        "discount": mark("discount"),
        "transfer": mark("transfer"),
        "cap": mark("cap"),
        "rounding": mark("rounding"),
        "fee": mark("fee"),
    }
)

_PARTNERS: Mapping[str, str] = MappingProxyType(
    {
        "operator": mark("operator"),
        "merchant": mark("merchant"),
        "agent": mark("load agent"),
    }
)


_CLAIMS: Mapping[str, str] = MappingProxyType(
    {
        "account": mark("ledger accounts"),
        "card-product": mark("card products"),
        "command": mark("commands"),
        "event-type": mark("events"),
        "fee-rule": mark("fee rules"),
        "job": mark("jobs"),
        "key-purpose": mark("key purposes"),
        "menu": mark("menu entries"),
        "participant": mark("participants"),
        "permission": mark("permissions"),
        "personal-data": mark("personal data"),
        "route": mark("addresses"),
        "sector": mark("sectors of the card"),
        "service": mark("services"),
        "service-number": mark("service numbers"),
        "table-prefix": mark("table prefix"),
        "terminal-config": mark("terminal configuration"),
    }
)


def claim_kind(kind: str, say: Language) -> str:
    """Name a kind of thing that plugins claim."""
    return say(_CLAIMS.get(kind, kind))


def day_headline(shown: DayView, say: Language) -> str:
    """Say in one sentence what the day was."""
    city = (shown.city_zh or shown.city) if say.code == "zh" else shown.city
    if not shown.taps or shown.day is None:
        return say("{city} is ready for its first tap", city=city)
    taps = say.count("{number} tap", "{number} taps", shown.taps)
    return say("{city}, {day}: {taps}", city=city, day=say.day(shown.day), taps=taps)


def plugin_state(state: str, say: Language) -> dict[str, str]:
    """Give a plugin's state its title and tone."""
    title, tone = _PLUGIN_STATES.get(state, (state, ""))
    return {"title": say(title), "tone": tone}


def bank_state(state: str, say: Language) -> dict[str, str]:
    """Name the state of a payment or of an exception at the bank, with its tone."""
    title, tone = _BANK_STATES.get(state, (state, ""))
    return {"title": say(title), "tone": tone}


def dispute_state(state: str, say: Language) -> dict[str, str]:
    """Name where a dispute is, with its tone."""
    title, tone = _DISPUTE_STATES[state]
    return {"title": say(title), "tone": tone}


def adjustment_meaning(code: str, say: Language) -> str:
    """Say why money moved after a run; the sentences are clearing's own."""
    from citycard.clearing.casecodes import AdjustmentCode

    return say(AdjustmentCode(code).meaning)


def bank_code(code: str, say: Language) -> str:
    """Say what a code of a bank line means."""
    return say(BankCode[code].title) if code in BankCode.__members__ else ""


def card_status(status: str, say: Language) -> dict[str, str]:
    """Give a card's status its title and tone."""
    title, tone = _CARD_STATES.get(status, (status, ""))
    return {"title": say(title), "tone": tone}


def order_state(state: str, say: Language) -> dict[str, str]:
    """Say where an order of a top-up is, with the tone of its tag."""
    title, tone = _ORDER_STATES[state]
    return {"title": say(title), "tone": tone}


def tap_kind(kind: str, say: Language) -> str:
    """Name a kind of record."""
    return say(_TAPS.get(kind, kind))


def code_meaning(code: str, say: Language) -> str:
    """Say what a clearing code means; the sentences are clearing's own."""
    from citycard.clearing.codes import Code

    return say(Code[code].title) if code in Code.__members__ else ""


def file_meaning(code: str, say: Language) -> str:
    """Say what a file's code means; the sentences are clearing's own."""
    from citycard.clearing.codes import FileCode

    return say(FileCode[code].meaning) if code in FileCode.__members__ else ""


def file_state(state: str, say: Language) -> dict[str, str]:
    """Give a batch file's state its title and tone."""
    title, tone = _FILE_STATES.get(state, (state, ""))
    return {"title": say(title), "tone": tone}


def stage_name(stage: str, say: Language) -> str:
    """Name a stage of pricing."""
    return say(_STAGES.get(stage, stage))


def partner_kind(kind: str, say: Language) -> str:
    """Name a kind of partner."""
    return say(_PARTNERS.get(kind, kind))
