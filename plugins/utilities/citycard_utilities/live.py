"""A day of bills in a simulated city (docs/simulate.md): billers send, citizens pay, let collect, or wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from citycard import Lived, derived_id
from citycard.money import yuan
from citycard_utilities.households import keep_household
from citycard_utilities.importing import take_file
from citycard_utilities.mandates import make_mandate
from citycard_utilities.paying import pay_bill
from citycard_utilities.settings import UtilitySettings

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["live_day"]

_DUE = dt.timedelta(days=3)
_BILLS_FEN = (2150, 4680, 8890, 12_340)
_PAYS_TWO_OF = 3


def live_day(city: City, settings: UtilitySettings, day: dt.date, accounts: Sequence[str]) -> Iterator[Lived]:
    """Let every biller send its bills of a day; the first citizen pays the first and lets the rest collect.

    Of the others two in three pay at once. The same day again changes nothing.
    """
    sent = paid = paid_fen = mandates = 0
    for turn, biller in enumerate(settings.billers):
        lines = [_line(day, place, turn) for place in range(len(accounts))]
        content = "\n".join(["bill,household,amount,due", *(",".join(line) for line in lines)])
        total_fen = sum(_amount_fen(place, turn) for place in range(len(accounts)))
        content += f"\nend,{len(lines)},{yuan(total_fen)}\n"
        report = take_file(
            city, settings, biller.id, content.encode(), file=f"{biller.id}-{day}.csv", actor="simulated"
        )
        sent += report.added
        for place, asn in enumerate(accounts):
            keep_household(city, settings, asn, biller.id, _household(place))
            if place == 0 and turn:
                identity = derived_id("simulated mandate", biller.id, asn)
                make_mandate(city, settings, identity, asn, biller.id, _household(place), actor="simulated")
                mandates += 1
            elif place % _PAYS_TWO_OF != _PAYS_TWO_OF - 1:
                identity = derived_id("simulated bill", biller.id, day, asn)
                pay_bill(city, settings, identity, asn, biller.id, _bill(day, place))
                paid += 1
                paid_fen += _amount_fen(place, turn)
    yield Lived(what="bills sent", count=sent)
    yield Lived(what="bills paid", count=paid, amount_fen=paid_fen)
    yield Lived(what="mandates given", count=mandates)


def _line(day: dt.date, place: int, turn: int) -> tuple[str, ...]:
    due = (day + _DUE).isoformat()
    return (_bill(day, place), _household(place), yuan(_amount_fen(place, turn)), due)


def _bill(day: dt.date, place: int) -> str:
    return f"{day:%y%m%d}{place:04d}"


def _household(place: int) -> str:
    return f"H{place + 1:05d}"


def _amount_fen(place: int, turn: int) -> int:
    return _BILLS_FEN[(place + turn) % len(_BILLS_FEN)] + 10 * place
