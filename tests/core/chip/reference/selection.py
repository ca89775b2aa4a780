"""SELECT, GET CHALLENGE and what a directory says of itself."""

from reference.card import Apdu, Card, Refused
from reference.files import Directory, KeyFile


def select(card: Card, apdu: Apdu) -> bytes:
    if (apdu.p1, apdu.p2) == (0x00, 0x00) and not apdu.data:
        found = card.master
    elif (apdu.p1, apdu.p2) == (0x00, 0x00):
        if len(apdu.data) != 2:
            raise Refused(0x6700)
        found = by_id(card, int.from_bytes(apdu.data, "big"))
    elif (apdu.p1, apdu.p2) == (0x04, 0x00):
        if not 1 <= len(apdu.data) <= 16:
            raise Refused(0x6700)
        names = {d.name: d for d in card.master.everything()}
        found = names.get(apdu.data)
    else:
        raise Refused(0x6A86)
    if found is None:
        raise Refused(0x6A82)
    if not isinstance(found, Directory):
        card.file, card.record = found, None
        return b""
    answer = fci(card, found)
    if apdu.le not in {None, 0, len(answer)}:
        raise Refused(0x6C00 | len(answer))
    enter(card, found)
    return answer


def by_id(card: Card, fid: int):
    here = card.directory
    if fid == 0x3F00:
        return card.master
    if fid == here.fid:
        return here
    if here.parent is not None and here.parent.fid == fid:
        return here.parent
    found = here.files.get(fid)
    return None if isinstance(found, KeyFile) else found  # nobody selects that


def enter(card: Card, directory: Directory) -> None:
    card.directory, card.file = directory, None
    card.status = 0
    card.pin_given = False
    if directory is card.master:
        card.master_status = 0
    if directory.blocked == "temporary":
        card.warning = b"\x62\x83"


def tlv(tag: str, value: bytes) -> bytes:
    return bytes.fromhex(tag) + bytes((len(value),)) + value


def fci(card: Card, directory: Directory) -> bytes:
    if directory is card.master:
        inner = tlv("88", b"\x01")
    else:
        public = directory.files.get(0x15)
        inner = tlv("9F08", card.application_version) if card.application_version else b""
        inner += tlv("9F0C", bytes(public.content)) if public is not None else b""
    return tlv("6F", tlv("84", directory.name) + tlv("A5", inner))


def get_challenge(card: Card, apdu: Apdu) -> bytes:
    if (apdu.p1, apdu.p2) != (0, 0):
        raise Refused(0x6A86)
    if apdu.data or apdu.le not in {4, 8}:
        raise Refused(0x6700)
    card.challenge = card.random(apdu.le)
    return card.challenge


COMMANDS = {(0x00, 0xA4): select, (0x00, 0x84): get_challenge}
