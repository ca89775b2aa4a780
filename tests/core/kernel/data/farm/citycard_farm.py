"""Claims the sector 'meadow' as well."""

from citycard import PluginInfo, SectorLayout, codec, hookimpl, layout


@hookimpl
def citycard_plugin():
    return PluginInfo(name="farm", title="Farm", core=">=0.1,<1")


@layout(size=2)
class Record:
    """Two bytes."""

    count: int = codec.unsigned(2)


@hookimpl
def citycard_sectors():
    yield SectorLayout(name="meadow", record=Record)
