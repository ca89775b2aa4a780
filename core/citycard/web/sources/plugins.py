"""The plugins with states and reasons, and what cards can be used for through those that run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from citycard.web.views import Domain, Part, PluginView

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.kernel import PluginReport

__all__ = ["read_domains", "read_plugins"]


def read_plugins(city: City) -> tuple[PluginView, ...]:
    """Read every plugin that is installed or named here, by name; settings are not shown."""
    return tuple(_view(report) for report in city.plugins.reports())


def read_domains(city: City) -> tuple[Domain, ...]:
    """Read what cards can be used for, by plugin."""
    services = city.plugins.services()
    return tuple(
        Domain(
            plugin=report.name,
            title=report.title or report.name,
            title_zh=report.title_zh,
            services=tuple(
                (owned.record.title, owned.record.title_zh)
                for owned in services
                if owned.owner.plugin == report.name
            ),
        )
        for report in city.plugins.reports()
        if report.running
    )


def _view(report: PluginReport) -> PluginView:
    return PluginView(
        name=report.name,
        title=report.title or report.name,
        title_zh=report.title_zh,
        distribution=report.distribution,
        version=report.version,
        description=report.description,
        state=report.state.value,
        reason=report.reason,
        claims=tuple(Part(kind=claim["kind"], name=claim["key"]) for claim in report.claims),
        failures=report.failures,
        off_in=report.off_in,
    )
