"""Errors of money on its way in: payers, agents, orders, payment providers."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "AgentConflict",
    "AgentUnknown",
    "DayNotClosable",
    "NotificationRefused",
    "OrderConflict",
    "OrderElsewhere",
    "OrderInvalid",
    "OrderRefused",
    "OrderUnknown",
    "PayerInvalid",
    "ProcessFailed",
    "ProviderKeyInvalid",
    "ProviderRefused",
    "ProviderSettingsMissing",
    "ProviderUnavailable",
    "TopUpRuleInvalid",
]


class PayerInvalid(CitycardError):
    """The payer of a load is named in words that nobody knows."""

    status = 422
    sentence = (
        "payer {words!r} is not valid: expected a partner's id, or refund/, order/, account/ or subsidy/ and "
        "a name"
    )


class AgentUnknown(CitycardError):
    """A load agent was not opened."""

    status, exit_code = 404, 3
    sentence = "partner {agent} is no load agent: open it with citycard agent open"


class AgentConflict(CitycardError):
    """A load agent is opened with other terms, or an id of its money is used for something else."""

    status, exit_code = 409, 5
    sentence = "agent {agent}: {field} is {existing}, not {wanted}"


class DayNotClosable(CitycardError):
    """The business day of a load agent cannot be closed."""

    status, exit_code = 409, 5
    sentence = "day {day} of agent {agent} cannot be closed: {reason}"


class OrderInvalid(CitycardError):
    """An order of a top-up cannot be made of this."""

    status = 422
    sentence = "{field} {value!r} of a top-up is not valid: expected {expected}"


class OrderUnknown(CitycardError):
    """No order has this id."""

    status, exit_code = 404, 3
    sentence = "there is no order {order}: citycard topup list shows all"


class OrderConflict(CitycardError):
    """An order's id was used for another order."""

    status, exit_code = 409, 5
    sentence = "order {order} was made before with {field} {existing}, not {wanted}: make a new id"


class OrderElsewhere(CitycardError):
    """An order was made at another payment provider than the city has now."""

    status, exit_code = 409, 5
    sentence = (
        "order {order} was made at payment provider {provider}, and city.toml names {now}: put the section "
        "of {provider} back until its orders are over"
    )


class OrderRefused(CitycardError):
    """An order is not in a state for what was asked."""

    status, exit_code = 409, 5
    sentence = "order {order} is {state}: {reason}"


class ProviderUnavailable(CitycardError):
    """A payment provider did not answer; what was asked may have been done."""

    status, exit_code = 503, 4
    sentence = (
        "payment provider {provider} did not answer to {what} ({reason}): ask again, or wait; nothing is lost"
    )


class ProviderRefused(CitycardError):
    """A payment provider answered and said no."""

    status, exit_code = 409, 5
    sentence = "payment provider {provider} refused {what}: {reason}"


class ProcessFailed(CitycardError):
    """A command that tests need in its own process did not start."""

    exit_code = 4
    sentence = "citycard {command} did not start, and ended with code {code}"


class ProviderKeyInvalid(CitycardError):
    """A key file of the payment provider's settings cannot be used."""

    status, exit_code = 500, 4
    sentence = "{path} holds no key that can be used: expected {expected}"


class ProviderSettingsMissing(CitycardError):
    """The city has no payment provider."""

    status, exit_code = 409, 4
    sentence = "this city has no payment provider: add [topup.provider] to city.toml"


class NotificationRefused(CitycardError):
    """A notification was not the provider's, came late, or came before."""

    status, exit_code = 401, 5
    sentence = "this notification is not accepted: {reason}"


class TopUpRuleInvalid(CitycardError):
    """A rule of automatic top-up does not make sense."""

    status = 422
    sentence = "{field} {value!r} of an automatic top-up is not valid: expected {expected}"
