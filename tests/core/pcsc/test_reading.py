"""What a card says to anybody: the software card, and answers that were published of other cities' cards."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard.pcsc.reading import read_card
from citycard.terminal import InProcessReader

OK = "9000"


class Recorded:
    """A card that gives recorded answers below the application that is selected, and 6A82 to the rest."""

    def __init__(self, name, answers, root=()):
        self.name, self.answers, self.root = name.upper(), dict(answers), dict(root)
        self.selected = False
        self.asked = []

    def connect(self):
        self.selected = False
        return bytes.fromhex("3B8880010000000000000000 09".replace(" ", ""))

    def transmit(self, apdu):
        asked = apdu.hex().upper()
        self.asked.append(asked)
        if asked.startswith(("00A404", "00A400")):
            self.selected = self.name in asked
            there = self.selected or asked == "00A40000023F00"
            return bytes.fromhex("6F00" + OK if there else "6A82")
        answers = self.answers if self.selected else self.root
        return bytes.fromhex(answers.get(asked, "6A82"))


def one(card):
    purses = read_card(card).purses
    assert len(purses) == 1
    return purses[0]


def test_a_software_card_says_what_was_written_on_it(card):
    purse = one(InProcessReader(card))

    assert (purse.name, purse.number) == ("T-Union purse", "03105170070104791381")
    assert (purse.start, purse.expiry) == (dt.date(2024, 1, 1), dt.date(2034, 1, 1))
    assert (purse.balance_fen, purse.enabled, purse.interoperable, purse.kind) == (0, True, True, 1)
    assert purse.log == purse.journeys == ()


def test_a_recorded_t_union_card_is_read():
    # The balance has a flag in its first bit; the second record of the log is of a passbook (both from
    # nfcim/nfsee, tests/reader-mock.js), the third is empty. The first one and the journey are from
    # SocialSisterYi/T-Union_Master, docs/card_data_format.md.
    card = Recorded(
        "A000000632010105",
        {
            "00B0950000": "01011000FFFFFFFF020103105170070104791381201907182040123100009000",
            "00B0970000": "0000015610001000000101" + "00" * 49 + OK,
            "00B201C400": "042D000000000001F40930008900034020241229141740" + OK,
            "00B202C400": "0002000000000003E80500000000002420170830125637" + OK,
            "00B203C400": "00" * 23 + OK,
            "00B204C400": "6A83",
            "00B201F400": (
                "0400003000890003400108001900300000000001F400000E0120241229141740"
                "100001011000FFFFFFFF000000000000" + OK
            ),
            "805C000204": "8000164E" + OK,
        },
    )
    purse = one(card)

    assert (purse.number, purse.city, purse.balance_fen) == ("03105170070104791381", "1000", 5710)
    assert [(record.counter, record.amount_fen) for record in purse.log] == [(0x042D, 500), (2, 1000)]
    assert [(ride.station, ride.balance_fen) for ride in purse.journeys] == [("08001900300000", 3585)]


def test_a_recorded_city_union_card_is_read():
    data = "8475310000000000" + "0000" + "3100" + "3100000020915087" + "20151010" + "20651010" + "0000"
    card = Recorded(
        "A00000000386980701",
        {
            "00B0950000": data + OK,
            "00B201C400": "00180000000000011109310001050306" + "20160109164459" + OK,
            "805C000204": "00000400" + OK,
        },
    )
    purse = one(card)

    assert purse.name == "City Union"
    assert (purse.city, purse.start, purse.expiry) == ("3100", dt.date(2015, 10, 10), dt.date(2065, 10, 10))
    assert purse.number == str(int.from_bytes(bytes.fromhex("20915087"), "little"))
    assert purse.log[0].at == dt.datetime.fromisoformat("2016-01-09T16:44:59")


def test_a_beijing_card_is_known_by_its_file_in_the_master_file():
    data = "1000751012345678" + "00" * 16 + "20100101" + "20301231"
    card = Recorded(
        "1001", {"805C000204": "000003E8" + OK}, {"00B0840020": data + OK, "00B0840000": data + OK}
    )
    purse = one(card)

    assert (purse.name, purse.number, purse.balance_fen) == ("Beijing BMAC", "1000751012345678", 1000)
    assert purse.expiry == dt.date(2030, 12, 31)


@pytest.mark.parametrize(
    ("aid", "name", "balance", "fen"),
    [
        ("B0C4C3C5CDA8C7AEB0FC", "Macau Pass", "00000190", 3000),
        (b"PAY.APPY".hex(), "Lingnan Tong", "00000190", 400),
    ],
)
def test_a_balance_is_counted_as_its_city_counts(aid, name, balance, fen):
    purse = one(Recorded(aid, {"805C000204": balance + OK}))

    assert (purse.name, purse.balance_fen, purse.number) == (name, fen, "")


def test_a_log_behind_a_pin_is_told_and_the_rest_is_shown():
    purse = one(Recorded("A00000000386980701", {"805C000204": "00000064" + OK, "00B201C400": "6982"}))

    assert (purse.balance_fen, purse.log, purse.log_status) == (100, (), "6982")


def test_a_sector_card_shows_its_number():
    from citycard.mifare.card import SectorCard
    from citycard.mifare.pseudo import PseudoReader

    seen = read_card(InProcessReader(PseudoReader(SectorCard.blank(bytes.fromhex("04A1B2C3")))))

    assert (seen.uid, seen.purses) == (bytes.fromhex("04A1B2C3"), ())


def test_no_try_of_a_key_or_pin_is_ever_spent():
    recorded = Recorded("A000000632010105", {})
    read_card(recorded)

    assert not [asked for asked in recorded.asked if asked[2:4] in {"20", "82", "88", "50", "54"}]
