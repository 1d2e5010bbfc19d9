"""Times of log lines."""

import re
from datetime import datetime, timezone

_FRACTION = re.compile(r"\.\d+")


def seconds(stamp: str | float) -> float:
    """Return an ISO 8601 time, or seconds since the epoch, as seconds since the epoch; 0 for any other text."""
    if not isinstance(stamp, str):
        return stamp
    try:
        return datetime.fromisoformat(_FRACTION.sub("", stamp).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0


def local_time(stamp: str | float) -> str:
    """Return the time of day, here, of an ISO 8601 time or seconds since the epoch; any other text unchanged."""
    if not isinstance(stamp, str):
        return datetime.fromtimestamp(stamp, timezone.utc).astimezone().strftime("%H:%M:%S")
    try:
        # Python 3.10 reads neither Z nor nanoseconds.
        plain = _FRACTION.sub("", stamp).replace("Z", "+00:00")
        return datetime.fromisoformat(plain).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return stamp
