"""Clearing: from the batch files of the terminals to the bank instruction, every fen accounted for.

``pricing``     rules in stages make a price, each step explained
``intake``      every batch file ends accepted, duplicate or quarantined
``run``         every record ends accepted, rejected, suspended or duplicate; then it is posted and paid
``statements``  what each partner is owed and why
``bank``        the bank instruction, ISO 20022 pain.001.001.09
``explain``     one record from the file to the bank line
``queries``     read models over the Parquet store, for pages and reports
"""
