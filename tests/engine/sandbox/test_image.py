import json
from pathlib import Path

import pytest

from nuages.engine.sandbox.errors import SandboxError
from nuages.engine.sandbox.image import Image, Mount


def test_what_is_written_is_read_again(tmp_path):
    image = Image(
        tmp_path / "rootfs",
        mounts=(Mount(Path("/opt/python"), "/opt/python"), Mount(Path("/srv/data"), "/data", writable=True)),
        environment={"PATH": "/bin"},
        notes=("Python 3.11, rock: 3.12",),
        owners={"var/log/django": 584792},
    )
    document = image.to_json(tmp_path)
    assert document["root"] == "rootfs"
    (tmp_path / "image.json").write_text(json.dumps(document))
    assert Image.load(tmp_path) == image


def test_only_the_root_is_needed(tmp_path):
    (tmp_path / "image.json").write_text('{"root": "rootfs"}')
    assert Image.load(tmp_path) == Image(tmp_path / "rootfs")


@pytest.mark.parametrize(
    "text", [None, "", "[]", "{", "{}", '{"root": "r", "mounts": [[1]]}', '{"root": "r", "environment": 3}']
)
def test_anything_else_is_an_error_with_the_path(tmp_path, text):
    if text is not None:
        (tmp_path / "image.json").write_text(text)
    with pytest.raises(SandboxError, match="cannot read the image") as caught:
        Image.load(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert caught.value.fix
