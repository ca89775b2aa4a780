"""Purchases, voids, refunds, hotel holds, merchants and fee tiers for shops, restaurants, hotels and the online supermarket."""
