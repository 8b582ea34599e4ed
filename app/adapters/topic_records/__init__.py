"""What the service's own topics hold, as values: dead letters, orders, questions, scored rows.

Built on ``kafka`` and ``serde``; used by commands and by the workers' control listener.
"""
