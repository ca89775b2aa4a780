"""What tests of citycard and of its plugins share.

- ``fixtures``: fixtures that pytest finds by itself once citycard is installed;
- ``postgresql``: a real PostgreSQL server for the length of a test run.
"""
