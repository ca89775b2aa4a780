"""The exchange with other cities: their cards used here, ours used there (docs/interconnect.md).

The city where a card is used is the acquirer, the card's own city its issuer. The acquirer checks a record as
far as it can and sends it; the issuer clears it like one of its own, and answers; then both book the same.

- ``format``: the files, signed and numbered; ``context``: what the city supplies;
- ``sending`` and ``outgoing``: the files that are due; ``receiving``, ``incoming`` and ``answers``: what
  comes in, each file once, and what that means; ``filebook``: the files by number;
- ``positions`` and ``settling``: who owes whom how much, by window; ``reports``: where every file and record
  ended; ``tables``: rows.
"""
