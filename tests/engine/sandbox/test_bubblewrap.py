from nuages.engine.sandbox import bubblewrap
from nuages.engine.sandbox.bubblewrap import Bind
from nuages.engine.sandbox.users import Mode

BINDS = [Bind("/h/python", "/opt/python/lib"), Bind("/h/opt", "/opt"), Bind("/h/data", "/data", writable=True)]


def test_the_commands_are_these(golden):
    commands = {
        "workload": bubblewrap.workload("bwrap", Mode.ROOT, "/h/root", BINDS, ["/charm/bin/pebble", "run"]),
        "workload-single": bubblewrap.workload("bwrap", Mode.SINGLE, "/h/root", BINDS, ["/charm/bin/pebble", "run"]),
        "charm": bubblewrap.charm("bwrap", "/h/charm", BINDS, "/var/lib/juju", ["./dispatch"]),
    }
    for name, argv in commands.items():
        golden(f"{name}.txt", "".join(f"{word}\n" for word in argv))


def test_outer_mounts_come_before_inner_ones():
    argv = bubblewrap.charm("bwrap", "/r", BINDS, "/", ["true"])
    assert argv.index("/h/opt") < argv.index("/h/python")
