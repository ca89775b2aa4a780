"""The city's payment provider, as ``[topup.provider]`` of city.toml names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from citycard.errors import ProviderSettingsMissing
from citycard.provider import HttpsProvider
from citycard.provider.signing import read_private_key, read_public_key

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["has_provider", "open_provider"]


def has_provider(city: City) -> bool:
    """Say whether orders can be paid online here."""
    return city.config.topup.provider is not None


def open_provider(city: City) -> HttpsProvider:
    """Make the adapter of the city's provider; raise ProviderSettingsMissing or ProviderKeyInvalid.

    Its signatures carry the machine's own time: the provider does not live by the city's clock.
    """
    section = city.config.topup.provider
    if section is None:
        raise ProviderSettingsMissing
    return HttpsProvider(
        name=section.name,
        url=section.url,
        merchant=section.merchant,
        key=read_private_key(city.folder / section.key_file),
        provider_key=read_public_key(city.folder / section.provider_key_file),
        provider_key_name=section.provider_key_name,
        timeout_s=section.timeout_s,
    )
