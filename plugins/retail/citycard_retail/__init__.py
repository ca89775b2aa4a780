"""Purchases, voids, refunds, hotel holds, merchants and fee tiers, and the online supermarket."""
