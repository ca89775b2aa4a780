"""Settings that contradict themselves are refused by the path of what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from citycard.errors import CitycardError
from citycard.kernel.settings import structure
from citycard_egov.settings import EgovSettings


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("services", 0, "department"), "harbour", "services residence-certificate: department: 'harbour'"),
        (("services", 0, "steps", 0, "department"), "harbour", "services residence-certificate: steps"),
        (("services", 0, "fields"), ["shoe_size"], "services residence-certificate: fields: 'shoe_size'"),
        (("services", 1, "number"), 7, "services: number: 7 stands there twice"),
        (("services", 0, "fee_fen"), -1, "fee_fen"),
        (("services", 0, "steps"), [], "steps"),
        (("departments", 0, "tells"), ["shoe_size"], "departments civil-affairs: tells: 'shoe_size'"),
        (("departments", 1, "id"), "civil-affairs", "departments: id: civil-affairs stands there twice"),
        (("rights", 0, "field"), "name", "rights over-65: field: name is no date"),
        (("rights", 1, "mark"), 0, "rights: mark: 0 stands there twice"),
        (("concessions", 0, "rights"), ["rich"], "concessions old-age: rights: 'rich'"),
        (("windows", 0, "services"), ["passport"], "windows hall: services: 'passport'"),
        (("small_count",), 1, "small_count"),
        (("nodes",), [{"id": "a", "title": "A", "key": "0"}], "key"),
    ],
)
def test_a_mistake_is_told_by_its_path(
    settings: dict[str, Any], path: tuple[Any, ...], value: object, message: str
) -> None:
    import copy

    content = copy.deepcopy(settings)
    place = content
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(CitycardError) as refused:
        structure(EgovSettings, content, where="plugins.egov")
    assert message in str(refused.value)
