"""A city opened for judging elsewhere: folder, keys and prices, no database, and no secret on the way."""

from __future__ import annotations

import pickle

import pytest

from citycard.city.workers import open_worker
from citycard.errors import PassphraseNotFound, WorkerDiffers

pytestmark = pytest.mark.usefixtures("bazaar")


@pytest.fixture
def city(found_city, card_town, tmp_path):
    city = found_city(tmp_path / "city", card_town)
    yield city
    city.close()


def test_a_worker_has_the_keys_and_the_rules_of_its_city_and_needs_no_database(city):
    sent = pickle.dumps(city.worker)
    rules, versions = city.rules_version, city.vault.versions()
    city.close()
    for file in city.folder.glob("city.sqlite*"):
        file.unlink()
    worker = pickle.loads(sent)()
    assert (worker.folder, worker.rules_version) == (city.folder.resolve(), rules)
    assert worker.vault.versions() == versions
    assert not list(city.folder.glob("city.sqlite*"))
    worker.vault.close()


def test_no_secret_is_in_what_a_worker_is_sent(city, monkeypatch):
    sent = pickle.dumps(city.worker)
    secret = city.folder / "vault.pass"
    assert secret.read_bytes().strip() not in sent
    secret.unlink()
    with pytest.raises(PassphraseNotFound):
        pickle.loads(sent)()


@pytest.mark.parametrize("wanted", [("bazaar", "citycard-bazaar 9.9"), ("zoo", "citycard-zoo 1.0")])
def test_a_worker_with_other_plugins_refuses_to_judge(city, wanted):
    with pytest.raises(WorkerDiffers, match=wanted[1]) as differs:
        open_worker(city.folder, (wanted,))
    assert differs.value.exit_code == 5


def test_a_plugin_that_was_switched_off_is_off_in_a_worker_whatever_city_toml_says(city):
    city.plugins.disable("bazaar", by="somebody")
    worker = city.worker()
    assert worker.tariffs.of(0).plugins.reports()[0].running is False
    worker.vault.close()
