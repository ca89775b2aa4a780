"""Sell prepaid credit at a biller's counter: onto the card, in one step with the money.

What the card carries grows by what is bought, its counter by one, and both get the counter's MAC. What the
meter told the card since goes into the record, and with it to the biller.
"""

from __future__ import annotations

from citycard import codec
from citycard.city.till import Asked, Sale, Visit
from citycard.terminal.views import Debit
from citycard_utilities.errors import MeterForeign, PrepaidForged
from citycard_utilities.macs import CardKey, credit_holds, signed_credit, usage_holds
from citycard_utilities.rules import CREDIT
from citycard_utilities.sectors import CreditFacts, Prepaid, sector_name
from citycard_utilities.services import NUMBERS
from citycard_utilities.settings import Biller

__all__ = ["read_prepaid", "sell_credit"]


def sell_credit(biller: Biller, keys: CardKey, meter: str, units: int) -> Asked:
    """Decide at a counter that a card buys hundredths of units for a meter (12 digits).

    The first purchase ties the card to the meter. A tap that was torn before is this purchase only where it
    bought as much for this meter: whoever wants more asks for it again. Raise MeterForeign when the card
    belongs to another one, PrepaidForged when the counter or the meter did not write what it carries.
    """

    def decide(visit: Visit) -> Sale:
        before = read_prepaid(visit, biller, keys)
        if before.biller and (before.biller, before.meter) != (biller.number, meter):
            raise MeterForeign(asn=visit.asn, found=f"{before.biller}/{before.meter}", meter=meter)
        bought = before.year_units if before.year == visit.at.year else 0
        counter = max(before.counter, before.taken) + 1
        carried = 0 if before.taken >= before.counter else before.units
        facts = CreditFacts(
            biller=biller.number,
            meter=meter,
            units=units,
            year_units=bought,
            counter=counter,
            taken=before.taken,
            reading=before.reading,
            left=before.left,
            read_at=before.read_at,
        )
        quote = visit.price(CREDIT, facts)
        after = codec.evolve(
            before,
            biller=biller.number,
            meter=meter,
            counter=counter,
            units=carried + units,
            year=visit.at.year,
            year_units=bought + units,
        )
        after = signed_credit(keys, visit.asn8, after)
        name = sector_name(biller.kind)
        return Sale(service=CREDIT, amount_fen=quote.amount_fen, facts=facts, writes={name: after})

    def again(debit: Debit) -> bool:
        if debit.plan.service != NUMBERS[CREDIT]:
            return False
        bought = debit.plan.read(CreditFacts)
        return (bought.biller, bought.meter, bought.units) == (biller.number, meter, units)

    return Asked(decide, again)


def read_prepaid(visit: Visit, biller: Biller, keys: CardKey) -> Prepaid:
    """Read what a card carries of the biller's kind, with both MACs checked; raise PrepaidForged."""
    record: Prepaid = visit.read(sector_name(biller.kind))
    if not credit_holds(keys, visit.asn8, record):
        raise PrepaidForged(asn=visit.asn, what="credit")
    if not usage_holds(keys, visit.asn8, record):
        raise PrepaidForged(asn=visit.asn, what="a reading")
    return record
