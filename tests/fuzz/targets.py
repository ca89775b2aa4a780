"""What made-up bytes are thrown at: cards, SAM, sector card, card images, batch files, bank statements.

Each target takes any bytes and raises ``AssertionError`` when a promise is broken: a command gets two status
bytes at least and no exception; an error changes nothing but a retry counter; a saved card is refused by name
or answers; a batch file or a bank statement is refused by name or read as written.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

from citycard.bank.camt import read_statements
from citycard.chip import FMCOS, T_UNION, Chip
from citycard.errors import (
    BankStatementInvalid,
    BankStatementTooLarge,
    BatchDamaged,
    CardImageInvalid,
    CitycardError,
    SectorImageInvalid,
)
from citycard.mifare import PseudoReader, SectorCard
from citycard.psam import TRANSIT_PSAM, Psam, SamIdentity, SamKey, personalise_sam
from citycard.terminal import InProcessReader, read_batch, read_record, write_batch

sys.path.insert(0, str(Path(__file__).parents[1] / "core" / "chip"))
sys.path.insert(0, str(Path(__file__).parents[1] / "core" / "bank"))
import camtwriter
from reference import client as known
from reference import crypto
from reference.client import Client, command
from reference.deeds import DEEDS

HEADS = re.findall(
    "[0-9A-F]{8}",
    "00A40000 00A40400 00840000 00B09500 00B00000 04B08800 00D69700 04D69500 00B20134 00B201D4 04B2013C "
    "00DC0134 04DC013C 00E20034 04E2003C 00820000 00880000 00200000 805E0100 805E0000 84240000 841E0000 "
    "84180000 84160000 80D40100 84D40100 80E00010 800E0000 80500002 80500102 80500302 80500401 80500501 "
    "80500201 80520000 80540100 80540300 80580000 80DC00F0 84DC01D4 805A0006 805C0002 E0CA0000 E07A0802 "
    "E07C0800 E07E0802 E07A0902 E07E0900 00C00000 80700000 80720000 801A2201 80FA0000 80CA0000 80FC0000 "
    "84D40000 E0400000 E0420000 E0440000 FFCA0000 FF820000 FF860000 FF880000 FFB00004 FFD60004 FFD70004 "
    "FFB10004 FF000000",
)
DONE = {b"\x90\x00", b"\x62\x81", b"\x62\x82", b"\x62\x83"}
MASTER = bytes(range(16))
TERMINAL = "300089000340"


class Numbers:
    """Random numbers that are the same each time."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, size: int) -> bytes:
        self.count += 1
        return crypto.des(known.TRANSPORT, self.count.to_bytes(8, "big"))[:size]


def commands(data: bytes):
    """Turn bytes into commands: known heads with any data, whole deeds (an index), or bytes as they are."""
    at = 0
    while at < len(data):
        choice, size = data[at], data[at + 1] if at + 1 < len(data) else 0
        body = data[at + 2 : at + 2 + size % 64]
        at += 2 + len(body)
        if choice < 2 * len(HEADS):
            head = bytearray.fromhex(HEADS[choice // 2])
            if choice % 2 and body:
                head[2 + body[0] % 2] = body[-1]
            yield (
                bytes(head)
                + (bytes((len(body),)) + body if body else b"")
                + (b"\x00" if size & 0x80 else b"")
            )
        elif choice < 0xF0:
            yield choice + size
        else:
            yield body


def kept(chip: Chip) -> bytes:
    """Return what outlives the power."""
    return bytes(chip.eeprom.cells) + bytes(chip.eeprom.hidden)


def unchanged(before: bytes, after: bytes, apdu: bytes, answer: bytes) -> None:
    """Check that a refused command left the memory alone but for retry counters and what they lock."""
    if before == after:
        return
    changes = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    tries = [(old, new) for old, new in changes if old >> 4 == new >> 4]
    what = f"{apdu.hex()} answered {answer.hex()} and changed {changes}"
    if answer in {b"\x93\x03", b"\x93\x02"}:  # a last wrong MAC locks or blocks
        assert len(changes) <= 2, what
    else:
        assert len(changes) == len(tries) == 1, what


def talk(chip: Chip, data: bytes) -> int:
    """Send what ``data`` says; return how many commands that were."""
    card, count = Client(chip.transmit), 0
    for apdu in commands(data):
        count += 1
        if isinstance(apdu, int):
            deed = DEEDS[apdu % len(DEEDS)]
            try:
                deed.before(card)
                deed.act(card)
            except (AssertionError, IndexError):  # the card is not in the state that the deed wants
                continue
            continue
        before = kept(chip)
        answer = chip.transmit(apdu)
        assert isinstance(answer, bytes)
        assert len(answer) >= 2
        if answer[-2:] not in DONE and answer[-2] != 0x61:
            unchanged(before, kept(chip), apdu, answer)
    return count


def survives(chip: Chip, data: bytes) -> None:
    """Talk, then check that the card can be saved, read and switched on."""
    chip.random = Numbers()
    chip.power_on()
    talk(chip, data)
    other = type(chip).from_image(chip.image(), chip.profile)
    assert other.power_on() == chip.profile.atr
    assert kept(other) == kept(chip)


def _issued(profile) -> Chip:
    chip = Chip.blank(profile, random=Numbers())
    chip.power_on()
    card = Client(chip.transmit, profile.record_id_size)
    card.issue()
    card.ok(command("00A40400", known.AID, 0))
    card.ok(command("00200000", known.PIN))
    answer = card.initialize(0, 2, 10_000)
    card.online("80520000", answer, (10_000).to_bytes(4, "big"), 2, known.LOAD)
    chip.power_off()
    return chip


def _sam() -> Psam:
    sam = Psam.blank(TRANSIT_PSAM, random=Numbers())
    keys = [
        SamKey(usage=usage, version=1, key=known.PURCHASE) for usage in (0x22, 0x42, 0x44, 0x45, 0x27, 0x2D)
    ]
    identity = SamIdentity(
        number="00000000" + TERMINAL,
        terminal=TERMINAL,
        issuer="01015840FFFFFFFF",
        receiver="01015840FFFFFFFF",
        start=dt.date(2026, 1, 1),
        expiry=dt.date(2036, 12, 31),
    )
    personalise_sam(InProcessReader(sam), identity, [key.sealed(MASTER) for key in keys], MASTER)
    return sam


ISSUED, MANUAL = _issued(T_UNION), _issued(FMCOS)
SAM = _sam()
SELECT_SAM = command("00A40400", TRANSIT_PSAM.adf_name, 0)
IMAGE = ISSUED.image()


def card(data: bytes) -> None:
    """Commands to a personalised card."""
    chip = (MANUAL if data[:1] > b"\x80" else ISSUED).clone()
    chip.random = Numbers()
    chip.power_on()
    chip.transmit(command("00A40400", known.AID, 0))
    talk(chip, data)
    other = Chip.from_image(chip.image(), chip.profile)
    other.power_on()
    assert kept(other) == kept(chip)


def blank(data: bytes) -> None:
    """Commands to a card as its maker delivers it."""
    survives(Chip.blank(FMCOS, random=Numbers(), transport=data[:1] > b"\x80"), data[1:])


def sam(data: bytes) -> None:
    """Commands to a SAM."""
    psam = SAM.clone()
    psam.random = Numbers()
    psam.power_on()
    psam.transmit(SELECT_SAM)
    talk(psam, data)


def sectors(data: bytes) -> None:
    """Pseudo-APDUs to a sector card in a reader."""
    memory = SectorCard.blank(bytes.fromhex("01020304"))
    reader = PseudoReader(memory)
    reader.power_on()
    for apdu in (bytes.fromhex("FF82000006FFFFFFFFFFFF"), bytes.fromhex("FF860000050100046000")):
        assert reader.transmit(apdu) == b"\x90\x00"
    for apdu in commands(data):
        raw = bytes.fromhex("FF8600000501000061") + bytes((apdu % 2,)) if isinstance(apdu, int) else apdu
        before = memory.image()
        answer = reader.transmit(raw)
        assert len(answer) >= 2
        if answer[-2:] not in DONE:
            assert memory.image() == before, (raw.hex(), answer.hex())


def images(data: bytes) -> None:
    """Saved cards with other bytes in them, with and without a checksum that fits."""
    image = bytearray(IMAGE)
    for at in range(1, len(data) - 2, 3):
        place = int.from_bytes(data[at : at + 2], "big") % len(image)
        image[place] = data[at + 2]
    if data[:1] > b"\xc0":
        del image[int.from_bytes(data[1:3], "big") % len(image) :]
    if data[:1] > b"\x20" and len(image) > 17:
        image[13:17] = crc32(image[17:]).to_bytes(4, "big")
    try:
        chip = Chip.from_image(bytes(image))
    except CardImageInvalid:
        return
    chip.random = Numbers()
    try:
        chip.power_on()
    except CardImageInvalid:
        return
    for apdu in (command("00A40400", known.AID, 0), *(bytes.fromhex(head) + b"\x00" for head in HEADS)):
        assert len(chip.transmit(apdu)) >= 2
    chip.image()


def sector_images(data: bytes) -> None:
    """Saved sector cards."""
    image = bytearray(SectorCard.blank(bytes.fromhex("01020304")).image())
    for at in range(1, len(data) - 2, 3):
        image[int.from_bytes(data[at : at + 2], "big") % len(image)] = data[at + 2]
    if data[:1] > b"\x20":
        image[8:12] = crc32(image[12:]).to_bytes(4, "big")
    try:
        found = SectorCard.from_image(bytes(image))
    except SectorImageInvalid:
        return
    reader = PseudoReader(found)
    reader.power_on()
    assert len(reader.transmit(bytes.fromhex("FFB0000410"))) >= 2


class _Signs:
    terminal = TERMINAL

    def sign_batch(self, digest32: bytes) -> bytes:
        return digest32[:16]


MADE = dt.datetime.fromisoformat("2026-03-03T01:02:03")
BATCH = write_batch(TERMINAL, 7, 101, [bytes(128), bytes(range(128))], _Signs(), MADE, MADE.date())


def batches(data: bytes) -> None:
    """Batch files with other bytes in them, with and without a digest that fits; and their records."""
    whole = bytearray(BATCH)
    for at in range(1, len(data) - 2, 3):
        whole[int.from_bytes(data[at : at + 2], "big") % len(whole)] = data[at + 2]
    if data[:1] > b"\xc0":
        whole = bytearray(data[1:])
    if data[:1] > b"\x20" and len(whole) > 64:
        whole[-48:-16] = hashlib.sha256(whole[:-64]).digest()
    try:
        batch = read_batch(bytes(whole))
    except BatchDamaged:
        return
    assert batch.header.count == len(batch.records)
    for record in batch.records:
        try:
            read_record(record)
        except CitycardError:
            continue


STATEMENTS = [
    camtwriter.Bank("6222000011112222", 1000, version).day(
        dt.date(2026, 3, 3),
        camtwriter.Booked(
            signed=-250, day=dt.date(2026, 3, 3), end_to_end="E", name="A", account="1", why="AC04"
        ),
        camtwriter.Booked(signed=90, day=dt.date(2026, 3, 3), code=("ACMT", "MCOP", "INTR"), batch="B"),
    )
    for version in ("02", "08")
]
PIECES = [
    b"<", b">", b"&a;", b"&#0;", b"]]>", b"<!--", b"-->", b"<![CDATA[", b"<?a?>", b"a:", b'xmlns:a="b"',
    b"<!DOCTYPE a [<!ENTITY a 'b'>]>", b"<Ntry>", b"</Ntry>", b"<Stmt>", b"</Stmt>", b'<Amt Ccy="CNY">',
    b"-1", b"0.001", b"1e9", b"9" * 30, b"\xff", b"<Bal/>", b"<NtryDtls><TxDtls/></NtryDtls>",
]  # fmt: skip


def statements(data: bytes) -> None:
    """Bank statements with pieces of XML and other bytes put into them, or cut out of them."""
    whole = bytearray(STATEMENTS[data[:1] > b"\x80"])
    for at in range(1, len(data) - 3, 4):
        place = int.from_bytes(data[at : at + 2], "big") % (len(whole) + 1)
        what, size = data[at + 2], data[at + 3] % 32
        whole[place : place + size] = PIECES[what % len(PIECES)] if what > 0x60 else bytes((what,))
    try:
        found = read_statements(bytes(whole))
    except (BankStatementInvalid, BankStatementTooLarge):
        return
    for statement in found:
        moved_fen = sum(line.signed_fen for line in statement.lines)
        assert statement.opening_fen + moved_fen == statement.closing_fen
        assert statement.digest


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (card, blank, sam, sectors, images, sector_images, batches, statements)
}


def everything(data: bytes) -> None:
    """Let the first byte choose the target: one short run for all of them."""
    if data:
        (*TARGETS.values(),)[data[0] % len(TARGETS)](data[1:])
