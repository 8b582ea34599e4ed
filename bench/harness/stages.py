"""Time per stage of our worker, from its metrics."""

import re
from collections import defaultdict
from urllib.request import urlopen

_SUM = re.compile(r'^fraudstream_chunk_seconds_sum\{stage="(\w+)"\} (\S+)$', re.MULTILINE)


def seconds_per_stage(ports: list[int]) -> dict[str, float]:
    """Return the seconds that the workers with metrics on these ports have spent in each stage so far."""
    seconds: dict[str, float] = defaultdict(float)
    for port in ports:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            for stage, value in _SUM.findall(page.read().decode()):
                seconds[stage] += float(value)
    return dict(seconds)
