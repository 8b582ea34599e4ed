"""Catalogs of transfers with own fields, for tests that add features of the customer to them."""

from string import Template

_TRANSFERS = Template("""
[catalog]
name = "transfers"
reference_currency = "EUR"

[fields]
$fields

[entities.customer]
key = "customer_id"
[entities.terminal]
key = "terminal_id"

[[features]]
name = "terminal_risk_7d"
entity = "terminal"
function = "risk"
window = "7d"
delay = "7d"

$features
""")


def transfers(fields: str, features: str) -> str:
    """Return a catalog with these fields and features, and the risk of the terminal, which the state of another entity gives."""
    return _TRANSFERS.substitute(fields=fields.strip(), features=features.strip())
