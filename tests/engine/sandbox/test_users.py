import pytest

from nuages.engine.sandbox import users
from nuages.engine.sandbox.users import BASE, COUNT, DAEMON, Mode

EVERYTHING = (0, 0, 4294967295)


class TestShifted:
    def test_ids_are_far_from_everybodys(self):
        found = users.shifted([EVERYTHING])
        assert found.mode is Mode.ROOT
        assert found.uids == found.gids == ((0, BASE, COUNT), (DAEMON, BASE + COUNT, 1))

    @pytest.mark.parametrize("extent", [(0, 0, 4294967295), (0, 100000, 200000), (0, 1000, 70000)])
    def test_the_hosts_root_is_never_in_it_and_all_ids_are_ours(self, extent):
        first, _, count = extent
        for _, outer, size in users.shifted([extent]).uids:
            assert outer > 0
            assert first <= outer
            assert outer + size <= first + count

    def test_too_few_ids_give_no_map(self):
        assert users.shifted([(0, 100000, 65536)]) is None
        assert users.shifted([]) is None


class TestSubordinate:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("ann:100000:65536\nbob:165536:65536\n", (165536, 65536)),
            ("1001:300000:70000\n", (300000, 70000)),
            ("bob:100000:1000\nbob:200000:65536\n", (200000, 65536)),
            ("bob:100000:1000\n", None),
            ("bobby:100000:65536\n", None),
            ("", None),
            ("# bob\nbob:x:65536\nbob:1\n\n", None),
        ],
    )
    def test_the_first_range_that_is_big_enough(self, text, expected):
        assert users.subordinate(text, ["bob", "1001"]) == expected


class TestCandidates:
    def test_an_ordinary_user_always_has_the_single_map(self):
        last = users.candidates(uid=4711, gid=4712)[-1]
        assert (last.mode, last.uids, last.gids) == (Mode.SINGLE, ((0, 4711, 1),), ((0, 4712, 1),))

    def test_root_is_only_ever_shifted(self):
        assert {found.mode for found in users.candidates(uid=0)} <= {Mode.ROOT}
