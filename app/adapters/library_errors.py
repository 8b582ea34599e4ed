"""Errors of libraries that read what others wrote, as errors of this service."""

from collections.abc import Callable


class Translated:
    """Raises an error of the block again as the one that ``into`` makes of it. Errors of the kinds in ``passing`` are left as they are.

    For libraries that document no errors for damaged input: aiokafka's parser and codecs, skops, zipfile, NumPy, scikit-learn, fastavro
    and the client of the schema registry raise anything from zlib.error to RecursionError, and the next release may raise others.
    One that escaped would end the loop that reads the input. Its kind decides nothing, since the input is refused in any case.
    """

    def __init__(self, into: Callable[[Exception], Exception], *passing: type[Exception]) -> None:
        self._into = into
        self._passing = passing

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, self._passing):
            raise self._into(error) from error
