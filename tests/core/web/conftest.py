"""A small town with a park: four cards, two operators, a morning of taps, cleared and paid."""

from __future__ import annotations

import datetime as dt
import importlib.util
import sys
import time
from pathlib import Path

import attrs
import pytest
from starlette.testclient import TestClient

from citycard import registry
from citycard.bank.receiving import receive as take_statement
from citycard.city import City
from citycard.city.accounts import make_programme, make_scheme
from citycard.city.othercities import add_other_city
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.clock import FixedClock
from citycard.ids import derived_id, new_id
from citycard.ledger import AccountSpec
from citycard.store import writing
from citycard.terminal import InProcessReader, Terminal
from citycard.terminal.record import RecordKind, RecordPlan
from citycard.wallet import TRUST_BANK, Accounts, Holds, Programme, Scheme, online_account
from citycard.web import create_app
from citycard.web.limits import Attempts
from citycard.web.permissions import Role
from citycard.web.tables import ensure_tables
from citycard.web.tokens import grant

_SPEC = importlib.util.spec_from_file_location(
    "camtwriter", Path(__file__).parents[1] / "bank" / "camtwriter.py"
)
camtwriter = importlib.util.module_from_spec(_SPEC)
sys.modules["camtwriter"] = camtwriter
_SPEC.loader.exec_module(camtwriter)

SITE = Path(__file__).parent / "data" / "site"
DAY = dt.date(2026, 3, 2)
NOW = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
GATE = 900
HOLD = derived_id("hold of the town")

ACCOUNT = "6200990100000000001"
CITY_TOML = """\
[city]
name = "Haibin"
name_zh = "海滨市"
code = "9901"

[plugins]
allow = ["park"]
enable = ["park"]

[clearing]
fee_bp = 100

[bank]
name = "Haibin City Card Company"
account = "6200990100000000001"
bic = "CITYCNBJXXX"
"""

OPERATORS = {"harbour-ferry": "Harbour Ferry", "park-gates": "Park & <Gates>"}
TERMINALS = {"990100000001": "harbour-ferry", "990100000002": "park-gates"}
CARDS = tuple(f"0310990100000000000{number}" for number in range(1, 5))
# Card, terminal, minutes after six, kind, fen.
TAPS = (
    (0, 0, 3, RecordKind.ENTRY, 0),
    (1, 0, 5, RecordKind.ENTRY, 0),
    (0, 0, 24, RecordKind.EXIT, 350),
    (2, 1, 31, RecordKind.SINGLE, 100),
    (1, 0, 44, RecordKind.EXIT, 275),
    # An exit without an entry: the gate writes an opening first.
    (3, 0, 71, RecordKind.OPENED, 0),
    (3, 0, 71, RecordKind.EXIT, 1200),
    (0, 1, 80, RecordKind.SINGLE, 0),
    (2, 1, 95, RecordKind.SINGLE, 100),
)
LOADED_FEN = 5000
CHARGED_FEN = sum(tap[4] for tap in TAPS)


@attrs.frozen(kw_only=True)
class Town:
    """What was played, for tests to compare with."""

    cards: tuple[str, ...] = CARDS
    day: dt.date = DAY
    now: dt.datetime = NOW
    loaded_fen: int = LOADED_FEN * len(CARDS)
    charged_fen: int = CHARGED_FEN
    taps: tuple[tuple[int, int, int, RecordKind, int], ...] = TAPS
    operators: tuple[str, ...] = tuple(OPERATORS)
    hold: str = str(HOLD)
    programme: str = "meals"

    @property
    def case(self) -> str:
        """Give the exception about the ferry's payment, which is missing at the bank."""
        payment = derived_id("clearing", 1, "payment", "harbour-ferry")
        return str(derived_id("bank", "case", "payment", payment))


@pytest.fixture(scope="session")
def town():
    return Town()


@pytest.fixture(scope="session", autouse=True)
def _park_is_installed():
    sys.path.insert(0, str(SITE))
    yield
    sys.path.remove(str(SITE))


def make_city(folder: Path) -> City:
    template = folder / "template.toml"
    template.write_text(CITY_TOML, encoding="utf-8")
    return City.create(folder / "city", template, clock=FixedClock(NOW))


def play(city: City) -> None:
    """Play the morning through real chips and terminals, and hand the batches in."""
    chips = [city.issuing.chip(asn, "park-pass", DAY) for asn in CARDS]
    with writing(city.engine) as conn:
        registry.add_partners(
            conn,
            [
                registry.Partner(
                    id=name,
                    name=title,
                    account_name=title,
                    account_no="6200990100000100001",
                    bank_bic="CITYCNBJXXX",
                )
                for name, title in OPERATORS.items()
            ],
        )
        registry.add_places(
            conn, [registry.Place(code=7, name="North Pier", line="Ferry", partner="harbour-ferry")]
        )
        registry.add_terminals(
            conn,
            [
                registry.Terminal(number="990100000001", partner="harbour-ferry", place=7, opened_on=DAY),
                registry.Terminal(number="990100000002", partner="park-gates", opened_on=DAY),
            ],
        )
        registry.add_cards(conn, [city.issuing.card(asn, "park-pass", DAY) for asn in CARDS])
    terminals = [Terminal(number, city.sam(number), host=city.desk) for number in TERMINALS]
    six = dt.datetime.combine(DAY, dt.time(6))
    for chip in chips:
        terminals[1].tap(InProcessReader(chip), six).load(LOADED_FEN, six)
    for card, terminal, minutes, kind, amount_fen in TAPS:
        at = six + dt.timedelta(minutes=minutes)
        session = terminals[terminal].tap(InProcessReader(chips[card]), at)
        plan = RecordPlan(kind=kind, service=GATE, list_price_fen=amount_fen)
        debit = (
            session.purchase(amount_fen, at, plan=plan) if amount_fen else session.capp(0, at, (), plan=plan)
        )
        terminals[terminal].record(debit, plan)
    batches = [(f"{one.number}.ccb", one.close_batch(DAY, six)) for one in terminals]
    # The second file comes twice, so that there is something to tell about files too.
    receive(city, [*batches, batches[1]])


def open_account(city):
    """Give the first card an online account, with a hold that was released, and no money in the end."""
    wallet, asn = city.wallet, CARDS[0]
    Accounts(wallet).open(derived_id("account"), asn)
    make_programme(
        city,
        Programme(
            id="meals",
            title="Meals",
            title_zh="餐补",
            funder="Office",
            partners=("park-gates",),
            starts_on=DAY,
            ends_on=DAY,
        ),
    )
    wanted = Scheme(
        partner="park-gates", title="Leaves", title_zh="叶子", points_per_yuan=1, rate_fen=1, valid_days=9
    )
    make_scheme(city, wanted)
    put_in(city, asn, 500)
    Holds(wallet).authorise(HOLD, asn, "harbour-ferry", 500, dt.timedelta(hours=1))
    Holds(wallet).release(derived_id("release"), HOLD)
    move(city, online_account(asn), TRUST_BANK, 500)


def put_in(city, number, amount_fen):
    """Put money into an online account, as a top-up does."""
    move(city, TRUST_BANK, online_account(number), amount_fen)


def move(city, debit, credit, amount_fen):
    moved = city.wallet.transfer(new_id(), debit, credit, amount_fen, 90, ref="test")
    with writing(city.engine) as conn:
        city.ledger.open_accounts(conn, [AccountSpec(address=TRUST_BANK, code=1001)])
        city.ledger.post_all(conn, [moved])


@pytest.fixture(scope="session")
def city(tmp_path_factory, _park_is_installed):
    city = make_city(tmp_path_factory.mktemp("town"))
    play(city)
    open_account(city)
    clear(city)
    add_other_city(
        city, {"code": "9902", "name": "Westport", "name_zh": "西港", "issuers": ("01019902FFFFFFFF",)}
    )
    # A statement of ten days later shows none of the payments: both are missing at the bank.
    take_statement(city, camtwriter.Bank(ACCOUNT).day(DAY + dt.timedelta(days=10)))
    ensure_tables(city.engine)
    yield city
    city.close()


@pytest.fixture
def empty_city(tmp_path, _park_is_installed):
    city = make_city(tmp_path)
    yield city
    city.close()


@pytest.fixture
def played():
    """Give what plays the morning in a city."""
    return play


@pytest.fixture
def waiting_city(empty_city):
    """A city whose batches came in, and no clearing run has looked at them."""
    play(empty_city)
    return empty_city


@pytest.fixture(scope="session")
def tokens(city):
    """One token per role; the partner's is for the ferry, the citizen's for the first card."""
    subjects = {Role.PARTNER: "harbour-ferry", Role.CITIZEN: CARDS[0]}
    with writing(city.engine) as conn:
        return {
            role: grant(conn, role=role, days=1, at=NOW, subject=subjects.get(role, ""))[1]
            for role in Role
            if role is not Role.PUBLIC
        }


@pytest.fixture(scope="session")
def app(city):
    # The limit on attempts has tests of its own; here many failures come from one address.
    return create_app(city, attempts=Attempts(allowed=100_000))


@pytest.fixture(scope="session")
def running(app):
    """The running application, with the plugins' lifespans open."""
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture
def client(running):
    """A client that nobody is behind, and that forgets its cookies afterwards."""
    yield running
    running.cookies.clear()


@pytest.fixture(scope="session")
def bearer(tokens):
    """Give the headers that make a request somebody's."""
    return {role: {"authorization": f"Bearer {secret}"} for role, secret in tokens.items()}


@pytest.fixture
def switch(app, client, city):
    """Switch the park on or off, and wait until the running server has followed."""

    def to(state):
        (city.plugins.enable if state == "enabled" else city.plugins.disable)("park", by="the test")
        for _ in range(100):
            app.state.web.switchboard._followed = 0.0
            client.get("/park/plain")
            if city.plugins.report("park").state.value == state:
                return
            time.sleep(0.02)
        pytest.fail(f"the park is not {state}")

    yield to
    to("enabled")


@pytest.fixture
def browser(client):
    """The same client with a browser's headers."""
    client.headers["accept"] = "text/html,application/xhtml+xml"
    yield client
    client.headers["accept"] = "*/*"


@pytest.fixture(scope="session")
def operator(bearer):
    return bearer[Role.OPERATOR]
