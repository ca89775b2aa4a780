"""Send one HTTP request and wait for its answer, no longer than said; redirects are not followed."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import attrs

__all__ = ["Answer", "NoAnswerError", "send"]

_LARGEST_BYTES = 256 * 1024


class NoAnswerError(Exception):
    """There was no whole answer; what was asked may have been done."""


@attrs.frozen(kw_only=True)
class Answer:
    """An answer: status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def send(method: str, url: str, *, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Answer:
    """Send a request to an http or https URL; certificates are verified. Raise NoAnswerError."""
    where = urlsplit(url)
    connection = _connection(where.scheme, where.hostname or "", where.port, timeout_s)
    path = where.path + (f"?{where.query}" if where.query else "")
    try:
        connection.request(method, path, body=body or None, headers=dict(headers))
        answer = connection.getresponse()
        content = answer.read(_LARGEST_BYTES + 1)
        if len(content) > _LARGEST_BYTES or not answer.isclosed():
            raise NoAnswerError("its answer is too long")
        return Answer(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.getheaders()},
            body=content,
        )
    except TimeoutError:
        raise NoAnswerError(f"no answer in {timeout_s:g} s") from None
    except (OSError, http.client.HTTPException) as broken:
        raise NoAnswerError(str(broken) or type(broken).__name__) from broken
    finally:
        connection.close()


def _connection(scheme: str, host: str, port: int | None, timeout_s: float) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)
    return http.client.HTTPConnection(host, port, timeout=timeout_s)
