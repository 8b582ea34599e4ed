"""The policy: rules, score bands and what is answered when there is no time, as checked definitions, and their evaluation. Pure.

``checking`` makes a ``Policy`` of parsed data, or lists all of its problems; ``program`` evaluates one over chunks of columns, ``hit_rates``
demotes rules that fire too often. Imports ``app.catalog``, ``app.checking``, ``app.expressions``, ``app.domain`` and errors. Start with
``definitions``, then ``program``.
"""
