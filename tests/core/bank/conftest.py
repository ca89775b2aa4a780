"""A city's bank side on each database: a ledger with somebody to pay, an account, a bank."""

from __future__ import annotations

import datetime as dt
import importlib.util
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest
from sqlalchemy import Engine

from citycard.bank.calendar import BusinessCalendar
from citycard.bank.context import BankTerms
from citycard.bank.instruction import BankAccount
from citycard.bank.payments import Payment, order_payment
from citycard.clock import FixedClock
from citycard.ids import derived_id, new_id
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, Transfer
from citycard.store import open_store, reading, writing

_SPEC = importlib.util.spec_from_file_location("camtwriter", Path(__file__).with_name("camtwriter.py"))
camtwriter = importlib.util.module_from_spec(_SPEC)
sys.modules["camtwriter"] = camtwriter
_SPEC.loader.exec_module(camtwriter)

DEBTOR = BankAccount(name="城市一卡通有限公司", account="6222000011112222", bic="ICBKCNBJSZN")
METRO, SHOP = "partner/metro/payable", "partner/shop/payable"
DAY = dt.date(2026, 11, 23)


@attrs.define(kw_only=True)
class Treasury:
    """What ``bank.BankContext`` asks for, with a hand for putting money in it."""

    engine: Engine
    folder: Path
    clock: FixedClock
    bank_terms: BankTerms
    ledger: Ledger

    def owe(self, address, amount_fen):
        """Take cash at the desk for somebody the city then owes it to."""
        self.post("trust/bank", address, amount_fen)

    def post(self, debit, credit, amount_fen, code=10):
        moved = Transfer(
            id=new_id(), debit_address=debit, credit_address=credit, amount_fen=amount_fen, code=code,
            event_time=dt.datetime.combine(DAY, dt.time(9)), business_date=DAY,
        )  # fmt: skip
        with writing(self.engine) as conn:
            self.ledger.post_all(conn, [moved])

    def order(self, number, amount_fen, *, source=METRO, creditor="440010001", kind="settlement"):
        payment = Payment(
            id=derived_id("test", number), kind=kind, amount_fen=amount_fen, source=source,
            creditor=BankAccount(name="地铁集团", account=creditor), text=f"payment {number}",
        )  # fmt: skip
        with writing(self.engine) as conn:
            return order_payment(
                conn, self.ledger, payment, event_time=dt.datetime.combine(DAY, dt.time(9)), business_date=DAY
            )

    def balance(self, address):
        with reading(self.engine) as conn:
            return self.ledger.balance_fen(conn, address)

    def audit(self):
        with reading(self.engine) as conn:
            return self.ledger.audit(conn)


@pytest.fixture
def treasury_in():
    def make(store, folder):
        clock = FixedClock(dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC))
        treasury = Treasury(
            engine=store,
            folder=folder,
            clock=clock,
            ledger=Ledger(store, clock),
            bank_terms=BankTerms(debtor=DEBTOR, calendar=BusinessCalendar()),
        )
        with writing(store) as conn:
            treasury.ledger.open_accounts(
                conn,
                [
                    AccountSpec(address="trust/bank", code=1001),
                    AccountSpec(address=METRO, code=2101, owner="metro"),
                    AccountSpec(address=SHOP, code=2101, owner="shop"),
                    AccountSpec(address="agent/kiosk/receivable", code=1101, owner="kiosk"),
                    AccountSpec(address="subsidy/elders", code=2204, owner="elders"),
                ],
            )
        return treasury

    return make


@pytest.fixture
def treasury(store, tmp_path, treasury_in):
    """Return a city's bank side that owes the metro 100,000 fen and the shop 50,000."""
    made = treasury_in(store, tmp_path)
    made.owe(METRO, 100_000)
    made.owe(SHOP, 50_000)
    return made


@pytest.fixture
def bank():
    return camtwriter.Bank(DEBTOR.account, opening=150_000)


@pytest.fixture
def store_copies(request, store, tmp_path):
    """Return a maker of fresh stores, for tests that need one for each example."""
    if store.dialect.name == "sqlite":
        file = request.getfixturevalue("migrated_sqlite")
    else:
        server = request.getfixturevalue("postgresql_server")
        template = request.getfixturevalue("migrated_postgresql")

    @contextmanager
    def make():
        folder = tmp_path / new_id().hex
        folder.mkdir()
        if store.dialect.name == "sqlite":
            shutil.copyfile(file, folder / "city.db")
            url = f"sqlite:///{folder / 'city.db'}"
        else:
            url = server.create_database(template=template)
        engine = open_store(url)
        yield engine, folder
        engine.dispose()
        if store.dialect.name != "sqlite":
            server.drop_database(url)

    return make
