"""What tests of citycard and of its plugins share.

- ``fixtures``: fixtures that pytest finds by itself once citycard is installed;
- ``pcscd``: a real PC/SC service with virtual readers, for the length of a test run;
- ``postgresql``: a real PostgreSQL server for the length of a test run;
- ``town``: a town for tests of plugins, with cards, tills, clearing and pages;
- ``tacs``: the TACs of very many purchases, as their cards would make them.
"""
