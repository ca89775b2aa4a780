"""Bus and metro: fare rules as configuration, gates that speak to the card, and the replay of a city's taps.

``plugin``     what the core asks of transit
``settings``   ``[plugins.transit]`` of city.toml
``fares``      from those settings to fee rules
``services``   what a record's facts mean: the price that is asked for, and who shares it
``sectors``    the rail record on the card, and transit's part of a transaction record
``gates``      a tap at a gate or a validator: entry, exit, bus
``taps``       one tap, wherever it comes from
``shenzhen``   taps from the open-data format of Shenzhen
``morning``    taps from a generator, over the network in ``network``
``products``   which card product a published card must be
``opening``    partners, places, terminals and cards, opened as they appear
``play``       every tap through a terminal and a chip
``replay``     a morning from the first tap to the bank, again without harm
``explain``    one ride's price, rule by rule
``web``        endpoints
``commands``   what the command line offers

Inside: ``railcard`` and ``purselog`` (what gates write and read on a card), ``chipmaking``, ``cardbox`` and
``playbook`` (what is kept of a play), ``summary``, ``asking``, ``words``.
"""
