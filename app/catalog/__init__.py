"""The catalog: the fields, entities and features that a deployment knows, as checked definitions. Pure.

Parsed data becomes a ``Catalog``, or all of its problems (``checking``); ``functions`` says what each function takes and gives,
``digest`` identifies definitions, ``diff`` compares catalogs. Imports ``app.expressions``, ``app.domain`` and errors. Start with
``definitions``.
"""
