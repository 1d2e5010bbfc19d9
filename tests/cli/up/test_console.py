import io

from nuages.cli.up.console import Console, megabytes


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_off_a_terminal_a_progress_is_one_line_and_its_end():
    stream = io.StringIO()
    console = Console(stream)
    for step in range(100):
        console.progress("go", f"fetching go: {step} MB")
    console.done("go", "go fetched")
    console.line("next")
    console.close()
    assert stream.getvalue() == "  fetching go: 0 MB\n  go fetched\nnext\n"


def test_on_a_terminal_the_line_is_rewritten_and_leaves_nothing():
    stream = Terminal()
    console = Console(stream)
    console.progress("go", "fetching go")
    console.line("a line")
    console.close()
    assert stream.getvalue() == "  fetching go\r\x1b[Ka line\n  fetching go\r\x1b[K"


def test_megabytes():
    assert [megabytes(size) for size in (0, 3_140_000, 88_400_000)] == ["0.0 MB", "3.1 MB", "88 MB"]
