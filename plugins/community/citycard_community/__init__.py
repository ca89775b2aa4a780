"""Doors, parking, property fees and leases for residential communities."""
