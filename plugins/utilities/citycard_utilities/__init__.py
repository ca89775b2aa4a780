"""Bills, direct debits, biller files, and prepaid credit on the card, for water, power, gas and telephone."""
