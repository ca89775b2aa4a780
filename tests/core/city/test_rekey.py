"""A live card gets new purse keys, and pays and loads whatever happens in between."""

import datetime as dt

import pytest

from citycard import registry
from citycard.card import CardProduct, allocate
from citycard.chip import Chip, personalise, prepare_blank
from citycard.city import City
from citycard.city.keyuse import key_use, note_rekeyed
from citycard.city.rekey import rekey
from citycard.errors import CardRemoved, PurseAlgorithmNotAllowed, RekeyRefused
from citycard.keys import Algorithm
from citycard.store import writing
from citycard.terminal import InProcessReader, Terminal

ASN, OTHER = "03105170070104791381", "03105170070104791399"
ISSUER = "01019901FFFFFFFF"
GATE = "300089000340"
AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
PRODUCT = CardProduct(name="adult", kind=1)


@pytest.fixture
def city(tmp_path):
    template = tmp_path / "template.toml"
    template.write_text('[city]\nname = "Haibin"\ncode = "9901"\n')
    city = City.create(tmp_path / "city", template)
    yield city
    city.close()


@pytest.fixture
def issue(city):
    blank = prepare_blank(allocate(PRODUCT, []))

    def make(asn=ASN):
        chip = blank.clone()
        keys = city.vault.card_keys(bytes.fromhex(asn)[-8:])
        days = {"start": dt.date(2026, 1, 1), "expiry": dt.date(2036, 1, 1)}
        personalise(chip, asn=asn, issuer=ISSUER, product=PRODUCT, keys=keys, **days)
        return chip

    return make


def use(city, chip) -> tuple[int, bool]:
    """Load and pay; return the card's key version, and whether clearing takes the TAC."""
    terminal = Terminal(GATE, city.sam(GATE), host=city.desk)
    terminal.tap(InProcessReader(chip), AT).load(1000, AT)
    debit = terminal.tap(InProcessReader(chip), AT).capp(385, AT, ())
    answers = [
        city.vault.check_purchase_tac(
            bytes.fromhex(debit.asn)[-8:],
            row.version,
            385,
            debit.tti,
            bytes.fromhex(GATE),
            debit.terminal_serial,
            bytes.fromhex(f"{AT:%Y%m%d%H%M%S}"),
            debit.tac,
        )
        for row in city.vault.versions()
        if row.purpose == "tac"
    ]
    return debit.key_version, any(answers)


def test_old_and_new_cards_pay_at_one_terminal_and_the_old_one_gets_new_keys(city, issue):
    old = issue()
    city.vault.roll("purchase")
    new = issue(OTHER)
    assert [use(city, chip) for chip in (old, new)] == [(1, True), (2, True)]
    done = rekey(InProcessReader(old), city.vault)
    assert (done.asn, done.before, done.after) == (ASN, 1, 2)
    city.vault.retire("purchase", 1)
    assert [use(city, chip) for chip in (old, new)] == [(2, True), (2, True)]


def test_a_card_with_current_keys_is_not_written(city, issue):
    chip = issue()
    before = chip.image()
    done = rekey(InProcessReader(chip), city.vault)
    assert (done.before, done.after) == (1, 1)
    assert before == chip.image()


@pytest.mark.parametrize("torn", [0, 5])
def test_a_card_taken_away_at_any_write_pays_loads_and_gets_the_rest_later(city, issue, torn):
    chips = [issue(f"0310517007010479{number:04d}") for number in range(60)]
    city.vault.roll("purchase")
    for cuts, chip in enumerate(chips):
        chip.eeprom.cut_after(cuts, torn=torn)
        try:
            rekey(InProcessReader(chip), city.vault)
        except CardRemoved:
            card = Chip.from_image(chip.image(), chip.profile)
        else:
            break
        version, good = use(city, card)
        assert (version in {1, 2}, good) == (True, True)
        rekey(InProcessReader(card), city.vault)
        assert use(city, card) == (2, True)
        assert rekey(InProcessReader(card), city.vault).before == 2
    assert 12 <= cuts < len(chips) - 1


def test_a_card_under_an_older_master_key_is_known_too(city, issue):
    chip = issue()
    city.vault.roll("purchase")
    city.vault.roll("authentication")
    assert rekey(InProcessReader(chip), city.vault).after == 2
    assert use(city, chip) == (2, True)


def test_a_card_of_another_city_refuses_and_keeps_its_tries(city, issue, tmp_path):
    template = tmp_path / "template.toml"
    other = City.create(tmp_path / "other", template)
    chip = issue()
    other.vault.roll("purchase")
    with pytest.raises(RekeyRefused, match="EXTERNAL AUTHENTICATE with 63C2"):
        rekey(InProcessReader(chip), other.vault)
    assert use(city, chip) == (1, True)
    other.close()


def test_keys_with_which_the_card_cannot_compute_are_not_written(city, issue):
    chip = issue()
    city.vault.roll("purchase", Algorithm.AES)
    with pytest.raises(PurseAlgorithmNotAllowed):
        rekey(InProcessReader(chip), city.vault)
    assert use(city, chip) == (1, True)


def test_the_city_knows_how_many_cards_may_need_a_version(city, issue):
    with writing(city.engine) as conn:
        registry.add_products(conn, [registry.Product(name="adult", title="Adult", kind=1)])
        registry.add_product_versions(
            conn, [registry.ProductVersion(product="adult", version=1, layout="{}")]
        )
        registry.add_cards(
            conn,
            [
                registry.Card(
                    asn=asn,
                    issuer=ISSUER,
                    product="adult",
                    product_version=1,
                    kind=1,
                    issued_on=AT.date(),
                    expires_on=dt.date(2036, 1, 1),
                )
                for asn in (ASN, OTHER)
            ],
        )
    chip = issue()
    city.vault.roll("purchase")
    assert [key_use(city).of(version) for version in (1, 2)] == [2, 2]
    for _ in range(2):
        note_rekeyed(city, rekey(InProcessReader(chip), city.vault), actor="desk")
    found = key_use(city)
    assert (found.noted, found.unknown, found.of(1), found.of(2)) == ({2: 1}, 1, 1, 2)
