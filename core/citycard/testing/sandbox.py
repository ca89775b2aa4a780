"""The payment sandbox as its own process, for tests of top-ups that are paid online."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from citycard.errors import ProcessFailed

__all__ = ["PaymentSandbox", "start_command"]

_MAIN = "from citycard.cli.main import main; main()"
_PATIENCE_S = 15.0


def start_command(*words: str, folder: Path) -> subprocess.Popen[str]:
    """Start a ``citycard`` command as its own process in a folder; read its ``stdout`` for what it says."""
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", _MAIN, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=os.environ,
        text=True,
        start_new_session=True,
    )


class PaymentSandbox:
    """A payment provider in its own process: pay there, look at its books, tell it to fail.

    Use it as a context. ``settings`` are the keys of ``[topup.provider]`` in city.toml.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.settings: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._process = start_command(
            "sandbox", "payments", "--port", "0", "--folder", "box", "--json", folder=self._folder
        )
        assert self._process.stdout is not None
        lines: list[str] = []
        while not lines or lines[-1] != "}\n":
            lines.append(self._process.stdout.readline())
            if not lines[-1]:
                raise ProcessFailed(command="sandbox payments", code=self._process.wait())
        self.settings = json.loads("".join(lines))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.kill(self._process.pid, signal.SIGTERM)
        self._process.wait(_PATIENCE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def section(self, notify_url: str = "") -> str:
        """Give ``[topup.provider]`` for a city.toml."""
        settings = self.settings | {"notify_url": notify_url}
        return "\n".join(
            ["[topup.provider]", *(f'{name} = "{value}"' for name, value in settings.items()), ""]
        )

    def pay(self, number: str) -> None:
        """Pay an order, by its number at the provider, as a citizen does."""
        self._ask(f"/pay/{number}", {})

    def agree(self, agreement: str) -> None:
        """Let a citizen agree that orders of an agreement are paid without asking."""
        self._ask("/sandbox/agreements", {"agreement": agreement})

    def fail(self, on: str, what: str, *, times: int = 1, seconds: float = 0.0) -> None:
        """Do something wrong the next ``times`` times (docs/topup.md); 0 takes it back."""
        self._ask("/sandbox/faults", {"on": on, "what": what, "times": times, "seconds": seconds})

    def books(self) -> dict[str, int]:
        """Give the provider's own sums, in fen: paid, refunded, settled, owed."""
        found: dict[str, int] = json.loads(self._ask("/sandbox/books"))
        return found

    def _ask(self, path: str, content: dict[str, Any] | None = None) -> bytes:
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(self.settings["url"] + path, data=body)  # noqa: S310 - our own address
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310
            text: bytes = answer.read()
            return text
