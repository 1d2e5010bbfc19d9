"""The names that people give to models and snapshots: they are directories, and parts of addresses."""

import re

NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST = 63


def is_name(text: str) -> bool:
    """Tell whether it is made of lower case letters, digits and single dashes, and not too long."""
    return len(text) <= LONGEST and bool(NAME.fullmatch(text))
