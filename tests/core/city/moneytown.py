"""A city without plugins on any database, and a way to break its work off at any statement."""

import datetime as dt
import shutil
from contextlib import contextmanager

from sqlalchemy import event

from citycard.city import City
from citycard.clock import FixedClock
from citycard.ids import new_id
from citycard.ledger import AccountSpec, Transfer
from citycard.store import reading, writing
from citycard.wallet.online import open_account

CITY = """\
[city]
name = "Money town"
code = "9901"
"""
DAY = dt.date(2018, 9, 1)
MORNING = dt.datetime(2018, 9, 1, 4, 0, tzinfo=dt.UTC)
CODES = {"trust": 1001, "provider": 1104, "agent": 1101, "control": 9001, "partner": 2101, "card": 2001}


def made_city(folder, url):
    (folder / "template.toml").write_text(CITY + f'[store]\nurl = "{url}"\n')
    return City.create(folder / "town", folder / "template.toml", clock=FixedClock(MORNING))


def opened_copy(made, folder, url):
    """Open a copy of the folder of a city, whose store was copied to the URL."""
    shutil.copytree(made / "town", folder / "town")
    (folder / "town" / "city.toml").write_text(CITY + f'[store]\nurl = "{url}"\n')
    return City.open(folder / "town", clock=FixedClock(MORNING))


def code_of(address):
    kind, _, rest = address.partition("/")
    return 2002 if rest.endswith("/online") else 2203 if rest.endswith("/refund") else CODES[kind]


def move(city, debit, credit, amount_fen, code=10, **more):
    """Post a transfer between accounts that are opened as they are needed, and return it."""
    made = Transfer(
        id=new_id(),
        debit_address=debit,
        credit_address=credit,
        amount_fen=amount_fen,
        code=code,
        event_time=city.now_local(),
        business_date=DAY,
        **more,
    )
    with writing(city.engine) as conn:
        city.ledger.open_accounts(
            conn,
            [
                AccountSpec(address=one, code=code_of(one))
                for one in (debit, credit)
                if not one.endswith("/online")
            ],
        )
        for one in (debit, credit):
            if one.endswith("/online"):
                open_account(conn, city.ledger, one.split("/")[1], at=city.clock.now())
        city.ledger.post_all(conn, [made])
    return made


def balances(city):
    """Give every balance that is not zero, by address, and what is held."""
    with reading(city.engine) as conn:
        assert city.ledger.audit(conn) == []
        codes = [line.code for line in city.ledger.trial_balance(conn).lines]
        found = {}
        for code in codes:
            found |= city.ledger.balances(conn, code)
    return {address: fen for address, fen in found.items() if fen}


class BrokenOff(Exception):
    """The power went."""


@contextmanager
def breaking(engine, number):
    """Let the statement with this number, counted from 1, fail; give how many there were."""
    counted = [0]

    def count(*_):
        counted[0] += 1
        if counted[0] == number:
            raise BrokenOff

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield counted
    finally:
        event.remove(engine, "before_cursor_execute", count)


def broken_off_everywhere(city, work):
    """Break work off at every statement, one after the other, then do it; return how often it broke."""
    before, number = balances(city), 0
    while True:
        number += 1
        with breaking(city.engine, number) as counted:
            try:
                work()
            except BrokenOff:
                pass
            else:
                assert counted[0] < number
                return number - 1
        assert balances(city) == before
