"""A city zoo on the city card: one sector, one price, one endpoint."""
