"""READ BINARY and UPDATE BINARY, plain and line-protected."""

from reference import crypto
from reference.card import Apdu, Card, Refused
from reference.files import Binary, File


def doubt(card: Card, found: Binary) -> None:
    """Warn of a file that was never written, on cards that do."""
    if card.warns_unwritten and not found.written:
        card.warning = b"\x62\x81"


def locate(card: Card, apdu: Apdu) -> tuple[Binary, int]:
    if apdu.p1 & 0x80:
        if apdu.p1 & 0x60:
            raise Refused(0x6A86)
        found, offset = card.find(apdu.p1 & 0x1F), apdu.p2
    else:
        found, offset = card.find(0), apdu.p1 << 8 | apdu.p2
    if not isinstance(found, Binary):
        raise Refused(0x6981)
    return found, offset


def part(card: Card, content: bytes, offset: int, le: int | None) -> bytes:
    if offset >= len(content):
        raise Refused(0x6B00)
    left = len(content) - offset
    if not le:
        return content[offset : offset + card.longest]
    if le > left:
        raise Refused(0x6C00 | left)
    return content[offset : offset + le]


def line(card: Card, wanted: bool, right: int, protected: bool) -> None:
    """Check that the class fits the line protection of the file, and the right."""
    if wanted and not protected:
        raise Refused(0x6900)
    card.need(right)
    if protected and not wanted:
        raise Refused(0x6900)


def line_key(card: Card, found: File, kid: int):
    return card.key(0x36, kid)


def read_binary(card: Card, apdu: Apdu) -> bytes:
    if len(apdu.data) > (4 if apdu.cla == 0x04 else 0):
        raise Refused(0x6700)
    found, offset = locate(card, apdu)
    protected = apdu.cla == 0x04
    line(card, found.mac_on_read, found.read, protected)
    if not protected:
        data = part(card, bytes(found.content), offset, apdu.le)
        doubt(card, found)
        return data
    key = line_key(card, found, found.read_key)
    _, iv = card.open_line(apdu, key, sealed=False)
    data = part(card, bytes(found.content), offset, apdu.le)
    doubt(card, found)
    return data + crypto.mac(key.value, data, iv)


def update_binary(card: Card, apdu: Apdu) -> None:
    if apdu.p1 & 0x80 and apdu.p1 & 0x60:
        raise Refused(0x6A86)
    if not apdu.data and apdu.cla == 0x00:
        raise Refused(0x6700)
    found, offset = locate(card, apdu)
    protected = apdu.cla == 0x04
    line(card, found.mac_on_write, found.write, protected)
    data = apdu.data
    if protected:
        key = line_key(card, found, found.write_key)
        data, _ = card.open_line(apdu, key, found.sealed_write)
    if not data:
        raise Refused(0x6700)
    if offset + len(data) > len(found.content):
        raise Refused(0x6B00)
    found.written = True
    found.content[offset : offset + len(data)] = data


COMMANDS = {
    (0x00, 0xB0): read_binary,
    (0x04, 0xB0): read_binary,
    (0x00, 0xD6): update_binary,
    (0x00, 0xD0): update_binary,
    (0x04, 0xD6): update_binary,
    (0x04, 0xD0): update_binary,
}
