"""Errors of the pages and endpoints."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "AccessSubjectMissing",
    "AccessUnknown",
    "AddressTaken",
    "BodyInvalid",
    "BodyKindRefused",
    "BodyTooLarge",
    "FormRefused",
    "HeaderInvalid",
    "PageNotFound",
    "PermissionMissing",
    "PluginNotServing",
    "PluginStarting",
    "QueryInvalid",
    "SignInNeeded",
    "TokenRefused",
    "TooManyAttempts",
]


class SignInNeeded(CitycardError):
    """The page needs to know who is asking."""

    status, exit_code = 401, 5
    sentence = "this needs the permission {permission}: sign in first, or send a bearer token"


class TokenRefused(CitycardError):
    """A token or a session is not valid, and it is not said why."""

    status, exit_code = 401, 5
    sentence = (
        "this token is not valid: it is unknown, has expired, or was revoked; ask an operator for a new one"
    )


class PermissionMissing(CitycardError):
    """Whoever asks is known, and may not."""

    status, exit_code = 403, 5
    sentence = "the role {role} does not have the permission {permission} here"


class FormRefused(CitycardError):
    """A form did not come from its own page."""

    status, exit_code = 403, 5
    sentence = (
        "this form was not sent from its own page, or the page is too old: load the page again, then send it"
    )


class TooManyAttempts(CitycardError):
    """An address failed to sign in too often."""

    status, exit_code = 429, 5
    sentence = "too many failed sign-ins from this address: wait {wait_s} seconds, then try again"


class PageNotFound(CitycardError):
    """An address leads nowhere."""

    status, exit_code = 404, 3
    sentence = "there is no {thing} {name}"


class PluginNotServing(CitycardError):
    """A plugin's address is asked for, and the plugin is not enabled."""

    status, exit_code = 404, 5
    sentence = "the plugin {plugin} is not enabled here: it is {state}"


class PluginStarting(CitycardError):
    """A plugin was asked for while it is on its way up."""

    status, exit_code = 503, 4
    sentence = "the plugin {plugin} is being started: try again in a second"


class QueryInvalid(CitycardError):
    """A value in an address or a form cannot be read."""

    status, exit_code = 422, 3
    sentence = "{field} {text!r} is not valid: expected {expected}"


class HeaderInvalid(CitycardError):
    """A header is missing or cannot be read."""

    status, exit_code = 422, 3
    sentence = "the header {header} {wrong}: send the header {header}: {value} ({meaning})"


class BodyInvalid(CitycardError):
    """A body is not what its endpoint reads; every problem names the field and what was expected."""

    status, exit_code = 422, 3
    sentence = "this cannot be read: {problems}"


class BodyKindRefused(CitycardError):
    """A body is said to be of another kind than its endpoint reads."""

    status, exit_code = 415, 3
    sentence = "the body came {how}: send the header Content-Type: {expected}"


class BodyTooLarge(CitycardError):
    """A body is larger than its endpoint reads."""

    status, exit_code = 413, 3
    sentence = "the body is larger than {limit} bytes: send less"


class AccessUnknown(CitycardError):
    """An access to revoke does not exist."""

    status, exit_code = 404, 3
    sentence = "there is no access {name}: citycard access list shows all"


class AccessSubjectMissing(CitycardError):
    """A role that sees only its own things was granted without saying whose."""

    sentence = "the role {role} sees only its own things: say whose with --for ({expected})"


class AddressTaken(CitycardError):
    """The server cannot listen where it was told to."""

    exit_code = 4
    sentence = "cannot listen on {host}:{port} ({reason}): choose another with --host and --port"
