"""The network of Haibin, the city that is not on any map: four metro lines and ten bus lines.

Places have the numbers that stand on the card: line times 100 plus station for the metro, and the line's
own number for a bus. examples/morning/city.toml puts the stations into fare zones by these numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import attrs

__all__ = ["BUS_LINES", "METRO_LINES", "BusLine", "MetroLine", "Station", "named", "route", "stations"]


@attrs.frozen(kw_only=True)
class Station:
    """A station on one line; an interchange is two of them with one name."""

    code: int
    name: str
    name_zh: str


@attrs.frozen(kw_only=True)
class MetroLine:
    """A metro line: number, name, operator in both languages, stations in order."""

    number: int
    name: str
    operator: str
    operator_zh: str
    stations: tuple[Station, ...]


@attrs.frozen(kw_only=True)
class BusLine:
    """A bus line: number, operator in both languages, and the metro stations it stops at, by name."""

    number: int
    name: str
    name_zh: str
    operator: str
    operator_zh: str
    vehicles: int
    stops: tuple[str, ...]


def _line(number: int, operator: str, operator_zh: str, names: str) -> MetroLine:
    pairs = [entry.strip().rsplit(" ", 1) for entry in names.split(",")]
    stations = tuple(
        Station(code=number * 100 + place, name=name, name_zh=name_zh)
        for place, (name, name_zh) in enumerate(pairs, start=1)
    )
    return MetroLine(
        number=number, name=f"Line {number}", operator=operator, operator_zh=operator_zh, stations=stations
    )


_HAIBIN_METRO = ("Haibin Metro", "海滨地铁")
_BAY_RAIL = ("Bay Rail", "海湾轨道")

METRO_LINES = (
    _line(
        1,
        *_HAIBIN_METRO,
        "Airport 机场, Salt Fields 盐田, Lighthouse 灯塔, West Gate 西门, Fish Market 鱼市, Old Town 老城, "
        "Drum Tower 鼓楼, People's Square 人民广场, Concert Hall 音乐厅, Silk Street 丝绸街, East Gate 东门, "
        "Orchard 果园, Railway East 火车东站",
    ),
    _line(
        2,
        *_HAIBIN_METRO,
        "North Hills 北山, Tea Garden 茶园, University 大学, Library 图书馆, Stadium 体育场, "
        "People's Square 人民广场, City Hall 市政厅, Museum 博物馆, River Mouth 河口, "
        "Ferry Pier 轮渡码头, Shipyard 船厂, South Beach 南滩",
    ),
    _line(
        3,
        *_BAY_RAIL,
        "Software Park 软件园, High-Tech Zone 高新区, Lotus Lake 莲湖, Old Town 老城, City Hall 市政厅, "
        "Hospital 医院, Zoo 动物园, Willow Lane 柳巷, Harbour 港湾, Container Port 集装箱港",
    ),
    _line(
        4,
        *_BAY_RAIL,
        "Pine Valley 松谷, Stone Bridge 石桥, University 大学, Lotus Lake 莲湖, Drum Tower 鼓楼, "
        "Museum 博物馆, Zoo 动物园, Garden City 花园城, Exhibition Centre 会展中心, Sunrise Bay 日出湾",
    ),
)

_EAST_BUS = ("Dongshan Bus", "东山公交")
_WEST_BUS = ("Xihai Bus", "西海公交")


def _bus(number: int, operator: tuple[str, str], vehicles: int, *stops: str) -> BusLine:
    return BusLine(
        number=number,
        name=f"Bus {number - 900}",
        name_zh=f"{number - 900}路",
        operator=operator[0],
        operator_zh=operator[1],
        vehicles=vehicles,
        stops=stops,
    )


BUS_LINES = (
    _bus(901, _WEST_BUS, 14, "Airport", "Salt Fields", "West Gate", "Old Town"),
    _bus(903, _WEST_BUS, 12, "Lighthouse", "Fish Market", "Museum"),
    _bus(905, _WEST_BUS, 12, "Software Park", "University", "Tea Garden"),
    _bus(908, _WEST_BUS, 10, "Tea Garden", "West Gate", "Lotus Lake", "Stadium"),
    _bus(911, _EAST_BUS, 14, "East Gate", "Orchard", "Railway East"),
    _bus(914, _EAST_BUS, 12, "East Gate", "Silk Street", "Concert Hall", "Hospital"),
    _bus(917, _EAST_BUS, 10, "Pine Valley", "North Hills", "Stone Bridge"),
    _bus(922, _EAST_BUS, 12, "Garden City", "Willow Lane", "Harbour"),
    _bus(925, _EAST_BUS, 10, "South Beach", "Ferry Pier", "Sunrise Bay"),
    _bus(930, _EAST_BUS, 8, "South Beach", "Container Port", "Shipyard", "Exhibition Centre"),
)


def stations() -> Iterator[tuple[MetroLine, Station]]:
    """List every station of every line, in order of its number."""
    for line in METRO_LINES:
        for station in line.stations:
            yield line, station


@cache
def named(name: str) -> tuple[tuple[MetroLine, Station], ...]:
    """List the stations that carry a name: one, or two at an interchange."""
    return tuple((line, station) for line, station in stations() if station.name == name)


@cache
def route(origin: str, destination: str) -> tuple[int, int, int]:
    """Find the way with the fewest stops: code at the entry, code at the exit, and stops in between.

    Breadth first over stations; a change of line counts as one stop. Ties go to the lower number.
    """
    goal = {station.code for _, station in named(destination)}
    steps = [(station.code, station.code) for _, station in named(origin)]
    seen = {code for code, _ in steps}
    for length in range(len(METRO_LINES) * 20):
        for code, first in steps:
            if code in goal:
                return first, code, length
        following = [(near, first) for code, first in steps for near in _near(code)]
        steps = []
        for code, first in following:
            if code not in seen:
                seen.add(code)
                steps.append((code, first))
    raise LookupError(f"{origin} and {destination} are not connected")


@cache
def _near(code: int) -> tuple[int, ...]:
    codes = {station.code: station.name for _, station in stations()}
    beside = [near for near in (code - 1, code + 1) if near in codes]
    changes = [station.code for _, station in named(codes[code]) if station.code != code]
    return (*beside, *changes)
