import pytest

from nuages.engine.pods.addresses import LAST, address, next_index
from nuages.engine.pods.record import ModelRecord, PodRecord
from nuages.engine.pods.spec import PodSpec
from nuages.engine.sandbox.errors import SandboxError


def taken(*indexes, last=1):
    spec = PodSpec("one/0", (), "one-0.dev")
    pods = {f"one/{index}": PodRecord(spec=spec, index=index, address=address(index)) for index in indexes}
    return ModelRecord(last_index=last, pods=pods)


def test_a_new_pod_has_a_new_address():
    record = taken()
    assert [next_index(record, "dev") for _ in range(3)] == [2, 3, 4]
    assert address(2) == "10.77.0.2"


def test_taken_and_special_ones_are_passed_over_and_the_range_begins_again():
    assert next_index(taken(255, 3, last=2), "dev") == 4
    assert next_index(taken(last=254), "dev") == 257
    assert next_index(taken(2, last=LAST), "dev") == 3
    assert address(257) == "10.77.1.1"


def test_a_full_model_says_so():
    with pytest.raises(SandboxError, match="cannot make a pod in dev: all addresses are taken"):
        next_index(taken(*range(2, LAST + 1)), "dev")
