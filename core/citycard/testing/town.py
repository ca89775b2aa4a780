"""A town for tests of plugins: real chips, tills, ledger, clearing and pages, and a clock that stands still.

town = Town.make(tmp_path, domains=["zoo"], settings={"zoo": {"ticket_fen": 1500}})
town.partner("zoo", kind="leisure")
till, card = town.till(town.terminal("zoo")), town.card()
town.load(card, 5000)
till.serve(card.reader, town.now, decide)
town.clear(till)
assert town.statement("zoo").net_fen == 1500
town.check_books()
"""

from __future__ import annotations

import datetime as dt
import os
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import attrs

from citycard import registry
from citycard.card import CardProduct
from citycard.chip import Chip
from citycard.city import City
from citycard.city.accounts import open_account, shadows
from citycard.city.floatview import float_statement
from citycard.city.handheld import Handheld
from citycard.city.loading import DomainLoading
from citycard.city.office import Office
from citycard.city.till import Till
from citycard.clearing import clear, receive, statement_of
from citycard.clock import FixedClock
from citycard.ids import derived_id
from citycard.kernel.discovery import find
from citycard.ledger import AccountSpec
from citycard.pcsc.reading import read_card
from citycard.store import reading, writing
from citycard.terminal import InProcessReader
from citycard.terminal.updating import update_card
from citycard.wallet import TRUST_BANK, online_account

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from citycard.clearing import RunReport, Statement

__all__ = ["TOGETHER", "Town", "TownCard"]

#: An environment variable: where it is set, every plugin that is installed is on in every town, in an order
#: that its value gives, so that a plugin's tests are tried beside all others.
TOGETHER = "CITYCARD_TEST_TOGETHER"
MORNING = dt.datetime(2026, 3, 2, 0, 0, tzinfo=dt.UTC)
DESK = "990199999999"
_OPENED = dt.date(2026, 1, 1)
_TOP_UP = 103

_CITY = """\
[city]
name = "Haibin"
name_zh = "海滨市"
code = "9901"

[[districts]]
id = "old-town"
name = "Old Town"
name_zh = "老城区"

[[districts]]
id = "harbour"
name = "Harbour"
name_zh = "港区"

[bank]
name = "Haibin City Card Company"
account = "6200990100000000001"
bic = "CITYCNBJXXX"

[[cards.products]]
name = "citizen"
title = "Citizen card"
title_zh = "市民卡"
kind = 17

[plugins]
"""


@attrs.frozen(kw_only=True)
class TownCard:
    """A card of the town: its number, its chip, and the reader that it lies on."""

    asn: str
    chip: Chip
    reader: InProcessReader


class Town:
    """A city of tests. ``now`` is its local time, which ``pass_time`` moves on; ``close`` it at the end."""

    def __init__(self, city: City, clock: FixedClock) -> None:
        self.city, self._clock = city, clock
        self.cards: list[TownCard] = []
        self._terminals = 0
        self._puts = 0
        self._handed_in = 0

    @classmethod
    def make(
        cls,
        folder: Path,
        domains: Sequence[str] = (),
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        enable: Sequence[str] | None = None,
        more: str = "",
        hierarchies: Iterable[str] = (),
    ) -> Self:
        """Make a city in ``folder`` with these plugins on, in the order given.

        ``settings`` are those of ``[plugins.<name>]``; ``enable`` switches on fewer than are allowed;
        ``more`` is added to its ``city.toml``; a vault is made for each of ``hierarchies``.
        """
        allowed, wanted = list(domains), list(domains if enable is None else enable)
        if seed := os.environ.get(TOGETHER):
            allowed, wanted = _together(allowed, wanted, all_of_them=enable is None, seed=seed)
        template = folder / "template.toml"
        content = f"allow = {_toml(allowed)}\nenable = {_toml(wanted)}\n"
        for name, section in (settings or {}).items():
            content += f"{name} = {_toml(section)}\n"
        template.write_text(f"{_CITY}{content}\n{more}\n", encoding="utf-8")
        return cls.of(folder, template, hierarchies=hierarchies)

    @classmethod
    def of(
        cls, folder: Path, config: Path, *, domains: Sequence[str] = (), hierarchies: Iterable[str] = ()
    ) -> Self:
        """Make the city of a ``city.toml`` in ``folder``, with a vault for each of ``hierarchies``.

        ``domains`` are the plugins that are on; those of the file when left out.
        """
        if domains:
            wanted = rf"\1 = {_toml(list(domains))}"
            text = re.sub(r"(?m)^(allow|enable) = .*$", wanted, config.read_text(encoding="utf-8"))
            config = folder / "narrowed.toml"
            config.write_text(text, encoding="utf-8")
        clock = FixedClock(MORNING)
        city = City.create(folder / "town", config, clock=clock)
        for name in hierarchies:
            city.create_hierarchy(name)
        town = cls(city, clock)
        town.partner("city-desk", kind="desk")
        town.terminal("city-desk", number=DESK)
        return town

    @property
    def now(self) -> dt.datetime:
        """The town's local time."""
        return self.city.now_local()

    def pass_time(self, time: dt.timedelta) -> dt.datetime:
        """Let time pass, and return the town's local time."""
        self._clock.moment += time
        return self.now

    def close(self) -> None:
        """Let go of store and keys."""
        self.city.close()

    # ── who takes part ───────────────────────────────────────────────────────────────────────────

    def partner(self, name: str, *, kind: str = "shop", district: str | None = None) -> str:
        """Register a partner with a bank account; again without harm."""
        account_no = f"62009901{derived_id('partner', name).int % 10**11:011d}"
        with writing(self.city.engine) as conn:
            if all(known.id != name for known in registry.partners(conn)):
                made = registry.Partner(
                    id=name,
                    name=name.replace("-", " ").title(),
                    kind=kind,
                    account_name=name.replace("-", " ").title(),
                    account_no=account_no,
                    bank_bic="CITYCNBJXXX",
                    district=district,
                )
                registry.add_partners(conn, [made])
        return name

    def terminal(self, partner: str, *, number: str = "") -> str:
        """Register a terminal of a partner, and return its number."""
        self._terminals += not number
        number = number or f"9901{self._terminals:08d}"
        with writing(self.city.engine) as conn:
            registry.add_terminals(
                conn, [registry.Terminal(number=number, partner=partner, opened_on=_OPENED)]
            )
        return number

    def till(self, number: str) -> Till:
        """Work as a terminal that is registered."""
        return Till(self.city, number)

    # ── cards and money ──────────────────────────────────────────────────────────────────────────

    def card(self, product: str = "citizen") -> TownCard:
        """Issue a card, whose first day is today."""
        asn, today = f"0101990100{len(self.cards) + 1:010d}", self.now.date()
        chip = self.city.issuing.chip(asn, product, today)
        with writing(self.city.engine) as conn:
            registry.add_cards(conn, [self.city.issuing.card(asn, product, today)])
        made = TownCard(asn=asn, chip=chip, reader=InProcessReader(chip))
        self.cards.append(made)
        return made

    def guest(self) -> TownCard:
        """Issue a card of a neighbour, under keys that both have; tills serve it after ``refresh``."""
        issuer, asn, today = "01019902FFFFFFFF", "01019902000000000001", self.now.date()
        # Kind 1 is known in every city.
        product, own = CardProduct(name="guest", title="Guest", kind=1), self.city.config
        theirs = attrs.evolve(
            own,
            city=attrs.evolve(own.city, issuer=issuer),
            cards=attrs.evolve(own.cards, products=(product,)),
        )
        neighbour = City(self.city.folder, theirs)
        chip = neighbour.issuing.chip(asn, product.name, today)
        neighbour.close()
        listed = registry.OtherCity(code="9902", name="Next", issuers=(issuer,), valid_from=today)
        with writing(self.city.engine) as conn:
            registry.add_city(conn, listed)
        return TownCard(asn=asn, chip=chip, reader=InProcessReader(chip))

    def load(self, card: TownCard, amount_fen: int) -> int:
        """Load a card's purse at the city's desk, and return what is on it."""
        with Handheld(self.city, DESK) as desk:
            return desk.load(card.reader, amount_fen).balance_after_fen

    def account(self, card: TownCard, amount_fen: int = 0) -> str:
        """Open the online account of a card, put money into it, and return its number."""
        number = open_account(self.city, derived_id("account", card.asn), card.asn).number
        self._puts += 1
        if amount_fen:
            with writing(self.city.engine) as conn:
                self.city.ledger.open_accounts(conn, [AccountSpec(address=TRUST_BANK, code=1001)])
                put = self.city.wallet.transfer(
                    derived_id("put", number, self._puts),
                    TRUST_BANK,
                    online_account(number),
                    amount_fen,
                    _TOP_UP,
                    ref="town",
                )
                self.city.ledger.post_all(conn, [put])
        return number

    def update(self, card: TownCard) -> tuple[str, ...]:
        """Give a card the sectors of domains that came later, and return which it got."""
        host = DomainLoading(self.city, actor="town")
        return update_card(card.reader, host, profile=self.city.issuing.profile).added

    def report_lost(self, card: TownCard) -> None:
        """Report a card lost and publish the list; a till knows it after ``refresh``."""
        Office(self.city, "town").lost(card.asn)
        with writing(self.city.engine) as conn:
            registry.publish_blacklist(conn, at=self.city.clock.now())

    def balance_fen(self, card: TownCard) -> int:
        """Read what is on a card's purse."""
        return read_card(card.reader).purses[0].balance_fen or 0

    # ── the end of the day ───────────────────────────────────────────────────────────────────────

    def hand_in(self, *tills: Till) -> None:
        """Close the batches of tills and give them to clearing."""
        folder = self.city.folder / "handed-in"
        folder.mkdir(exist_ok=True)
        paths = []
        for till in tills:
            content = till.close(self.now.date(), self.now)
            if content is not None:
                self._handed_in += 1
                paths.append(folder / f"{till.number}-{self._handed_in:06d}.ccb")
                paths[-1].write_bytes(content)
        if paths:
            report = receive(self.city, paths)
            assert all(str(file.state) == "accepted" for file in report.files), report.files

    def clear(self, *tills: Till) -> RunReport:
        """Hand in the batches of tills, clear all that came in, and tell plugins the events that wait."""
        self.hand_in(*tills)
        report = clear(self.city)
        self.city.deliver()
        return report

    def statement(self, partner: str) -> Statement:
        """Return a partner's statement of the last run that had it."""
        return statement_of(self.city, partner)

    def check_books(self) -> None:
        """Assert that the ledger is whole, the float balances, and the books say what is on every card."""
        with reading(self.city.engine) as conn:
            assert self.city.ledger.audit(conn) == []
        assert float_statement(self.city).difference_fen == 0
        booked = {shadow.asn: shadow.balance_fen for shadow in shadows(self.city)}
        for card in self.cards:
            assert self.balance_fen(card) == booked.get(card.asn, 0), card.asn

    def live_day(self, domain: str, accounts: Sequence[str]) -> dict[str, int]:
        """Let citizens use a domain online for a day, and run its jobs; give how often what was done.

        Assert that nothing of the domain failed.
        """
        noon = dt.datetime.combine(self.now.date(), dt.time(12))
        self.pass_time(max(noon - self.now, dt.timedelta()))
        before = self.city.plugins.report(domain).failures
        lived = self.city.plugins.live_day(self.now.date(), accounts, 1, [domain])[domain]
        self.city.deliver()
        for owned in self.city.plugins.jobs():
            if owned.owner.plugin == domain:
                self.city.plugins.run_job(f"{domain}.{owned.record.name}")
        report = self.city.plugins.report(domain)
        assert report.failures == before, report
        return {one.what: one.count for one in lived}

    # ── pages ────────────────────────────────────────────────────────────────────────────────────

    def client(self, role: str = "operator", subject: str = "") -> TestClient:
        """Give a client of the endpoints and pages with the token of a role; ``public`` has none."""
        from starlette.testclient import TestClient

        from citycard.web import Role, create_app
        from citycard.web.tables import ensure_tables
        from citycard.web.tokens import grant

        ensure_tables(self.city.engine)
        client = TestClient(create_app(self.city), raise_server_exceptions=False)
        if role != Role.PUBLIC:
            with writing(self.city.engine) as conn:
                _, token = grant(
                    conn, role=Role(role), days=30, at=self.city.clock.now(), subject=subject, label="town"
                )
            client.headers["authorization"] = f"Bearer {token}"
        return client


def _together(
    allowed: list[str], wanted: list[str], *, all_of_them: bool, seed: str
) -> tuple[list[str], list[str]]:
    """Allow every plugin that is installed and switch them all on, in the order that a seed gives."""
    installed = [found.owner.plugin for found in find()]
    allowed = sorted({*allowed, *installed})
    wanted = list(allowed) if all_of_them else wanted
    random.Random(seed).shuffle(wanted)  # noqa: S311 - an order, not a secret
    return allowed, wanted


def _toml(value: Any) -> str:
    """Write a plain value as TOML on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f'"{key}" = {_toml(item)}' for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'
