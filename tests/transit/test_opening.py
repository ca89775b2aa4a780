"""What taps name and the city does not know yet is opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from citycard import registry
from citycard.city import City
from citycard.ledger import AccountCode
from citycard.store import reading, writing
from citycard_transit.replay import Clockwork, replay, settings_of
from citycard_transit.shenzhen import read_taps
from citycard_transit.words import warned

ROOT = Path(__file__).parents[2]


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[City]:
    """Where no account is made up for operators that nobody declared."""
    template = (ROOT / "examples" / "shenzhen" / "city.toml").read_text(encoding="utf-8")
    file = tmp_path / "plain.toml"
    file.write_text(template.replace('account_prefix = "REPLAY"', ""), encoding="utf-8")
    with closing(City.create(tmp_path / "plain", file)) as city:
        yield city


def test_an_operator_that_nobody_declared_is_not_paid_where_no_account_is_to_be_made_up(
    plain: City, small_file: Path
) -> None:
    told = warned(read_taps(small_file), settings_of(plain))
    unnamed = [name for name, found, _ in (line.partition(" is no operator") for line in told) if found]
    answer = replay(plain, read_taps(small_file), clockwork=Clockwork()).as_json()
    with reading(plain.engine) as conn:
        accounts = {one.name: one.account_no for one in registry.partners(conn)}
        owed_fen = sum(plain.ledger.balances(conn, AccountCode.PAYABLE_TO_PARTNERS).values())
    assert [accounts[name] for name in unnamed] == ["", ""]
    # They are the only ones in the file, so there is nothing to tell the bank.
    assert answer["bank_file"] is None
    assert 0 < answer["unpaid_fen"] == owed_fen


def test_what_an_earlier_run_left_owed_is_not_counted_when_a_later_one_pays_it(
    plain: City, small_file: Path, tmp_path: Path
) -> None:
    first = replay(plain, read_taps(small_file), clockwork=Clockwork()).as_json()
    with writing(plain.engine) as conn:
        for number, one in enumerate(registry.partners(conn)):
            account = {
                "account_no": f"622258{number:010}",
                "account_name": one.name,
                "bank_bic": "CITYCNBJXXX",
            }
            registry.change_partner(conn, one.id, account, reason="its contract")
    later = tmp_path / "later.csv"
    later.write_text(
        small_file.read_text(encoding="utf-8").split("\n")[0]
        + "\nAAAAAAAAC,2018-09-01 18:01:00,巴士,100,200,900000003,乙巴士,7路,B-1,0,2018-09-01 00:00:00\n",
        encoding="utf-8",
    )
    second = replay(plain, read_taps(later), clockwork=Clockwork()).as_json()
    assert (first["settled_fen"], second["settled_fen"]) == (0, 100 - second["fees_fen"])
    assert first["unpaid_fen"] > 0 == second["unpaid_fen"]
    with reading(plain.engine) as conn:
        assert sum(plain.ledger.balances(conn, AccountCode.PAYABLE_TO_PARTNERS).values()) == 0
