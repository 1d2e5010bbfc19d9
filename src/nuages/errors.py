"""The one exception tree: every error says what could not be done, why, and what to type."""


class NuagesError(Exception):
    """A failure that a user can read: `cannot DO THE THING: reason`, and how to mend it.

    `fix` is what to type or do next ("" when there is nothing to say), `code` a stable word for programs.
    """

    code = "error"

    def __init__(self, message: str, *, fix: str = "", code: str = "") -> None:
        super().__init__(message)
        self.fix = fix
        if code:
            self.code = code
