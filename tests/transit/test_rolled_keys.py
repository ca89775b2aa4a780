"""A running city whose purse keys were rolled to AES or SM4: issuing, desk, gate and clearing's TAC check."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from citycard.city import City
from citycard.errors import PurseAlgorithmNotAllowed
from citycard.keys import Algorithm
from citycard.terminal import InProcessReader, Terminal

EXAMPLE = Path(__file__).parents[2] / "examples" / "morning" / "city.toml"
AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
GATE = "300089000340"
OLD, NEW = "03105170070104791381", "03105170070104791399"


def pay(city: City, chip) -> int:
    """Load, pay, let the vault check the TAC, and return the key version."""
    terminal = Terminal(GATE, city.sam(GATE), host=city.desk)
    terminal.tap(InProcessReader(chip), AT).load(1000, AT)
    debit = terminal.tap(InProcessReader(chip), AT).capp(385, AT, ())
    assert city.vault.check_purchase_tac(
        asn8=bytes.fromhex(debit.asn)[-8:],
        key_version=debit.key_version,
        amount_fen=385,
        tti=debit.tti,
        terminal6=bytes.fromhex(GATE),
        serial=debit.terminal_serial,
        datetime7=bytes.fromhex(f"{AT:%Y%m%d%H%M%S}"),
        tac4=debit.tac,
    )
    return debit.key_version


@pytest.mark.parametrize("name", ["aes", "sm4"])
def test_new_and_old_cards_pay_after_the_roll(tmp_path, name):
    template = tmp_path / "template.toml"
    template.write_text(f'{EXAMPLE.read_text(encoding="utf-8")}\n[cards]\nalgorithms = ["{name}"]\n')
    city = City.create(tmp_path / "city", template)
    product = city.issuing.products()[0].name
    old = city.issuing.chip(OLD, product, AT.date())
    assert pay(city, old) == 1
    city.vault.roll("purchase", Algorithm[name.upper()])
    new = city.issuing.chip(NEW, product, AT.date())
    assert [pay(city, chip) for chip in (new, old)] == [2, 1]
    assert pay(city, city.issuing.restored(new.image())) == 2
    city.close()


def test_a_city_that_names_no_algorithm_issues_no_card_it_could_not_serve(tmp_path):
    city = City.create(tmp_path / "city", EXAMPLE)
    product = city.issuing.products()[0].name
    city.vault.roll("purchase", Algorithm.SM4)
    with pytest.raises(PurseAlgorithmNotAllowed, match=r"city\.toml"):
        city.issuing.chip(NEW, product, AT.date())
    city.close()
