"""Every loop that follows a topic survives every record: one module for each loop, with the same family of hostile records.

Orders on the control topic: tests/unit/streaming/control/test_listener.py. What commands read: test_commands.py.
"""
