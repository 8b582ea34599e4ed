"""Distance on the Earth."""

from math import asin, cos, radians, sin, sqrt

from app.features.compiled import compiled

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the WGS 84 ellipsoid (IUGG)."""


@compiled
def distance_km(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
    """Return the great-circle distance between two points given in degrees, by the haversine formula (Sinnott 1984)."""
    phi_a, phi_b = radians(latitude_a), radians(latitude_b)
    half_phi = sin((phi_b - phi_a) / 2)
    half_lambda = sin(radians(longitude_b - longitude_a) / 2)
    chord = half_phi * half_phi + cos(phi_a) * cos(phi_b) * half_lambda * half_lambda
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord)))
