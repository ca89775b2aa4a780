"""Simulate a city."""
