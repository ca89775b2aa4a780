"""Blocking and unblocking of an application, and the end of a card."""

from reference.card import Apdu, Card, Refused


def maintained(card: Card, apdu: Apdu, parameters: set[int]) -> None:
    """Check the command's MAC under the key that maintains the application."""
    if apdu.p1 or apdu.p2 not in parameters:
        raise Refused(0x6A86)
    if len(apdu.data) > 4:
        raise Refused(0x6700)
    card.open_line(apdu, card.key(0x36, 0), sealed=False)


def block_application(card: Card, apdu: Apdu) -> None:
    here = card.directory
    maintained(card, apdu, {0, 1})
    here.blocked = "permanent" if apdu.p2 else "temporary"


def unblock_application(card: Card, apdu: Apdu) -> None:
    here = card.directory
    maintained(card, apdu, {0})
    here.blocked = ""


def block_card(card: Card, apdu: Apdu) -> None:
    maintained(card, apdu, {0})
    card.blocked = True


COMMANDS = {
    (0x84, 0x1E): block_application,
    (0x84, 0x18): unblock_application,
    (0x84, 0x16): block_card,
}
