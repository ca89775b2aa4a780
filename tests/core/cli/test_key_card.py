"""``citycard key update-card`` brings new keys onto a card, once, and says so."""

import datetime as dt
import json

import pytest
from click.testing import CliRunner

from citycard import registry
from citycard.card import CardProduct, allocate
from citycard.chip import personalise, prepare_blank
from citycard.city import City
from citycard.cli.cardfile import chip_file, write_card_file
from citycard.cli.key import group
from citycard.store import reading, writing

ASN, ISSUER = "03105170070104791381", "01019901FFFFFFFF"
PRODUCT = CardProduct(name="adult", kind=1)
START, END = dt.date(2026, 1, 1), dt.date(2036, 1, 1)


@pytest.fixture
def place(found_city, tmp_path):
    """Return a folder with a city that has rolled its purse keys, and a card of before."""
    (tmp_path / "template.toml").write_text('[city]\nname = "Haibin"\ncode = "9901"\n')
    city = found_city(tmp_path / "city", tmp_path / "template.toml")
    chip = prepare_blank(allocate(PRODUCT, [])).clone()
    keys = city.vault.card_keys(bytes.fromhex(ASN)[-8:])
    personalise(chip, asn=ASN, issuer=ISSUER, product=PRODUCT, keys=keys, start=START, expiry=END)
    write_card_file(tmp_path / "card", chip_file(chip, "t-union"))
    city.vault.roll("purchase")
    city.close()
    return tmp_path


def update(place, *more) -> str:
    arguments = ["update-card", "--image", place / "card", "--city", place / "city", "--by", "desk", *more]
    done = CliRunner().invoke(group, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_card_gets_the_new_keys_once(place):
    assert json.loads(update(place, "--json")) == {"asn": ASN, "before": 1, "after": 2}
    assert update(place) == f"card {ASN} has version 2 already\n"


def test_the_cards_history_says_which_keys_it_has(place):
    city = City.open(place / "city")
    with writing(city.engine) as conn:
        registry.add_products(conn, [registry.Product(name="adult", title="Adult", kind=1)])
        version = registry.ProductVersion(product="adult", version=1, layout="{}")
        registry.add_product_versions(conn, [version])
        card = registry.Card(
            asn=ASN,
            issuer=ISSUER,
            product="adult",
            product_version=1,
            kind=1,
            issued_on=START,
            expires_on=END,
        )
        registry.add_cards(conn, [card])
    assert update(place) == f"card {ASN}: version 1 became 2\n"
    update(place)
    with reading(city.engine) as conn:
        events = registry.card_events(conn, ASN)
    assert [(one.what, one.detail, one.actor) for one in events] == [("keys", "2", "desk")]
    city.close()
