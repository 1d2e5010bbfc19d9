import pytest

from tests.engine.charms import pack
from tests.engine.world import Engine


@pytest.fixture(scope="module")
def charm(tmp_path_factory):
    return pack(tmp_path_factory.mktemp("charm") / "recorder.charm")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """A daemon for the whole module; tests use models of their own."""
    engine = Engine(tmp_path_factory.mktemp("state") / "nuages").start()
    yield engine
    for model in engine.client.get("/v1/models"):
        engine.client.delete(f"/v1/models/{model['name']}")
    engine.stop()
