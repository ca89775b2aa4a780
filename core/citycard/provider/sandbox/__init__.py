"""A payment provider of one's own, for trying: its own process, its own books, and faults on demand.

- ``books``: orders, refunds, agreements, faults and settlements in a SQLite file;
- ``app``: the endpoints that a merchant calls, the page on which a citizen pays, and those that make it fail;
- ``notifying``: tells the merchant, and goes on until it is heard;
- ``keys``: the keys of both sides.
"""
