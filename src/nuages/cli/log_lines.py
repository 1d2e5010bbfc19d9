"""Times of log lines."""

from datetime import datetime


def local_time(stamp: str) -> str:
    """Return the time of day, here, of an ISO 8601 time; anything else unchanged."""
    try:
        return datetime.fromisoformat(stamp.replace("Z", "+00:00")).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return stamp
