"""Sector cards: the software MIFARE Classic, its driver, and the purse protocol of older city cards."""
