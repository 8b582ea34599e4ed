"""Customers with their habits and terminals with their positions, as one array per attribute.

Every step is a draw from the generator, an addition, a multiplication, a square root or a rounding, so that a seed gives the
same population on every machine: sines and exponentials differ in their last bit between machines.
"""

import msgspec
import numpy as np
import numpy.typing as npt

from app.traffic.cities import FAR, HOMES, SPREAD_DEGREES, City

Integers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

POS, ECOMMERCE, ATM = range(3)
CHANNELS = ("pos", "ecommerce", "atm")
_ECOMMERCE_FROM, _ATM_FROM = 0.70, 0.92
MCCS = (
    ("5411", "5812", "5814", "5541", "5912", "5311", "5651", "7011"),
    ("5942", "5732", "5816", "4722", "5999", "4899", "5968", "5691"),
    ("6011", "6011", "6011", "6011", "6011", "6011", "6011", "6011"),
)
"""Usual merchant category codes of each channel."""

FAVOURITES = 12
ECOMMERCE_SLOTS = (1, 6)
"""Positions among a customer's favourites that are internet shops, of any city."""


class Terminals(msgspec.Struct, frozen=True, kw_only=True):
    """All terminals; each array has one entry per terminal."""

    city: Integers
    """Index into HOMES + FAR."""
    latitude: Reals
    longitude: Reals
    channel: Integers
    mcc: Integers
    """Index into the MCCS of the channel."""
    home_count: int
    """Terminals with this number or a higher one are far away."""

    def within(self, city: Integers, share: Reals) -> Integers:
        """Return a terminal in each ``city``, chosen by ``share`` in [0, 1)."""
        order = np.argsort(self.city, kind="stable")
        counts = np.bincount(self.city, minlength=len(HOMES) + len(FAR))
        starts = np.cumsum(counts) - counts
        chosen: Integers = order[starts[city] + (share * counts[city]).astype(np.int64)]
        return chosen

    def of_channel(self, channel: int) -> Integers:
        """Return all terminals of a channel, or all home terminals if there is none."""
        found = np.flatnonzero(self.channel == channel)
        return found if found.size else np.arange(self.home_count)

    def far_shops(self) -> Integers:
        """Return the far terminals that require the card to be present; the first far terminal always does."""
        return np.flatnonzero((self.channel == POS) & (np.arange(self.city.size) >= self.home_count))


class Customers(msgspec.Struct, frozen=True, kw_only=True):
    """All customers; each array has one entry per customer."""

    city: Integers
    latitude: Reals
    longitude: Reals
    mean_minor: Reals
    std_minor: Reals
    per_day: Reals
    peak_hour: Reals
    favourites: Integers
    """Shape (customers, FAVOURITES): terminals, the most visited first."""


def draw_terminals(rng: np.random.Generator, count: int) -> Terminals:
    """Draw terminals, of which one in 25, and at least one, is far away."""
    far_count = max(1, count // 25)
    home_count = count - far_count
    city = np.concatenate(
        [rng.integers(len(HOMES), size=home_count), len(HOMES) + rng.integers(len(FAR), size=far_count)]
    )
    chance = rng.random(count)
    channel = np.where(chance < _ECOMMERCE_FROM, POS, np.where(chance < _ATM_FROM, ECOMMERCE, ATM))
    channel[home_count] = POS
    latitude, longitude = _near(rng, city)
    return Terminals(
        city=city,
        latitude=latitude,
        longitude=longitude,
        channel=channel,
        mcc=rng.integers(len(MCCS[0]), size=count),
        home_count=home_count,
    )


def draw_customers(rng: np.random.Generator, count: int, terminals: Terminals) -> Customers:
    """Draw customers with habits as in the simulator of the Fraud Detection Handbook: mean amounts of 5 to 100 euros and up
    to four transactions per day.
    """
    inhabited = np.unique(terminals.city[: terminals.home_count])
    city = inhabited[rng.integers(inhabited.size, size=count)]
    latitude, longitude = _near(rng, city)
    mean_minor = 500.0 + 9500.0 * rng.random(count)
    return Customers(
        city=city,
        latitude=latitude,
        longitude=longitude,
        mean_minor=mean_minor,
        std_minor=mean_minor / 2,
        per_day=0.2 + 3.8 * rng.random(count),
        peak_hour=8.0 + 12.0 * rng.random(count),
        favourites=_draw_favourites(rng, city, terminals),
    )


def _draw_favourites(rng: np.random.Generator, city: Integers, terminals: Terminals) -> Integers:
    favourites = np.empty((city.size, FAVOURITES), dtype=np.int64)
    shops = terminals.of_channel(ECOMMERCE)
    for slot in range(FAVOURITES):
        share = rng.random(city.size)
        online = slot in ECOMMERCE_SLOTS
        favourites[:, slot] = (
            shops[(share * shops.size).astype(np.int64)] if online else terminals.within(city, share)
        )
    return favourites


def _near(rng: np.random.Generator, city: Integers) -> tuple[Reals, Reals]:
    cities: tuple[City, ...] = HOMES + FAR
    offsets = SPREAD_DEGREES * (rng.random((2, city.size)) - 0.5)
    latitude = np.array([each.latitude for each in cities])[city] + offsets[0]
    longitude = np.array([each.longitude for each in cities])[city] + offsets[1]
    return np.round(latitude, 5), np.round(longitude, 5)
