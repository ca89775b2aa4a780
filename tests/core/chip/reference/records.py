"""READ, UPDATE and APPEND RECORD on fixed, cyclic and variable records; the cache of a composite purchase."""

from reference import crypto
from reference.binaries import line, line_key
from reference.card import Apdu, Card, Refused
from reference.files import CYCLIC, FIXED, VARIABLE, File, Records

FIRST, LAST, NEXT, PREVIOUS, BY_NUMBER, ALL_FROM = range(6)


def records_of(found: File) -> Records:
    if not isinstance(found, Records):
        raise Refused(0x6981)
    return found


def tag_of(card: Card, record: bytes) -> int:
    """The byte by which a record is found: the last of its identifier."""
    return record[card.record_id_size - 1]


def position(card: Card, found: Records, p1: int, mode: int) -> int:
    """Find the record that P1 and the low bits of P2 name: by number, or by its tag."""
    if mode == BY_NUMBER:
        if not 1 <= p1 <= len(found.records):
            raise Refused(0x6A83)
        return p1 - 1
    if mode > BY_NUMBER:
        raise Refused(0x6A86)
    if found.base != VARIABLE:
        raise Refused(0x6981)
    fitting = [index for index, record in enumerate(found.records) if tag_of(card, record) == p1]
    at = card.record
    if mode == NEXT and at is not None:
        fitting = [index for index in fitting if index > at]
    if mode == PREVIOUS and at is not None:
        fitting = [index for index in fitting if index < at]
    if not fitting:
        raise Refused(0x6A83)
    card.record = fitting[0 if mode in {FIRST, NEXT} else -1]
    return card.record


def check(card: Card, found: Records, record: bytes) -> None:
    if found.base == VARIABLE:
        size = card.record_id_size
        if len(record) < size + 1 or record[size] != len(record) - size - 1:
            raise Refused(0x6A80)
    elif len(record) != found.length:
        raise Refused(0x6700)


def wanted(card: Card, found: Records, p1: int, mode: int) -> bytes:
    if mode != ALL_FROM:
        return found.records[position(card, found, p1, mode)]
    return b"".join(found.records[position(card, found, p1, BY_NUMBER) :])


def read_record(card: Card, apdu: Apdu) -> bytes:
    if apdu.p2 & 7 > ALL_FROM:
        raise Refused(0x6A86)
    if len(apdu.data) > (4 if apdu.cla == 0x04 else 0):
        raise Refused(0x6700)
    found = card.find(apdu.p2 >> 3)
    protected = apdu.cla == 0x04
    line(card, found.mac_on_read, found.read, protected)
    iv, key = b"", None
    if protected:
        key = line_key(card, found, found.read_key)
        _, iv = card.open_line(apdu, key, sealed=False)
    found = records_of(found)
    record = wanted(card, found, apdu.p1, apdu.p2 & 7)
    if apdu.le and apdu.le != len(record):
        raise Refused(0x6C00 | len(record))
    return record + crypto.mac(key.value, record, iv) if key else record


def opened(card: Card, apdu: Apdu, found: File) -> bytes:
    """Check class, right and MAC of a writing command; return the record."""
    protected = apdu.cla == 0x04
    line(card, found.mac_on_write, found.write, protected)
    if not protected:
        return apdu.data
    return card.open_line(apdu, line_key(card, found, found.write_key), found.sealed_write)[0]


def append_record(card: Card, apdu: Apdu) -> None:
    if apdu.p1 or apdu.p2 & 7 != BY_NUMBER:
        raise Refused(0x6A86)
    if not apdu.data and apdu.cla == 0x00:
        raise Refused(0x6700)
    found = card.find(apdu.p2 >> 3)
    record = opened(card, apdu, found)
    found = records_of(found)
    check(card, found, record)
    add(found, record)


def add(found: Records, record: bytes) -> None:
    if found.base == CYCLIC:
        found.records.insert(0, record)
        del found.records[found.most :]
        return
    full = len(found.records) >= found.most if found.base == FIXED else found.used + len(record) > found.size
    if full:
        raise Refused(0x6A84)
    found.records.append(record)


def update_record(card: Card, apdu: Apdu) -> None:
    if apdu.p2 & 7 > BY_NUMBER:
        raise Refused(0x6A86)
    if not apdu.data and apdu.cla == 0x00:
        raise Refused(0x6700)
    found = card.find(apdu.p2 >> 3)
    record = opened(card, apdu, found)
    found = records_of(found)
    behind = apdu.p2 & 7 == BY_NUMBER and apdu.p1 == len(found.records) + 1
    if behind and (found.base == VARIABLE or (found.base == FIXED and apdu.p1 <= found.most)):
        check(card, found, record)
        add(found, record)
    else:
        replace(card, found, apdu.p1, apdu.p2 & 7, record)


def planned(card: Card, found: Records, p1: int, mode: int, record: bytes) -> int | None:
    """Check that ``record`` may go where P1 and P2 say; return its place, ``None`` in a cyclic file."""
    if found.base == CYCLIC:
        if p1 != 0 or mode not in {0, 2, 3}:
            raise Refused(0x6A86)
        check(card, found, record)
        return None
    index = position(card, found, p1, mode)
    if found.base == VARIABLE and len(record) != len(found.records[index]):
        raise Refused(0x6700)
    check(card, found, record)
    if found.base == VARIABLE:
        old = found.records[index]
        if record[: card.record_id_size] != old[: card.record_id_size]:
            raise Refused(0x6A80)
    return index


def replace(card: Card, found: Records, p1: int, mode: int, record: bytes) -> None:
    """Put ``record`` where P1 and P2 say; a cyclic file only takes a new one."""
    index = planned(card, found, p1, mode, record)
    if index is None:
        add(found, record)
    else:
        found.records[index] = record


COMMANDS = {
    (0x00, 0xB2): read_record,
    (0x04, 0xB2): read_record,
    (0x00, 0xDC): update_record,
    (0x04, 0xDC): update_record,
    (0x00, 0xE2): append_record,
    (0x04, 0xE2): append_record,
}
