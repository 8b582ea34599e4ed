"""Change data capture: Debezium's change events to transactions and reference rows.

Start with ``transaction_decoder``, which chooses between plain transactions and change events.
"""
