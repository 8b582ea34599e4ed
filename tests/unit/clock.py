"""A clock that the test sets."""


class Clock:
    """Returns ``seconds``, which the test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds
