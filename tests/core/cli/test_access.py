"""``citycard access`` makes tokens that open pages, shows them once, and ends them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from citycard import registry
from citycard.city import City
from citycard.cli.access import group
from citycard.errors import AccessUnknown, RegistryMissing
from citycard.store import reading, writing
from citycard.web.tokens import find

CITY = '[city]\nname = "Haibin"\ncode = "9901"\n'


@pytest.fixture
def folder(found_city, tmp_path):
    template = tmp_path / "template.toml"
    template.write_text(CITY)
    city = found_city(tmp_path / "city", template)
    with writing(city.engine) as conn:
        registry.add_partners(conn, [registry.Partner(id="ferry", name="Ferry")])
    city.close()
    return tmp_path / "city"


@pytest.fixture
def run(folder):
    def call(*arguments):
        done = CliRunner().invoke(group, [*arguments, "--city", str(folder)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done

    return call


def access_of(folder, secret):
    city = City.open(folder)
    with reading(city.engine) as conn:
        found = find(conn, secret, kind="token", at=datetime.now(UTC))
    city.close()
    return found


def test_grant_prints_the_token_alone_on_stdout(run, folder):
    done = run("grant", "--role", "auditor", "--days", "7", "--label", "the auditors of March")
    secret = done.stdout.strip()
    access = access_of(folder, secret)
    assert (access.role.value, access.label, (access.expires_at - access.created_at).days) == (
        "auditor",
        "the auditors of March",
        7,
    )
    assert access.id in done.stderr


def test_grant_as_json_is_one_object(run, folder):
    answer = json.loads(run("grant", "--role", "partner", "--for", "ferry", "--json").stdout)
    assert set(answer) == {"id", "role", "subject", "expires_at", "token"}
    assert access_of(folder, answer["token"]).subject == "ferry"


@pytest.mark.parametrize("role", ["citizen", "partner"])
def test_a_citizen_or_a_partner_needs_a_subject(folder, role):
    done = CliRunner().invoke(group, ["grant", "--role", role, "--city", str(folder)])
    assert (done.exit_code, "--for" in done.output) == (2, True)


@pytest.mark.parametrize("role", ["partner", "citizen"])
def test_nothing_is_granted_for_a_partner_or_a_card_that_is_not_registered(role, run, folder):
    wanted = ["grant", "--role", role, "--for", "nobody", "--city", str(folder)]
    with pytest.raises(RegistryMissing, match="'nobody' is not registered"):
        CliRunner().invoke(group, wanted, catch_exceptions=False)
    assert json.loads(run("list", "--json").stdout) == []


def test_an_unknown_role_is_a_wrong_call(folder):
    done = CliRunner().invoke(group, ["grant", "--role", "king", "--city", str(folder)])
    assert done.exit_code == 2


def test_the_list_shows_everything_but_secrets(run):
    secret = run("grant", "--role", "clerk", "--label", "till 3").stdout.strip()
    listed, told = json.loads(run("list", "--json").stdout), run("list").stdout
    (one,) = listed
    assert (one["role"], one["label"], one["valid"], one["revoked_at"]) == ("clerk", "till 3", True, None)
    assert ("till 3" in told, secret in told, secret.rpartition("_")[2] in str(listed)) == (
        True,
        False,
        False,
    )


def test_a_revoked_access_is_listed_as_revoked_and_opens_nothing(run, folder):
    answer = json.loads(run("grant", "--role", "operator", "--json").stdout)
    run("revoke", answer["id"])
    assert access_of(folder, answer["token"]) is None
    assert [one["valid"] for one in json.loads(run("list", "--json").stdout)] == [False]
    assert "revoked" in run("list").stdout


def test_revoking_what_was_never_granted_says_so(folder):
    with pytest.raises(AccessUnknown, match="citycard access list"):
        CliRunner().invoke(group, ["revoke", "nothing", "--city", str(folder)], catch_exceptions=False)
