"""One request to the web service of this unit: the charm shares its network."""

import http.client
import time
from collections.abc import Callable

from nuages.charm.plan import Question

PAUSE = 0.02
"""Seconds between two attempts to connect while nobody listens yet."""


class NoAnswer(Exception):
    """The web service did not answer."""


def ask(question: Question, deadline: float, gone: Callable[[], str]) -> int:
    """Return the HTTP status of the answer, waiting at most `deadline` seconds.

    A listening gunicorn keeps the request until its first worker has booted, so one request with all the time there is
    needs no polling. While nobody listens, `gone` is asked now and then and ends the waiting when it has a reason.

    Raises:
        NoAnswer: with the reason.
    """
    end = time.monotonic() + deadline
    attempt = 0
    headers = {
        "Host": question.host,
        "X-Forwarded-Proto": question.protocol,
        "User-Agent": "charm",
        "Connection": "close",
    }
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", question.port, timeout=max(end - time.monotonic(), PAUSE))
        try:
            connection.request("GET", question.path, headers=headers)
            return connection.getresponse().status
        except http.client.HTTPException as error:
            if not isinstance(error, http.client.RemoteDisconnected):
                raise NoAnswer(f"what it sends is not HTTP: {error!r}") from error
            reason = "it closed the connection"
        except TimeoutError:
            reason = "no answer in time"
        except OSError as error:
            reason = str(error.strerror or error)
        finally:
            connection.close()
        if time.monotonic() >= end:
            raise NoAnswer(reason)
        attempt += 1
        if attempt % 10 == 0 and (why := gone()):
            raise NoAnswer(why)
        time.sleep(PAUSE)
