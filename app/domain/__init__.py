"""The nouns of the field: transaction, decision, alert, label, contact, order. They import nothing of the project but errors.

The structs are the contracts of the topics; schemas of every format are generated from them. Start with ``transaction``.
"""
