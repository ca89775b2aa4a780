"""What many callers send at the same time: calls with everything in them, each made from its number alone.

Even numbers pay, hold and limit, the odd number after one ends and takes back what that one began. So any
process can send any call, send it again, or end what another process began. Numbers from ``PAYMENT`` on do
nothing but pay.
"""

from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

from citycard.ids import derived_id
from citycard.ledger import AccountSpec, Kind, Limit, Transfer, capture, release, reversal

PAYMENT = 1 << 41
AT, DAY = datetime(2018, 9, 1, 8, 30), date(2018, 9, 1)
PAYERS = [f"online/{number}" for number in range(1, 6)]
ACCOUNTS = [
    AccountSpec(address="bank", code=1001),
    *(AccountSpec(address=one, code=2002, guard="dr<=cr") for one in PAYERS),
    AccountSpec(address="shop", code=2101),
    AccountSpec(address="points/given", code=8001, currency="PTS"),
    AccountSpec(address="points/1", code=8002, currency="PTS", guard="dr<=cr"),
]


def call(number, start):
    """Give the transfers of a call; ``start`` is when the run began, from which holds expire."""
    if number >= PAYMENT:
        dice = Random(number)
        return [_move(number, 0, dice.choice(["bank", *PAYERS]), "shop", dice.randint(1, 15))]
    began = _beginning(number & ~1, start)
    return _end(number, began) if number & 1 else began


def _beginning(number, start):
    dice = Random(number)
    payer = dice.choice(PAYERS)
    together = derived_id("group", number) if dice.random() < 0.3 else None
    limit = Limit(key=f"{payer}/{dice.randrange(50)}", max_fen=60, max_count=4)
    made = [_move(number, 0, "bank", payer, dice.randint(1, 20), group=together)]
    for place in range(1, dice.randint(1, 5)):
        kind = dice.choice([Kind.SINGLE, Kind.PENDING, Kind.PENDING])
        expires_at = start + timedelta(seconds=dice.randrange(60)) if dice.random() < 0.3 else None
        more = {"kind": kind, "expires_at": expires_at if kind is Kind.PENDING else None}
        target = dice.choice(["shop", "shop", "shop", "nowhere", "points/1"])
        limits = (limit,) if dice.random() < 0.5 else ()
        made.append(
            _move(number, place, payer, target, dice.randint(1, 15), group=together, limits=limits, **more)
        )
    return made


def _end(number, began):
    dice = Random(number)
    made = []
    for place, one in enumerate(began):
        given = {"id": derived_id("transfer", number, place), "event_time": AT, "business_date": DAY}
        if one.kind is Kind.PENDING and dice.random() < 0.6:
            made.append(capture(one, **given, amount_fen=dice.randint(1, one.amount_fen)))
        elif one.kind is Kind.PENDING:
            made.append(release(one, **given))
        else:
            made.append(reversal(one, **given, code=90, amount_fen=dice.randint(1, one.amount_fen)))
    return made


def _move(number, place, debit, credit, fen, **more):
    given = {"debit_address": debit, "credit_address": credit, "amount_fen": fen, "code": 20}
    identity: UUID = derived_id("transfer", number, place)
    return Transfer(id=identity, **given, event_time=AT, business_date=DAY, **more)
