"""One table of raw values through every door: files, records, change events. ``values`` has the rows, ``doors`` the columns.

``python -m tests.contract.doors > docs/data/one-contract.md`` writes the result.
"""
