"""Who and what takes part."""
