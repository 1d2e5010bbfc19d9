"""Which records a debug-log keeps."""

import pytest

from nuages.engine import config, loglevels
from nuages.engine.config import MODEL_OPTIONS, ConfigError

UNIT = "unit.notes/0.juju-log"
UNITER = "juju.worker.uniter.operation"


@pytest.mark.parametrize(
    ("text", "module", "level", "kept"),
    [
        ("<root>=INFO", UNIT, "INFO", True),
        ("<root>=INFO", UNIT, "DEBUG", False),
        ("<root>=INFO;unit=DEBUG", UNIT, "DEBUG", True),
        ("<root>=INFO;unit=DEBUG", UNITER, "DEBUG", False),
        ("<root>=WARNING; unit=debug", UNITER, "INFO", False),
        ("unit.notes/0=ERROR", UNIT, "WARNING", False),
        ("unit.notes/0=ERROR", "unit.blog/0.juju-log", "INFO", True),
        ("unit=ERROR;unit.notes/0=TRACE", UNIT, "TRACE", True),
        ("DEBUG", UNIT, "DEBUG", True),
        ("", UNIT, "INFO", True),
        ("", UNIT, "DEBUG", False),
    ],
)
def test_the_longest_name_that_fits_counts(text, module, level, kept):
    assert loglevels.keeps(text, module, level) is kept


@pytest.mark.parametrize("text", ["<root>=LOUD", "=INFO", "unit", "unit=", "a=b=c"])
def test_what_is_no_list_of_levels_is_refused(text):
    with pytest.raises(ConfigError, match="a list of levels like <root>=INFO;unit=DEBUG"):
        config.apply("the model", MODEL_OPTIONS, {}, {"logging-config": text}, ())
