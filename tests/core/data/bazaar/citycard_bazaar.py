"""A bazaar that sells whatever card products city.toml names, each with a sector for its stalls."""

from __future__ import annotations

import attrs

from citycard import CardProduct, PluginInfo, SectorLayout, codec, hookimpl, layout


@attrs.frozen(kw_only=True)
class Product:
    name: str
    title: str
    kind: int = 1
    deposit_fen: int = 0
    price_fen: int = 0
    purse_limit_fen: int = 100_000


@attrs.frozen(kw_only=True)
class Settings:
    products: tuple[Product, ...] = (Product(name="standard", title="Standard card"),)


@layout(size=4)
class Stalls:
    visits: int = codec.unsigned(4)


@hookimpl
def citycard_plugin():
    return PluginInfo(name="bazaar", title="Bazaar", core=">=0.1,<1")


@hookimpl
def citycard_settings():
    return Settings


@hookimpl
def citycard_sectors():
    example = (bytes(4), Stalls(visits=0))
    yield SectorLayout(name="bazaar-stalls", title="Stalls", record=Stalls, examples=(example,))


@hookimpl
def citycard_card_products(settings):
    for product in settings.products:
        yield CardProduct(**attrs.asdict(product))
