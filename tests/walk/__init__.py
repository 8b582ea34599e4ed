"""README.md and every page of docs/, walked command by command in one shell, as a new user would: from an empty HOME.

The package ``commands`` says of each command what it needs; a command that is in no class fails a test. What needs files only runs in
`make test`, what needs Kafka in `make test-all`.
"""
