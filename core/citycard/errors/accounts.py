"""Errors of the kinds of money beside the purse: online accounts, holds, limits, subsidies, points."""

from __future__ import annotations

from typing import Any

from citycard.errors.base import CitycardError
from citycard.errors.phrase import Phrase

__all__ = [
    "AccountNotOpen",
    "AccountNotOwed",
    "ActDiffers",
    "ActGivenUp",
    "ActUnknown",
    "ChargeRefused",
    "DebitRefused",
    "FundsMissing",
    "GrantFileInvalid",
    "GrantRefused",
    "HoldRefused",
    "HoldUnknown",
    "LimitExceeded",
    "LimitLoosened",
    "OnlineAccountUnknown",
    "PaymentUnknown",
    "PointsRefused",
    "ProgrammeConflict",
    "ProgrammeUnknown",
    "RefundRefused",
    "SchemeConflict",
    "SchemeUnknown",
    "ShareRefused",
    "WalletInvalid",
    "WalletRefused",
]


class WalletInvalid(CitycardError, ValueError):
    """A field of a payment, hold, programme or scheme is not well-formed."""

    sentence = "{record}: {field} is {value!r}: expected {expected}"


class ActDiffers(CitycardError):
    """An id stands for something else that was asked for before."""

    status, exit_code = 409, 5
    sentence = "id {id} stands for another {kind} already: make a new id for what is not the same"


class WalletRefused(CitycardError):
    """Something cannot be done with the money as it is; asked again under the same id, the answer stays."""

    status, exit_code = 409, 5
    sentence = "refused: {reason}"


class ActGivenUp(WalletRefused):
    """What was asked for under an id was given up before it happened, and never happens."""

    sentence = "id {id} was given up before anything was paid: make a new id"


class ActUnknown(CitycardError):
    """Nothing was asked for under this id."""

    status = 404
    sentence = "nothing was asked for under id {id}: expected that of a payment, a hold or another act"


class ChargeRefused(CitycardError):
    """An account does not pay what a partner charges; how much it has and may pay is its holder's to know."""

    status, exit_code = 409, 5
    sentence = "account {number} does not pay this: ask its holder"


class DebitRefused(WalletRefused):
    """A plugin says no to an online debit; ``code`` is its own stable word for why."""

    sentence = "{reason} ({plugin}: {code})"


class OnlineAccountUnknown(CitycardError):
    """Nobody opened an online account with this number, or for this card."""

    status = 404
    sentence = "there is no online account {number!r}: citycard account open CARD opens one"


class AccountNotOpen(WalletRefused):
    """An online account is frozen or closed, or cannot be closed yet."""

    sentence = "account {number} {reason}"


class AccountNotOwed(WalletRefused):
    """Nothing is owed to the holder of an online account, or less than is to be paid out."""

    sentence = "account {number} is not paid out: {reason}"


class FundsMissing(WalletRefused):
    """There is less money than is wanted."""

    sentence = "{owner} has {available_fen} fen for this: {wanted_fen} fen are wanted"


class LimitExceeded(WalletRefused):
    """A limit of the city, or one that the owner set, says no.

    ``limit`` names act, period and unit, ``limit_value`` and ``used`` are in that unit (fen or times), and
    ``resets_at`` is the city's local time at which the period ends; empty for a single act.
    """

    sentence = "account {number}: {limit} is limited to {limit_value}, {used} are used{until}"

    def __init__(
        self, *, number: str, limit: str, limit_value: int, used: int, wanted: int, resets_at: str
    ) -> None:
        super().__init__(
            number=number,
            limit=limit,
            limit_value=limit_value,
            used=used,
            wanted=wanted,
            resets_at=resets_at,
            until=Phrase(" until {resets_at}", resets_at=resets_at) if resets_at else "",
        )
        del self.data["until"]


class LimitLoosened(CitycardError):
    """An owner wants a limit that allows more than the city's."""

    status, exit_code = 409, 5
    sentence = "account {number}: {field} for {act} is {wanted}: the city allows {allowed}, give no more"


class HoldUnknown(CitycardError):
    """Nobody made a hold with this id."""

    status = 404
    sentence = "there is no hold {id}: expected the id under which it was authorised"


class HoldRefused(WalletRefused):
    """A hold has ended, or is smaller than what is to be captured."""

    sentence = "hold {id}: {reason}"


class PaymentUnknown(CitycardError):
    """Nobody paid with this id."""

    status = 404
    sentence = "there is no payment {id}: expected the id under which it was made"


class RefundRefused(WalletRefused):
    """More would be given back than was paid and is not given back yet."""

    sentence = "payment {id}: {left_fen} fen can be given back, {wanted_fen} fen are wanted"


class ShareRefused(WalletRefused):
    """Somebody would give back more of a payment than it got of it and has not given back yet."""

    sentence = "payment {id}: {address} has {left_fen} fen of it to give back: {wanted_fen} fen are wanted"


class ProgrammeUnknown(CitycardError):
    """There is no subsidy programme with this id."""

    status = 404
    sentence = "there is no subsidy programme {programme!r}: citycard subsidy add makes one"


class ProgrammeConflict(CitycardError):
    """A subsidy programme is there and is different."""

    status, exit_code = 409, 5
    sentence = "programme {programme!r} is there with another {field}: it is not changed after it was made"


class GrantRefused(WalletRefused):
    """A subsidy cannot be granted."""

    sentence = "programme {programme}: {reason}"


class GrantFileInvalid(CitycardError, ValueError):
    """A file of grants cannot be read as a whole."""

    sentence = "{file}: {reason}"


class SchemeUnknown(CitycardError):
    """There is no points scheme of this partner, or no rate between two of them."""

    status = 404
    sentence = "there is no {what}: {remedy}"


class SchemeConflict(CitycardError):
    """A points scheme is there and is different."""

    status, exit_code = 409, 5
    sentence = "the scheme of {scheme!r} is there with another {field}: lots that were earned keep theirs"


class PointsRefused(WalletRefused):
    """Points cannot be earned, used or exchanged so."""

    sentence = "points of {scheme}: {reason}"


def refusal_of(name: str, data: dict[str, Any]) -> CitycardError:
    """Make the refusal again that was remembered by the name of its class and its data."""
    kind: type[CitycardError] = globals()[name]
    return kind(**data)
