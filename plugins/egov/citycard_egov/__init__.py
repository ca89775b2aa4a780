"""Residents, proof of identity, applications, subsidies and logged queries for a city's offices."""
