"""Personalisation jobs in a real city: many cards, workers that die, numbers that are never used twice."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from citycard import registry
from citycard.card import decode
from citycard.card.files import EnableFlag, PublicApplication
from citycard.chip import Chip
from citycard.city import City
from citycard.city.keyuse import key_use
from citycard.city.personalising import JobWorker, open_job
from citycard.errors import (
    BlankUnfit,
    CardRemoved,
    NumbersUsedUp,
    PersonalisationFailed,
    ProductInvalid,
    ProductUnknown,
    StockShort,
)
from citycard.ids import new_id
from citycard.registry.tables import personalisation
from citycard.store import reading, writing
from citycard.terminal import InProcessReader

pytestmark = pytest.mark.usefixtures("bazaar")

CHILD = Path(__file__).with_name("job_child.py")
FIRST = "01019901000000000001"
CITY = """\
[city]
name = "Card town"
code = "9901"
[store]
url = "{url}"
[plugins]
allow = ["bazaar"]
enable = ["bazaar"]
[[plugins.bazaar.products]]
name = "standard"
title = "City card"
"""


def supplied(folder, url="sqlite:///city.sqlite", *, cards=300, numbers=400):
    """Make a city with a number range and blank cards."""
    template = folder / "template.toml"
    template.write_text(CITY.format(url=url))
    city = City.create(folder / "town", template)
    city.issuing.publish()
    now = city.clock.now()
    with writing(city.engine) as conn:
        registry.add_number_range(
            conn,
            registry.NumberRange(
                name="r1", product="standard", first=FIRST, size=numbers, opened_on=now.date()
            ),
        )
        lot = registry.StockLot(name="box-1", supplier="maker", size=cards, received_on=now.date())
        registry.receive_stock(conn, lot, id=new_id(), actor="anna", at=now)
    return city


@pytest.fixture
def town(tmp_path):
    city = supplied(tmp_path)
    yield city
    city.close()


def opened(city, cards):
    return open_job(city, "standard", cards, numbers="r1", lot="box-1", actor="anna")


def the_lot(city):
    with reading(city.engine) as conn:
        (count,) = registry.stock_report(conn)
    return count


def application(chip):
    reader = InProcessReader(chip)
    reader.connect()
    aid = bytes.fromhex("A000000632010105")
    reader.transmit(b"\x00\xa4\x04\x00\x08" + aid + b"\x00")
    return decode(PublicApplication, reader.transmit(b"\x00\xb0\x95\x00\x1e")[:-2])


def test_a_job_makes_its_cards_registers_them_and_counts_the_blanks(town, tmp_path):
    job = opened(town, 120)
    seen = []

    count = JobWorker(town, job.number).make_images(tmp_path / "out", seen.append)

    images = sorted(path.stem for path in (tmp_path / "out").glob("*.card"))
    with reading(town.engine) as conn:
        cards = registry.cards_by_asn(conn, images)
        assert registry.check_number_ranges(conn) == []
    assert (count.made, count.spoiled, count.missing) == (120, 0, 0)
    assert images == [f"{int(FIRST) + place:020d}" for place in range(120)]
    assert {card.status for card in cards.values()} == {registry.CardStatus.STOCK}
    assert [one.made for one in seen] == [50, 100, 120]
    lot = the_lot(town)
    assert (lot.held, lot.used, lot.spoiled, lot.adds_up) == ({"store": 180}, 120, 0, True)


def test_cards_of_a_job_count_as_users_of_their_key_version_alone(town, tmp_path):
    JobWorker(town, opened(town, 3).number).make_images(tmp_path / "out")
    town.vault.roll("purchase")
    JobWorker(town, opened(town, 2).number).make_images(tmp_path / "out")
    use = key_use(town)
    assert (use.of(1), use.of(2), use.unknown) == (3, 2, 0)


def test_a_card_of_a_job_is_the_registered_one_and_not_enabled_yet(town, tmp_path):
    job = opened(town, 1)
    JobWorker(town, job.number).make_images(tmp_path / "out")

    path = tmp_path / "out" / f"{FIRST}.card"
    found = application(town.issuing.restored(path.read_bytes()))

    assert (found.asn, found.enabled) == (FIRST, EnableFlag.NOT_ENABLED)
    assert path.stat().st_mode & 0o077 == 0


def test_a_job_without_numbers_or_blanks_is_not_opened(tmp_path):
    city = supplied(tmp_path, cards=20, numbers=10)
    with pytest.raises(NumbersUsedUp, match="10 numbers left, 11 are wanted"):
        opened(city, 11)
    with writing(city.engine) as conn:
        registry.move_stock(
            conn, "box-1", "store", "window", 15, id=new_id(), reason="", actor="", at=city.clock.now()
        )
    with pytest.raises(StockShort, match="'store' has 5 blank cards"):
        opened(city, 6)
    city.close()


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_worker_that_is_killed_leaves_no_number_used_twice_and_none_forgotten(town, tmp_path, pieces):
    job = opened(town, 250)
    child = subprocess.Popen(
        [sys.executable, str(CHILD), str(town.folder), str(job.number), str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(pieces):
        child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with writing(town.engine) as conn:
        # The dead worker's lease is over: nobody has to wait for it here.
        past = town.clock.now() - dt.timedelta(seconds=1)
        held = personalisation.c.state == "taken"
        conn.execute(personalisation.update().where(held).values(leased_until=past))

    count = JobWorker(town, job.number).make_images(tmp_path / "out")

    assert (count.made, count.in_hand, count.missing) == (250, 0, 0)
    images = {path.stem for path in (tmp_path / "out").glob("*.card")}
    with reading(town.engine) as conn:
        assert set(registry.cards_by_asn(conn, sorted(images))) == images
    assert len(images) == 250
    assert (the_lot(town).used, the_lot(town).adds_up) == (250, True)


def worked_on_by_two(city, tmp_path):
    job = opened(city, 250)
    command = [sys.executable, str(CHILD), str(city.folder), str(job.number)]
    workers = [
        subprocess.Popen([*command, str(tmp_path / name)], stdout=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    said = [worker.communicate()[0].splitlines()[-1] for worker in workers]
    made = [{path.stem for path in (tmp_path / name).glob("*.card")} for name in ("one", "two")]
    return said, made


def test_two_processes_share_a_job_and_no_number(town, tmp_path):
    said, (one, two) = worked_on_by_two(town, tmp_path)

    assert said == ["done 250", "done 250"]
    assert one & two == set()
    assert len(one | two) == 250


@pytest.mark.postgresql
def test_two_processes_share_a_job_and_no_number_on_postgresql(postgresql_server, tmp_path):
    url = postgresql_server.create_database()
    city = supplied(tmp_path, url)
    said, (one, two) = worked_on_by_two(city, tmp_path)
    lot = the_lot(city)
    city.close()
    postgresql_server.drop_database(url)

    assert said == ["done 250", "done 250"]
    assert one & two == set()
    assert len(one | two) == 250
    assert (lot.used, lot.adds_up) == (250, True)


def test_a_blank_card_in_a_reader_becomes_a_card_of_the_job(town):
    job = opened(town, 1)
    chip = Chip.blank(town.issuing.chip_profile)
    worker = JobWorker(town, job.number)

    assert worker.make_card(InProcessReader(chip)) == FIRST
    assert application(chip).asn == FIRST
    assert worker.make_card(InProcessReader(Chip.blank(town.issuing.chip_profile))) is None
    with pytest.raises(BlankUnfit, match=FIRST):
        worker.make_card(InProcessReader(chip))


def number_states(city, job):
    with reading(city.engine) as conn:
        rows = conn.execute(select(personalisation).where(personalisation.c.job == job.number))
        return {row.asn: row.state for row in rows}


def test_a_product_that_cannot_be_made_now_is_refused_before_a_card_or_a_number_is_touched(town, tmp_path):
    job = opened(town, 2)
    chip = Chip.blank(town.issuing.chip_profile)
    blank, worker, before = chip.image(), JobWorker(town, job.number), number_states(town, job)
    town.plugins.disable("bazaar", by="council")

    with pytest.raises(ProductUnknown):
        worker.make_card(InProcessReader(chip))
    with pytest.raises(ProductUnknown):
        worker.make_images(tmp_path / "out")
    assert (chip.image(), number_states(town, job)) == (blank, before)
    town.plugins.enable("bazaar", by="council")
    assert worker.make_card(InProcessReader(chip)) == FIRST
    assert application(chip).asn == FIRST


def test_a_card_that_was_begun_is_registered_whatever_is_switched_off_meanwhile(town):
    job = opened(town, 1)
    chip = Chip.blank(town.issuing.chip_profile)

    class Late(InProcessReader):
        def connect(self):
            town.plugins.disable("bazaar", by="council")
            return super().connect()

    assert JobWorker(town, job.number).make_card(Late(chip)) == FIRST
    with reading(town.engine) as conn:
        assert registry.find_card(conn, FIRST).kind == 1


def test_a_product_that_is_declared_anew_with_another_kind_is_refused_before_a_card_is_made(tmp_path):
    city = supplied(tmp_path)
    job = opened(city, 1)
    city.close()
    config = tmp_path / "town" / "city.toml"
    config.write_text(config.read_text().replace('title = "City card"', 'title = "City card"\nkind = 2'))
    city = City.open(tmp_path / "town")
    chip = Chip.blank(city.issuing.chip_profile)
    blank = chip.image()
    with pytest.raises(ProductInvalid, match="of kind 1, and it is declared with kind 2"):
        JobWorker(city, job.number).make_card(InProcessReader(chip))
    assert chip.image() == blank
    city.close()


def test_a_card_torn_out_of_the_reader_is_spoiled_and_its_number_never_used_again(town):
    job = opened(town, 1)
    chip = Chip.blank(town.issuing.chip_profile)
    chip.eeprom.cut_after(100)
    worker = JobWorker(town, job.number)

    with pytest.raises(CardRemoved):
        worker.make_card(InProcessReader(chip))
    asn = worker.make_card(InProcessReader(Chip.blank(town.issuing.chip_profile)))

    with reading(town.engine) as conn:
        spoiled = registry.spoiled_numbers(conn, job)
    assert [(one.asn, one.step) for one in spoiled] == [(FIRST, "card removed")]
    assert asn == f"{int(FIRST) + 1:020d}"
    lot = the_lot(town)
    assert (lot.used, lot.spoiled, lot.adds_up) == (1, 1, True)


def test_a_refusing_card_is_spoiled_with_its_step_and_status_word(town, tmp_path):
    job = opened(town, 3)
    blank = town.issuing.blank("standard", 1)
    keys = town.vault.card_keys(bytes(8))  # the blank is another card already: its keys are not those of one
    product = town.issuing.product("standard")
    town.issuing.personalise(blank, "9" * 20, product, keys, start=job.starts_on, expiry=job.expires_on)

    with pytest.raises(PersonalisationFailed, match="EXTERNAL AUTHENTICATE"):
        JobWorker(town, job.number).make_images(tmp_path / "out")

    with reading(town.engine) as conn:
        spoiled = registry.spoiled_numbers(conn, job)
    assert [one.step for one in spoiled] == ["EXTERNAL AUTHENTICATE"] * 3
    assert {one.status_word[:2] for one in spoiled} == {"63"}
    assert (the_lot(town).spoiled, the_lot(town).adds_up) == (3, True)
