"""Why a raw value is not a value of its field."""

from app.errors import InvalidReason


class Refused(Exception):  # the value is refused; its source turns this into its own error
    """A value that its field cannot have. ``what`` says so about the field or column, and never holds the value."""

    def __init__(self, reason: InvalidReason, what: str) -> None:
        super().__init__(what)
        self.reason = reason
        self.what = what


def missing() -> Refused:
    return Refused(InvalidReason.MISSING_FIELD, "is null")


def wrong_type(wanted: str, remedy: str = "") -> Refused:
    return Refused(InvalidReason.WRONG_TYPE, f"is not {wanted}{remedy}")


def out_of_range(what: str) -> Refused:
    return Refused(InvalidReason.OUT_OF_RANGE, what)
