"""What the worker and the scheduler have in common: a name, and an orderly end."""

import signal
import socket
import threading


def unit() -> str:
    """Return where this process runs: the pod's name, `jobs-0`."""
    return socket.gethostname()


def ending() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set, so that a process ends between two pieces of work."""
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    return end
