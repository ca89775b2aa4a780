from __future__ import annotations

import pytest

from citycard.city import read_config
from citycard.city.config import LiveChoices
from citycard.errors import CityConfigInvalid, CityNotFound, SettingsInvalid

SMALL = '[city]\nname = "Weihai"\ncode = "2646"\n'
TARGET = "[[supervision.targets]]\nvalue = 5\nsince = 2026-06-01\nuntil = 2026-06-30\n{more}\n"


def test_a_small_configuration_is_enough(tmp_path):
    (tmp_path / "city.toml").write_text(SMALL)

    config = read_config(tmp_path)

    assert config.city.name == "Weihai"
    assert config.city.issuer == "01012646FFFFFFFF"
    assert config.store.url == "sqlite:///city.sqlite"
    assert config.allow is None
    assert config.cards.algorithms == ()


def test_allow_and_enable_are_not_plugins(tmp_path):
    plugins = '[plugins]\nallow = ["zoo"]\nenable = ["zoo"]\n[plugins.zoo]\nfee_fen = 5\n'
    (tmp_path / "city.toml").write_text(SMALL + plugins)

    config = read_config(tmp_path)

    assert config.allow == ("zoo",)
    assert config.enable == ("zoo",)
    assert config.plugins == {"zoo": {"fee_fen": 5}}


def test_a_folder_without_a_city_says_how_to_make_one(tmp_path):
    with pytest.raises(CityNotFound, match="citycard city create"):
        read_config(tmp_path)


def test_broken_toml_is_named_with_its_line(tmp_path):
    (tmp_path / "city.toml").write_text("[city\nname = 3")

    with pytest.raises(CityConfigInvalid, match=r"city\.toml.*line 1"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[city]\nname = "X"\ncode = "58"\n', "code"),
        ('[city]\ncode = "5840"\n', "name"),
        ('[city]\nname = 5\ncode = "5840"\n', "name"),
        (SMALL + "[clearing]\nfee_bp = 10001\n", "fee_bp"),
        (SMALL + "[clearing]\nfee_pb = 30\n", "fee_pb"),
        (SMALL + "[clearing.fees_bp]\nbus = -1\n", "fees_bp"),
        (SMALL + '[cards]\nalgorithms = ["des"]\n', "algorithms"),
        (SMALL + TARGET.format(more='measure = "smiles"'), r"supervision\.targets\[0\]\.measure.*'cards'"),
        (
            SMALL + TARGET.format(more='measure = "cards"\ndistrict = "moon"'),
            r"targets\[0\]\.district 'moon'",
        ),
        (SMALL + TARGET.format(more='measure = "cards"\nmonth = 6'), r"targets\[0\]\.month: unknown key"),
        (SMALL + TARGET.format(more="").replace("5", "0"), "value"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_its_path(tmp_path, text, expected):
    (tmp_path / "city.toml").write_text(text)

    with pytest.raises(SettingsInvalid, match=expected):
        read_config(tmp_path)


def test_a_server_sees_what_city_toml_says_now_and_keeps_what_it_knew_when_it_is_broken(tmp_path):
    path = tmp_path / "city.toml"
    path.write_text(SMALL)
    choices = LiveChoices(tmp_path, read_config(tmp_path))
    assert choices.allow is None

    path.write_text(SMALL + '[plugins]\nallow = ["zoo"]\n[plugins.zoo]\nfee_fen = 900\n')
    assert (choices.allow, choices.plugins) == (("zoo",), {"zoo": {"fee_fen": 900}})

    path.write_text(SMALL + "[plugins\n")
    assert choices.allow == ("zoo",)
