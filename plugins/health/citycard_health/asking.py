"""What the endpoints of health share: ids in addresses, answers of blocking work, a body."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs

from citycard_health.errors import NotFound

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["HealthAct", "answered", "path_id"]


@attrs.frozen(kw_only=True)
class HealthAct:
    """An act with something that its address names; ``reason`` where somebody has to be told why."""

    reason: str = attrs.field(default="", validator=attrs.validators.max_len(100))


def path_id(request: Request, name: str = "id", what: str = "appointment") -> UUID:
    """Read an id of the path; raise NotFound for what is none."""
    text = request.path_params[name]
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(what=what, name=text[:40]) from None


async def answered(work: Callable[[], Any]) -> Response:
    """Do blocking work in a thread and answer with its record."""
    from starlette.concurrency import run_in_threadpool

    from citycard.web import json_answer

    return json_answer(await run_in_threadpool(work))
