"""What `up` says while it works: a line that is rewritten on a terminal, sparse lines elsewhere."""

import shutil
import sys
import threading
import time
from typing import TextIO

SPARSE = 10.0
OFTEN = 0.1


class Console:
    """Safe to use from several threads."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._lock = threading.Lock()
        self._shown: dict[str, float] = {}
        self._transient: dict[str, str] = {}
        self._dirty = False

    def line(self, text: str) -> None:
        """Print a line that stays."""
        with self._lock:
            self._clear()
            self._stream.write(text + "\n")
            self._redraw()

    def progress(self, key: str, text: str) -> None:
        """Show how far something is; elsewhere than on a terminal only when it begins and now and then."""
        with self._lock:
            now = time.monotonic()
            first = key not in self._shown
            if not first and now - self._shown[key] < (OFTEN if self._terminal else SPARSE):
                self._transient[key] = text
                return
            self._shown[key] = now
            self._transient[key] = text
            if self._terminal:
                self._clear()
                self._redraw()
            else:
                self._stream.write(f"  {text}\n")
                self._stream.flush()

    def done(self, key: str, text: str = "") -> None:
        """End a progress; `text`, if any, stays as a line."""
        with self._lock:
            began = self._shown.pop(key, None) is not None
            self._transient.pop(key, None)
            self._clear()
            if text and (began or not self._terminal):
                self._stream.write(f"  {text}\n")
            self._redraw()

    def close(self) -> None:
        """Leave the terminal clean."""
        with self._lock:
            self._transient.clear()
            self._clear()
            self._stream.flush()

    def _clear(self) -> None:
        if self._dirty:
            self._stream.write("\r\x1b[K")
            self._dirty = False

    def _redraw(self) -> None:
        if self._terminal and self._transient:
            width = shutil.get_terminal_size().columns - 3
            text = " · ".join(self._transient.values())
            self._stream.write("  " + (text if len(text) <= width else text[: width - 1] + "…"))
            self._dirty = True
        self._stream.flush()


def megabytes(count: int) -> str:
    """Return a number of bytes as megabytes: `3.1 MB`, `88 MB`."""
    value = count / 1_000_000
    return f"{value:.1f} MB" if value < 10 else f"{value:.0f} MB"
