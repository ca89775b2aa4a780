"""Personalisation jobs: many cards of one product, made by any number of workers that may die at any point.

A worker takes numbers and blank cards in one transaction, makes the cards, and notes what became of them
in the next. Card images are made from the number alone: the same number made twice is the same file. A card
in a reader is not: there a number whose worker died is spoiled, and never used again.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import attrs

from citycard import registry
from citycard.card import CardProduct
from citycard.card.files import EnableFlag
from citycard.chip import ChipProfile
from citycard.chip.personalise import prepare
from citycard.chip.script import IssuableCard
from citycard.city.keyuse import KEYS_NOTED
from citycard.errors import (
    BlankUnfit,
    CardRefused,
    CardRemoved,
    CommandFailed,
    PersonalisationFailed,
    PersonalisationLost,
    ProductRetired,
)
from citycard.ids import new_id
from citycard.registry.personalising import (
    JobCount,
    PersonalisationJob,
    claim_numbers,
    count_job,
    find_personalisation_job,
    finish_job,
    open_personalisation_job,
    settle_numbers,
)
from citycard.store import reading, writing
from citycard.terminal.commands import PurseCommands
from citycard.terminal.identity import identity

if TYPE_CHECKING:
    from citycard.city.city import City
    from citycard.keys.records import CardKeys
    from citycard.terminal.reader import Reader

__all__ = ["IMAGE_SUFFIX", "JobWorker", "open_job", "write_images"]

IMAGE_SUFFIX = ".card"
_PIECE = 50
_LEASE = dt.timedelta(seconds=10)
_READER_LEASE = dt.timedelta(minutes=2)
_PATIENCE_S = 0.2


@attrs.frozen
class _ReaderCard:
    """A card in a reader, as something that can be issued."""

    profile: ChipProfile
    reader: Reader

    def power_on(self) -> bytes:
        return self.reader.connect()

    def power_off(self) -> None:
        """Leave the card where it is: the next command is for the person who takes it out."""

    def transmit(self, apdu: bytes) -> bytes:
        return self.reader.transmit(apdu)


def open_job(
    city: City,
    product: str,
    cards: int,
    *,
    numbers: str,
    lot: str,
    place: str = registry.STORE,
    on: dt.date | None = None,
    actor: str,
) -> PersonalisationJob:
    """Open a job of ``cards`` cards of a product's newest version, with numbers of the range ``numbers``.

    The blank cards are those of ``lot`` at ``place``; ``on`` is the cards' first day, today unless given.
    Raises ProductUnknown, ProductRetired, RegistryMissing, NumbersUsedUp and StockShort.
    """
    start = on or city.now_local().date()
    version, expiry = city.issuing.version(product), city.issuing.expiry(product, start)
    with writing(city.engine) as conn:
        retired = registry.find_product(conn, product).retired_on
        if retired is not None and retired < start:
            raise ProductRetired(product=product, on=retired)
        city.issuing.check_number(registry.find_number_range(conn, numbers).first)
        registry.check_job_supply(conn, product, cards, numbers=numbers, lot=lot, place=place)
        return open_personalisation_job(
            conn,
            product=product,
            product_version=version.number,
            range=numbers,
            lot=lot,
            place=place,
            wanted=cards,
            starts_on=start,
            expires_on=expiry,
            actor=actor,
            opened_at=city.clock.now(),
        )


class JobWorker:
    """One worker on a job; any number of them, in any number of processes, work on one job together."""

    def __init__(self, city: City, number: int) -> None:
        self._city = city
        self._worker: UUID = new_id()
        with reading(city.engine) as conn:
            self.job = find_personalisation_job(conn, number)

    def make_images(self, folder: Path, shown: Callable[[JobCount], object] = lambda _: None) -> JobCount:
        """Make the rest of the job as card images ``<number>.card`` in a folder; return the job's count.

        ``shown`` hears the count after every piece. Where another worker holds the last numbers, its end is
        waited for; when it dies, its numbers are made here. Raises PersonalisationFailed when every card of
        a piece refuses.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        while True:
            product = self._product()
            numbers = self._claim(_PIECE, _LEASE, again=True)
            if not numbers:
                count = self._finished()
                if not count.missing:
                    return count
                time.sleep(_PATIENCE_S)
                continue
            keys = self._keys(numbers)
            version = keys[0].versions["purchase"]
            images, failures = self._images(product, numbers, keys)
            write_images(folder, images)
            shown(self._settle(product, list(images), failures, version))
            if failures and not images:
                # Not the cards are wrong but the blank they are made from: more would only use up numbers.
                step, status_word = next(iter(failures.values()))
                raise PersonalisationFailed(step=step, status_word=status_word)

    def make_card(self, reader: Reader) -> str | None:
        """Make the blank card in a reader a card of the job and return its number; None when all are made.

        Raises ProductUnknown or ProductInvalid when the product cannot be made now, and BlankUnfit when the
        card is none, before anything is written; PersonalisationFailed and CardRemoved when it broke off:
        then its number is spoiled, and the card with it.
        """
        issuing, job = self._city.issuing, self.job
        product, initial = self._product(), issuing.initial()
        version = issuing.product_version(job.product, job.product_version)
        _check_blank(reader, self._city)
        numbers = self._claim(1, _READER_LEASE, again=False)
        if not numbers:
            self._finished()
            return None
        (asn,), (keys,) = numbers, self._keys(numbers)
        card = _ReaderCard(issuing.chip_profile, reader)
        try:
            prepare(card, version, issuing.profile, initial=initial)
            self._personalise(card, asn, product, keys)
        except PersonalisationFailed as refused:
            self._settle(product, [], {asn: (refused.data["step"], refused.data["status_word"])})
            raise
        except CardRemoved:
            self._settle(product, [], {asn: ("card removed", "")})
            raise
        self._settle(product, [asn], {}, keys.versions["purchase"])
        with reading(self._city.engine) as conn:
            state = registry.number_state(conn, asn)
        if state != (job.number, "made"):
            raise PersonalisationLost(asn=asn)
        self._finished()
        return asn

    def count(self) -> JobCount:
        """Count what has become of the job's numbers."""
        with reading(self._city.engine) as conn:
            return count_job(conn, self.job)

    def _product(self) -> CardProduct:
        """Give the job's product, before a number is taken or a card is touched."""
        return self._city.issuing.product(self.job.product)

    def _claim(self, most: int, lease: dt.timedelta, *, again: bool) -> list[str]:
        with writing(self._city.engine) as conn:
            return claim_numbers(
                conn,
                self.job,
                most,
                worker=self._worker,
                now=self._city.clock.now(),
                lease=lease,
                again=again,
            )

    def _images(
        self, product: CardProduct, numbers: Sequence[str], each: Sequence[CardKeys]
    ) -> tuple[dict[str, bytes], dict[str, tuple[str, str]]]:
        images: dict[str, bytes] = {}
        failures: dict[str, tuple[str, str]] = {}
        blank = self._city.issuing.blank(self.job.product, self.job.product_version)
        for asn, keys in zip(numbers, each, strict=True):
            chip = blank.clone()
            try:
                self._personalise(chip, asn, product, keys)
            except PersonalisationFailed as refused:
                failures[asn] = refused.data["step"], refused.data["status_word"]
            else:
                images[asn] = chip.image()
        return images, failures

    def _personalise(self, card: IssuableCard, asn: str, product: CardProduct, keys: CardKeys) -> None:
        job = self.job
        self._city.issuing.personalise(
            card,
            asn,
            product,
            keys,
            start=job.starts_on,
            expiry=job.expires_on,
            enabled=EnableFlag.NOT_ENABLED,
        )

    def _keys(self, numbers: Iterable[str]) -> list[CardKeys]:
        return self._city.vault.card_keys_many([bytes.fromhex(asn[4:]) for asn in numbers])

    def _settle(
        self,
        product: CardProduct,
        made: Sequence[str],
        failures: Mapping[str, tuple[str, str]],
        version: int = 0,
    ) -> JobCount:
        now, job = self._city.clock.now(), self.job
        with writing(self._city.engine) as conn:
            settled = settle_numbers(conn, job, made, "made", at=now)
            registry.add_cards(conn, [self._card(asn, product) for asn in settled])
            registry.note_events(conn, settled, "personalised", f"job {job.number}", actor=job.actor, at=now)
            # Which purse keys they have: a version that no card needs any more can be retired (keyuse).
            registry.note_events(conn, settled, KEYS_NOTED, str(version), actor=job.actor, at=now)
            for asn, (step, status_word) in failures.items():
                settle_numbers(conn, job, [asn], "spoiled", at=now, step=step, status_word=status_word)
            return count_job(conn, job)

    def _card(self, asn: str, product: CardProduct) -> registry.Card:
        job = self.job
        return registry.Card(
            asn=asn,
            issuer=self._city.config.city.issuer,
            product=job.product,
            product_version=job.product_version,
            kind=product.kind,
            issued_on=job.starts_on,
            expires_on=job.expires_on,
            status=registry.CardStatus.STOCK,
        )

    def _finished(self) -> JobCount:
        with writing(self._city.engine) as conn:
            count = count_job(conn, self.job)
            if not count.missing:
                finish_job(conn, self.job, self._city.clock.now())
            return count


def write_images(folder: Path, images: Mapping[str, bytes]) -> None:
    """Write card images, each whole or not at all, for their owner alone: they hold the cards' keys.

    When this returns, all of them are on the disk.
    """
    for asn, image in images.items():
        beside = folder / f".{asn}.{os.getpid()}"
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(image)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / f"{asn}{IMAGE_SUFFIX}")
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_blank(reader: Reader, city: City) -> None:
    card = PurseCommands(reader, city.issuing.profile, "0" * 12)
    try:
        card.select()
        who = identity(card)
    except (CardRefused, CommandFailed):
        return
    if who.start is not None:
        raise BlankUnfit(found=f"carries number {who.asn}")
