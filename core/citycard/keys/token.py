"""A PKCS#11 token: one session that many threads share, opened again when the token was away.

The package ``python-pkcs11`` (extra ``hsm``) is imported when the first token is opened. A module is started
without locks of its own and holds one login per process and token, so everything that is asked of a module
goes through one lock, and vaults on one token share its session.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from hmac import compare_digest
from pathlib import Path
from typing import Any, TypeVar

from citycard.errors import (
    CitycardError,
    MechanismMissing,
    PinWrong,
    TokenFailed,
    TokenFull,
    TokenMissing,
    TokenModuleMissing,
    TokenPackageMissing,
)

__all__ = ["Token", "open_token"]

_Answer = TypeVar("_Answer")

_GONE = {
    "CryptokiNotInitialized",
    "DeviceRemoved",
    "DeviceError",
    "KeyHandleInvalid",
    "ObjectHandleInvalid",
    "SessionClosed",
    "SessionHandleInvalid",
    "TokenNotPresent",
    "UserNotLoggedIn",
}
_ABSENT = {"NoSuchToken", "TokenNotPresent", "TokenNotRecognised", "SlotIDInvalid", "DeviceRemoved"}
_PIN = {"PinIncorrect", "PinInvalid", "PinLenRange", "PinLocked", "PinExpired"}
_FULL = {"DeviceMemory"}
_CANNOT = {"MechanismInvalid", "MechanismParamInvalid", "FunctionNotSupported"}


class _Module:
    """A loaded PKCS#11 library. ``started`` counts its starts: a session of an earlier start is void."""

    def __init__(self, path: str, library: Any) -> None:
        self.path = path
        self.library = library
        self.lock = threading.RLock()
        self.started = 0
        self.process = os.getpid()

    def restart(self) -> None:
        """Start the library anew: it sees tokens that came and forgets those that went."""
        if self.process != os.getpid():
            # A forked process owns neither the sessions nor the lock of its parent.
            self.lock, self.process = threading.RLock(), os.getpid()
        self.library.reinitialize()
        self.started += 1


class Token:
    """One token of a module, logged in. ``run`` does something in its session, again if it was away."""

    def __init__(self, module: _Module, label: str, pin: str) -> None:
        self.label = label
        self._module = module
        self._pin = pin
        self._session: Any = None
        self._started = -1
        self._handles: dict[object, Any] = {}
        self.users = 0

    def __repr__(self) -> str:
        return f"<Token {self.label!r} of {self._module.path}>"

    def opens_with(self, pin: str) -> bool:
        """Say whether this is the PIN that opened the token."""
        return compare_digest(self._pin.encode(), pin.encode())

    def run(self, work: Callable[[Any], _Answer]) -> _Answer:
        """Give ``work`` the session and return its answer; a token that was away is opened once more.

        ``work`` may run twice. Raises ``TokenMissing``, ``PinWrong``, ``TokenFull``, ``MechanismMissing`` or
        ``TokenFailed``.
        """
        with self._module.lock:
            try:
                return work(self._opened())
            except CitycardError:
                raise
            except _failures() as failure:
                if type(failure).__name__ not in _GONE:
                    raise self._told(failure) from None
            self._session = None
            try:
                return work(self._opened())
            except CitycardError:
                raise
            except _failures() as failure:
                raise self._told(failure) from None

    def kept(self, name: object, make: Callable[[], Any]) -> Any:
        """Return an object of the session that was made before, or make it: call it inside ``run``."""
        if name not in self._handles:
            self._handles[name] = make()
        return self._handles[name]

    def forget(self) -> None:
        """Let go of the objects kept, such as after one was replaced."""
        self._handles.clear()

    def mechanisms(self) -> set[str]:
        """Return the names of the mechanisms that the token has."""
        found = self.run(lambda session: session.token.slot.get_mechanisms())
        return {getattr(one, "name", str(one)) for one in found}

    def close(self) -> None:
        """Log out, once nobody uses the token any more."""
        with self._module.lock:
            self.users -= 1
            if self.users > 0:
                return
            _TOKENS.pop((self._module.path, self.label), None)
            if self._session is not None and self._started == self._module.started:
                try:
                    self._session.close()
                except _failures() as failure:
                    raise self._told(failure) from None
                finally:
                    self._session = None
                    self._handles.clear()

    def _opened(self) -> Any:
        module = self._module
        forked = module.process != os.getpid()
        if self._session is None or self._started != module.started or forked:
            self._handles.clear()
            if forked:
                module.restart()
            try:
                self._session = self._login()
            except _failures() as failure:
                if type(failure).__name__ in _PIN:
                    raise
                # Tokens that came after the module was started are seen when it is started anew.
                module.restart()
                self._session = self._login()
            self._started = module.started
        return self._session

    def _login(self) -> Any:
        return self._module.library.get_token(token_label=self.label).open(rw=True, user_pin=self._pin)

    def _told(self, failure: Exception) -> CitycardError:
        kind = type(failure).__name__
        if kind in _ABSENT:
            return TokenMissing(label=self.label, module=self._module.path)
        if kind in _PIN:
            return PinWrong(label=self.label, reason=kind)
        if kind in _FULL:
            return TokenFull(label=self.label)
        if kind in _CANNOT:
            return MechanismMissing(label=self.label, mechanism="one that was asked for")
        return TokenFailed(label=self.label, reason=kind)


_MODULES: dict[str, _Module] = {}
_TOKENS: dict[tuple[str, str], Token] = {}
_OPENING = threading.Lock()


def open_token(module: str | os.PathLike[str], label: str, pin: str) -> Token:
    """Log in to a token by its label.

    Raises ``TokenPackageMissing``, ``TokenModuleMissing``, and what ``Token.run`` raises.
    """
    with _OPENING:
        loaded = _load(os.fspath(module))
        known = _TOKENS.get((loaded.path, label))
        if known is not None and not known.opens_with(pin):
            raise PinWrong(label=label, reason="it is open with another PIN")
        token = known or Token(loaded, label, pin)
        token.run(lambda _: None)
        token.users += 1
        _TOKENS[loaded.path, label] = token
        return token


def _load(path: str) -> _Module:
    if path in _MODULES:
        return _MODULES[path]
    try:
        import pkcs11
    except ImportError:
        raise TokenPackageMissing(module=path) from None
    if not Path(path).is_file():
        raise TokenModuleMissing(module=path, reason="there is no such file")
    try:
        library = pkcs11.lib(path)
    except pkcs11.PKCS11Error as failure:
        raise TokenModuleMissing(module=path, reason=str(failure) or type(failure).__name__) from None
    return _MODULES.setdefault(path, _Module(path, library))


def _failures() -> type[Exception]:
    import pkcs11

    failure: type[Exception] = pkcs11.PKCS11Error
    return failure
