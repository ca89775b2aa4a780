"""Bills, direct debits, biller files and prepaid credit on the card for water, electricity, gas, heat and telephone."""
