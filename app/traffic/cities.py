"""Cities of simulated customers and of far-away fraud: centres of real cities."""

from typing import NamedTuple


class City(NamedTuple):
    country: str
    latitude: float
    longitude: float


HOMES = (
    City("FR", 48.857, 2.352),
    City("DE", 52.520, 13.405),
    City("DE", 48.135, 11.582),
    City("ES", 40.417, -3.704),
    City("IT", 41.903, 12.496),
    City("IT", 45.464, 9.190),
    City("NL", 52.368, 4.904),
    City("BE", 50.850, 4.352),
    City("AT", 48.208, 16.373),
    City("PT", 38.722, -9.139),
    City("IE", 53.350, -6.260),
    City("FI", 60.170, 24.938),
)
"""Cities in the euro area in which customers live and between which they travel."""

FAR = (
    City("US", 40.713, -74.006),
    City("BR", -23.551, -46.633),
    City("SG", 1.352, 103.820),
    City("ZA", -26.204, 28.047),
    City("JP", 35.690, 139.692),
    City("AU", -33.869, 151.209),
)
"""Cities more than 5,000 km from every home city: a customer cannot travel there within twenty minutes."""

SPREAD_DEGREES = 0.3
"""Side of the square in which the customers and terminals of a city lie, some 25 km."""
