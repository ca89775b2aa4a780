"""Tell the merchant that an order was paid, again and again until it is heard or given up."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from citycard.clock import Clock
from citycard.provider.sandbox.books import Books
from citycard.provider.signing import Signer, new_nonce
from citycard.provider.transport import NoAnswerError, send

__all__ = ["Notifier"]

_PAUSES_S = (0.0, 0.5, 1.0, 2.0, 4.0)
_TIMEOUT_S = 5.0
_OK = range(200, 300)


class Notifier:
    """Send notifications in threads of their own; faults say never, twice or late."""

    def __init__(self, books: Books, signer: Signer, clock: Clock) -> None:
        self._books = books
        self._signer = signer
        self._clock = clock

    def paid(self, order: Mapping[str, Any], report: Mapping[str, Any]) -> None:
        """Notify of a paid order, unless nobody wants to know."""
        fault = self._books.next_fault("notify")
        if not order["notify_url"] or (fault is not None and fault.what == "never"):
            return
        late_s = fault.seconds if fault is not None and fault.what == "late" else 0.0
        times = 2 if fault is not None and fault.what == "twice" else 1
        for _ in range(times):
            threading.Thread(
                target=self._tell, args=(order["notify_url"], dict(report), late_s), daemon=True
            ).start()

    def _tell(self, url: str, report: dict[str, Any], late_s: float) -> None:
        time.sleep(late_s)
        body = json.dumps(report).encode()
        for pause_s in _PAUSES_S:
            time.sleep(pause_s)
            seal = self._signer.seal(
                "POST", urlsplit(url).path, body, nonce=new_nonce(), now=self._clock.now()
            )
            headers = {"content-type": "application/json"} | seal.headers
            try:
                answer = send("POST", url, body=body, headers=headers, timeout_s=_TIMEOUT_S)
            except NoAnswerError:
                continue
            if answer.status in _OK:
                return
