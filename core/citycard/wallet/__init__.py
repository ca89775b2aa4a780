"""The city's money: a double-entry ledger and the desk that loads cards."""
