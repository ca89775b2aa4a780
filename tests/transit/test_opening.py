"""What taps name and the city does not know yet is opened."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from citycard import registry
from citycard.city import City
from citycard.ledger import AccountCode
from citycard.store import reading
from citycard_transit.replay import Clockwork, replay, settings_of
from citycard_transit.shenzhen import read_taps
from citycard_transit.words import warned

ROOT = Path(__file__).parents[2]


def test_an_operator_that_nobody_declared_is_not_paid_where_no_account_is_to_be_made_up(
    tmp_path: Path, small_file: Path
) -> None:
    template = (ROOT / "examples" / "shenzhen" / "city.toml").read_text(encoding="utf-8")
    plain = tmp_path / "plain.toml"
    plain.write_text(template.replace('account_prefix = "REPLAY"', ""), encoding="utf-8")
    with closing(City.create(tmp_path / "plain", plain)) as city:
        told = warned(read_taps(small_file), settings_of(city))
        unnamed = [name for name, found, _ in (line.partition(" is no operator") for line in told) if found]
        answer = replay(city, read_taps(small_file), clockwork=Clockwork()).as_json()
        with reading(city.engine) as conn:
            accounts = {one.name: one.account_no for one in registry.partners(conn)}
            owed_fen = sum(city.ledger.balances(conn, AccountCode.PAYABLE_TO_PARTNERS).values())
    assert [accounts[name] for name in unnamed] == ["", ""]
    # They are the only ones in the file, so there is nothing to tell the bank.
    assert answer["bank_file"] is None
    assert 0 < answer["unpaid_fen"] == owed_fen
