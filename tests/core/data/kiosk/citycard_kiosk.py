"""Kiosks with papers at one price, tea that costs less before ten, and lockers paid for at the end."""

from __future__ import annotations

from citycard import CardProduct, Lived, PluginInfo, derived_id, hookimpl
from citycard.city.charging import charge
from citycard.clearing import Adjustment, FeeRule, Stage
from citycard.kernel.habits import Habit, HabitTap
from citycard.kernel.services import Participant, Service
from citycard.terminal.record import RecordKind

TEN = 10


@hookimpl
def citycard_plugin():
    return PluginInfo(name="kiosk", title="Kiosks", core=">=0.1,<1")


@hookimpl
def citycard_card_products():
    yield CardProduct(name="standard", title="City card", kind=1)
    yield CardProduct(name="guest", title="Guest card", kind=16)


@hookimpl
def citycard_participants():
    for name in ("north", "south"):
        yield Participant(id=f"kiosk-{name}", name=f"Kiosk {name}", account_no=f"62009901{name.upper()}")


@hookimpl
def citycard_services():
    yield Service(name="paper", number=801, title="Newspaper", habits=papers)
    yield Service(name="tea", number=802, title="Tea", habits=teas)
    yield Service(name="locker", number=803, title="Locker", habits=lockers)


@hookimpl
def citycard_fee_rules():
    yield FeeRule(name="early-tea", stage=Stage.DISCOUNT, services=("tea",), apply=early)


def early(request, amount_fen):
    if request.at.hour < TEN:
        return Adjustment(amount_fen=amount_fen // 2, reason="half before ten")
    return None


def papers():
    yield Habit(there=(HabitTap(partner="kiosk-north", list_price_fen=250),), weight=2)


def teas():
    first, second = (
        HabitTap(partner="kiosk-south", list_price_fen=fen, minutes=minutes)
        for fen, minutes in ((400, 0), (380, 30))
    )
    yield Habit(there=(first, second), back=(second, first), weight=3)


def lockers():
    first = HabitTap(partner="kiosk-north", kind=RecordKind.ENTRY)
    last = HabitTap(partner="kiosk-north", kind=RecordKind.EXIT, list_price_fen=300, minutes=20)
    yield Habit(there=(first, last))


@hookimpl
def citycard_live_day(context, day, accounts, seed):
    city = context.city
    for account in accounts:
        charge(
            city,
            derived_id("paper", day, account),
            account,
            service="paper",
            partner="kiosk-north",
            list_price_fen=250,
        )
    yield Lived(what="papers ordered", count=len(accounts), amount_fen=250 * len(accounts))
    if seed % 1000 == 999:
        raise LookupError("nobody reads")
