"""Measure what a city can do on this machine, each figure with a peer beside it in the same run."""

from __future__ import annotations
