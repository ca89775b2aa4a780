"""A SoftHSM for tests: PKCS#11 tokens in a folder of the test's own, as a hardware module shows them.

SoftHSM finds its tokens through SOFTHSM2_CONF, which it reads whenever a process starts it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import attrs

from citycard.errors import SoftHsmMissing

__all__ = ["SoftHsm", "find_module"]

_PLACES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)
_OFFICER_PIN = "87654321"


def find_module(places: tuple[str, ...] = _PLACES) -> Path:
    """Give the path of SoftHSM's library; raise SoftHsmMissing, which names the Debian package."""
    for place in map(Path, places):
        if place.is_file():
            return place
    raise SoftHsmMissing(package="softhsm2")


@attrs.frozen
class SoftHsm:
    """The tokens in one folder; a process sees them when SOFTHSM2_CONF names ``configuration``."""

    folder: Path

    @property
    def module(self) -> Path:
        """The PKCS#11 library."""
        return find_module()

    @property
    def configuration(self) -> Path:
        """The file that SOFTHSM2_CONF must name."""
        return self.folder / "softhsm2.conf"

    def write(self) -> None:
        """Write the configuration."""
        tokens = self.folder / "tokens"
        tokens.mkdir(parents=True, exist_ok=True)
        self.configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n")

    def token(self, label: str, pin: str) -> None:
        """Make an empty token."""
        command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin]
        subprocess.run(  # noqa: S603 - our own arguments
            [*command, "--so-pin", _OFFICER_PIN],
            check=True,
            capture_output=True,
            env=os.environ | {"SOFTHSM2_CONF": str(self.configuration)},
        )
