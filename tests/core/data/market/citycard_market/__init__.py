"""A market: stalls that count visits on the card, at a price of city.toml, half for who buys for others."""
