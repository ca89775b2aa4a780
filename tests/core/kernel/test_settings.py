"""Settings fit their class exactly, or every problem is told with the path of its key."""

from __future__ import annotations

from datetime import time, timedelta
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import Literal

import attrs
import pytest

from citycard import secret
from citycard.errors import SettingsInvalid
from citycard.kernel.settings import shown, structure


class Season(Enum):
    SUMMER = "summer"
    WINTER = "winter"


class Size(StrEnum):
    SMALL = "small"


class Level(IntEnum):
    LOW = 1


@attrs.frozen(kw_only=True)
class Gate:
    name: str
    fee_fen: int = 0
    password: str = secret(default="", validator=attrs.validators.max_len(8))


@attrs.frozen(kw_only=True)
class Settings:
    """Everything that city.toml can say."""

    ticket_fen: int = attrs.field(default=2000, validator=attrs.validators.ge(0))
    share: float = 0.5
    open: bool = True
    season: Season = Season.SUMMER
    kind: Literal["day", "year"] = "day"
    gates: tuple[Gate, ...] = ()
    prices: dict[str, int] = attrs.field(factory=dict)
    note: str | None = None
    opens: time = time(9)
    window: timedelta = timedelta(minutes=30)
    folder: Path = Path()
    token: str = secret(default="")


GOOD = {
    "ticket_fen": 1500,
    "share": 1,
    "open": False,
    "season": "winter",
    "kind": "year",
    "gates": [{"name": "north", "fee_fen": 5}, {"name": "south"}],
    "prices": {"child": 0},
    "note": "closed on Mondays",
    "opens": time(8, 30),
    "window": 60,
    "folder": "photos",
    "token": "hush",
}

BAD = {
    "ticket_fen": ("2000", "ticket_fen: expected a whole number, got a text"),
    "share": ("half", "share: expected a number, got a text"),
    "open": (1, "open: expected true or false, got a whole number"),
    "season": ("spring", "season: expected one of 'summer', 'winter'"),
    "kind": ("week", "kind: expected one of 'day', 'year'"),
    "gates": ({"name": "north"}, "gates: expected a list, got a table"),
    "prices": ({"child": 1.5}, "prices.child: expected a whole number, got a number"),
    "note": (7, "note: expected a text, got a whole number"),
    "opens": ("8:30", "opens: expected a time of day, got a text"),
    "window": ("1h", "window: expected whole seconds, got a text"),
    "folder": (1, "folder: expected a path, got a whole number"),
    "tikcet_fen": (1, "tikcet_fen: unknown key (known: ticket_fen, share, open"),
}


def test_everything_that_fits_is_taken():
    settings = structure(Settings, GOOD, where="plugins.zoo")

    assert (
        settings.ticket_fen,
        settings.share,
        settings.open,
        settings.season,
        settings.kind,
    ) == (1500, 1.0, False, Season.WINTER, "year")
    assert (Gate(name="north", fee_fen=5), Gate(name="south")) == settings.gates
    assert (time(8, 30), timedelta(minutes=1), Path("photos")) == (
        settings.opens,
        settings.window,
        settings.folder,
    )


def test_what_is_left_out_has_its_default():
    assert Settings() == structure(Settings, {}, where="plugins.zoo")


@pytest.mark.parametrize("key", BAD)
def test_what_does_not_fit_is_refused_with_its_path_and_what_was_expected(key):
    value, problem = BAD[key]

    with pytest.raises(SettingsInvalid) as refused:
        structure(Settings, {**GOOD, key: value}, where="plugins.zoo")

    assert f"plugins.zoo.{problem}" in str(refused.value)


def test_every_problem_is_told_at_once():
    with pytest.raises(SettingsInvalid) as refused:
        structure(Settings, {key: value for key, (value, _) in BAD.items()}, where="plugins.zoo")

    missing = [problem for _, problem in BAD.values() if problem not in str(refused.value)]
    assert missing == []


def test_a_missing_value_and_a_wrong_value_inside_a_list_have_paths_too():
    with pytest.raises(SettingsInvalid) as refused:
        structure(Settings, {"gates": [{"fee_fen": "five"}]}, where="plugins.zoo")

    assert "plugins.zoo.gates[0].name: missing, expected a text" in str(refused.value)
    assert "plugins.zoo.gates[0].fee_fen: expected a whole number, got a text" in str(refused.value)


def test_of_very_many_problems_the_first_are_told_and_how_many_more_there_are():
    with pytest.raises(SettingsInvalid) as refused:
        structure(Settings, {"gates": [3] * 30_000}, where="plugins.zoo")

    assert str(refused.value).endswith("plugins.zoo.gates[19]: expected a table; and 29980 more")


def test_a_text_is_no_list_of_its_letters():
    with pytest.raises(SettingsInvalid, match=r"plugins\.zoo\.gates: expected a list, got a text$"):
        structure(Settings, {"gates": "north"}, where="plugins.zoo")


def test_a_validator_of_the_class_is_told_in_its_own_words():
    with pytest.raises(SettingsInvalid, match="'ticket_fen' must be >= 0"):
        structure(Settings, {"ticket_fen": -1}, where="plugins.zoo")


@pytest.mark.parametrize("content", [[], "zoo", 3, None])
def test_what_is_no_table_is_refused(content):
    with pytest.raises(SettingsInvalid, match=r"plugins\.zoo: expected a table"):
        structure(Settings, content, where="plugins.zoo")


def test_a_secret_is_in_no_message_no_repr_and_on_no_screen():
    settings = structure(Settings, GOOD, where="plugins.zoo")

    with pytest.raises(SettingsInvalid) as refused:
        structure(Settings, {"gates": [{"name": "north", "password": "much-too-long"}]}, where="plugins.zoo")

    assert "much-too-long" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert "hush" not in repr(settings)
    assert shown(settings)["token"] == "•••"
    assert "hush" not in str(shown(settings))
    assert [gate["password"] for gate in shown(settings)["gates"]] == ["•••", "•••"]


def test_a_plugin_gets_its_section_of_the_configuration(plugin, city):
    seen = []

    def citycard_settings():
        return Settings

    def citycard_sectors(settings):
        seen.append(settings.ticket_fen)
        return ()

    city(plugin("zoo", citycard_settings, citycard_sectors), settings={"zoo": {"ticket_fen": 900}})

    assert seen == [900]


def test_wrong_settings_refuse_the_plugin_and_say_where(plugin, city, states):
    plugins = city(
        plugin("zoo", settings=lambda: Settings), plugin("park"), settings={"zoo": {"ticket": 900}}
    )

    state, reason = states(plugins)["zoo"]
    assert state == "refused"
    assert reason.startswith("settings are not valid: plugins.zoo.ticket: unknown key (known: ticket_fen, ")
    assert states(plugins)["park"] == ("enabled", "")


def test_settings_for_a_plugin_that_takes_none_are_refused(plugin, city, states):
    plugins = city(plugin("zoo"), settings={"zoo": {"ticket_fen": 900}})

    assert states(plugins)["zoo"] == (
        "refused",
        "plugins.zoo: it has no settings, and city.toml gives ticket_fen",
    )


def test_a_settings_class_that_is_none_is_refused(plugin, city, states):
    plugins = city(plugin("zoo", settings=lambda: {"ticket_fen": 1}))

    assert states(plugins)["zoo"] == ("refused", "citycard_settings gives a dict, expected an attrs class")


def test_a_secret_may_come_from_the_environment_and_city_toml_wins(plugin, city, monkeypatch):
    monkeypatch.setenv("CITYCARD_ZOO_TOKEN", "from outside")
    monkeypatch.setenv("CITYCARD_ZOO_TICKET_FEN", "1")
    found = plugin("zoo", settings=lambda: Settings)

    def token(plugins):
        return plugins._live.running["zoo"].context.settings.token

    assert token(city(found)) == "from outside"
    assert token(city(found, settings={"zoo": {"token": "from the file"}})) == "from the file"
    assert city(found)._live.running["zoo"].context.settings.ticket_fen == 2000
    assert city(found).report("zoo").settings["token"] == "•••"


@pytest.mark.parametrize(
    ("content", "words"),
    [({"size": "huge"}, "zoo.size: expected one of 'small'"), ({"level": 9}, "zoo.level: expected one of 1")],
)
def test_an_enum_that_is_also_text_or_a_number_takes_its_own_members_alone(content, words):
    @attrs.frozen(kw_only=True)
    class Cage:
        size: Size = Size.SMALL
        level: Level = Level.LOW

    made = structure(Cage, {"size": "small", "level": 1}, where="zoo")
    assert (type(made.size), type(made.level)) == (Size, Level)
    with pytest.raises(SettingsInvalid, match=words):
        structure(Cage, content, where="zoo")
