"""What can go wrong in retail, one class each: its data and its sentence."""

from __future__ import annotations

from citycard.errors import CitycardError

__all__ = [
    "ApplicationDiffers",
    "ApplicationRefused",
    "ApplicationUnknown",
    "BasketEmpty",
    "FileLineInvalid",
    "MerchantUnknown",
    "MessageInvalid",
    "NothingToVoid",
    "OrderDiffers",
    "OrderRefused",
    "OrderUnknown",
    "ProductUnknown",
    "RetailActDiffers",
    "RetailOff",
    "RetailRefundRefused",
    "RetailValueInvalid",
    "SaleFinished",
    "SaleUnknown",
    "StatementDiffers",
    "StockMissing",
    "TierUnknown",
]


class RetailValueInvalid(CitycardError):
    """A value is none that may be, in ``[plugins.retail]`` or in what somebody asks for."""

    status, exit_code = 422, 3
    sentence = "retail: {field} is {value!r}: expected {expected}"


class TierUnknown(CitycardError):
    """No fee tier of this name may be given to a merchant of the category."""

    status, exit_code = 422, 3
    sentence = "category {category!r} has no fee tier {tier!r}: it may have {known}"


class ApplicationUnknown(CitycardError):
    """Nobody applied under this id."""

    status, exit_code = 404, 4
    sentence = "there is no application {id}"


class ApplicationDiffers(CitycardError):
    """The id of an application is taken by another one."""

    status, exit_code = 409, 5
    sentence = "application {id} is there with another {field}: make a new id for what is not the same"


class ApplicationRefused(CitycardError):
    """An application cannot take this step."""

    status, exit_code = 409, 5
    sentence = "application {id}: {reason}"


class MerchantUnknown(CitycardError):
    """A partner is no merchant, or a terminal belongs to none."""

    status, exit_code = 404, 4
    sentence = "{what} is no merchant of this city: apply for it first"


class RetailActDiffers(CitycardError):
    """The id of something that moves money is taken by something else."""

    status, exit_code = 409, 5
    sentence = "id {id} stands for another {kind} already: make a new id for what is not the same"


class SaleUnknown(CitycardError):
    """There is no sale of this id with any merchant."""

    status, exit_code = 404, 4
    sentence = "there is no sale {id!r}: expected the id of an online sale, or of a cleared record of a till"


class RetailRefundRefused(CitycardError):
    """A sale cannot be voided or refunded like this."""

    status, exit_code = 409, 5
    sentence = "sale {id}: {reason}"


class SaleFinished(CitycardError):
    """A sale whose card was taken away is paid after all; another of its sum or receipt was asked for."""

    status, exit_code = 409, 5
    sentence = (
        "receipt {receipt} of {amount_fen} fen is paid by card {asn} after all: if this is another sale, ask "
        "for it again"
    )


class NothingToVoid(CitycardError):
    """A till has no sale that this card can void."""

    status, exit_code = 409, 5
    sentence = "nothing to void: {reason}"


class ProductUnknown(CitycardError):
    """The supermarket does not sell this."""

    status, exit_code = 404, 4
    sentence = "there is no product {sku!r} on sale"


class StockMissing(CitycardError):
    """There is less of a product than is wanted."""

    status, exit_code = 409, 5
    sentence = "{quantity} of {sku} are wanted: {stock} are there"


class BasketEmpty(CitycardError):
    """An order is placed and nothing is in the basket."""

    status, exit_code = 409, 5
    sentence = "the basket of card {asn} is empty: put something into it first"


class OrderUnknown(CitycardError):
    """There is no order of this id."""

    status, exit_code = 404, 4
    sentence = "there is no order {id}"


class OrderDiffers(CitycardError):
    """The id of an order is taken by an order of another card."""

    status, exit_code = 409, 5
    sentence = "order {id} is there for another card: make a new id"


class OrderRefused(CitycardError):
    """An order cannot take this step, or was not paid."""

    status, exit_code = 409, 5
    sentence = "order {id}: {reason}"


class FileLineInvalid(CitycardError):
    """A line of a file cannot be taken; nothing of the file was."""

    status, exit_code = 422, 3
    sentence = "{file}, line {line}, {field}: {value!r}: expected {expected}; nothing was taken of the file"


class MessageInvalid(CitycardError):
    """An ISO 8583 message cannot be read or answered; ``code`` is what field 39 of an answer says."""

    sentence = "message: {reason} (field {field}, response code {code})"


class StatementDiffers(CitycardError):
    """What retail adds up of a statement is not what clearing paid."""

    status, exit_code = 500, 1
    sentence = (
        "merchant {partner}, run {run}: the lines add up to {lines_fen} fen, clearing has {clearing_fen}"
    )


class RetailOff(CitycardError):
    """The city does not have retail switched on."""

    status, exit_code = 409, 5
    sentence = "retail does not run in the city in {folder}: citycard plugin enable retail --city {folder}"
