"""What an application takes from this machine and its rock would lack: libraries, and packages that are staged."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nuages.build import elf
from nuages.build.environment import Environment
from nuages.contract.bases import Base
from nuages.engine.programs import cache_dir
from nuages.extension.names import listed

IN_A_ROCK = (
    "ld-linux*", "libc.so.6", "libm.so.6", "libmvec.so.1", "libdl.so.2", "libpthread.so.0", "librt.so.1",
    "libutil.so.1", "libresolv.so.2", "libanl.so.1", "libcrypt.so.1", "libgcc_s.so.1", "libstdc++.so.6", "libz.so.1",
    "libbz2.so.1.0", "liblzma.so.5", "libzstd.so.1", "liblz4.so.1", "libxxhash.so.0", "libexpat.so.1", "libffi.so.8",
    "libsqlite3.so.0", "libreadline.so.8", "libncursesw.so.6", "libtinfo.so.6", "libdb-5.3.so", "libuuid.so.1",
    "libssl.so.3", "libcrypto.so.3", "libgmp.so.10", "libgnutls.so.30", "libidn2.so.0", "libtasn1.so.6",
    "libp11-kit.so.0", "libhogweed.so.6", "libnettle.so.8", "libgcrypt.so.20", "libgpg-error.so.0", "libsystemd.so.0",
    "libselinux.so.1", "libpcre2-8.so.0", "libacl.so.1", "libattr.so.1", "libaudit.so.1", "libcap.so.2",
    "libblkid.so.1", "libmount.so.1", "libpam.so.0",
)  # fmt: skip
"""Libraries of the minimal images ubuntu:22.04 and ubuntu:24.04, and those of python3, which the extension stages."""

PACKAGES: Mapping[str, str] = {
    "libpq.so.5": "libpq5",
    "libmariadb.so.3": "libmariadb3",
    "libmysqlclient.so.21": "libmysqlclient21",
    "libldap.so.2": "libldap2",
    "liblber.so.2": "libldap2",
    "libldap-2.5.so.0": "libldap-2.5-0",
    "liblber-2.5.so.0": "libldap-2.5-0",
    "libsasl2.so.2": "libsasl2-2",
    "libxml2.so.2": "libxml2",
    "libxslt.so.1": "libxslt1.1",
    "libexslt.so.0": "libxslt1.1",
    "libxmlsec1.so.1": "libxmlsec1t64",
    "libxmlsec1-openssl.so.1": "libxmlsec1t64-openssl",
    "libcurl.so.4": "libcurl4t64",
    "libyaml-0.so.2": "libyaml-0-2",
    "libmemcached.so.11": "libmemcached11t64",
    "libodbc.so.2": "libodbc2",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0t64",
    "libgobject-2.0.so.0": "libglib2.0-0t64",
    "libgthread-2.0.so.0": "libglib2.0-0t64",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libjpeg.so.8": "libjpeg-turbo8",
    "libgomp.so.1": "libgomp1",
    "libatomic.so.1": "libatomic1",
    "libmagic.so.1": "libmagic1t64",
    "libMagickWand-6.Q16.so.7": "libmagickwand-6.q16-7t64",
    "libgdal.so.34": "libgdal34t64",
    "libgeos_c.so.1": "libgeos-c1t64",
}
"""Library to Ubuntu's package, named as in 24.04; 22.04 has no `t64`."""

LOADED: Mapping[str, tuple[str, str]] = {
    "python_magic": ("libmagic.so.1", "libmagic1t64"),
    "weasyprint": ("libpango-1.0.so.0", "libpangoft2-1.0-0"),
    "cairocffi": ("libcairo.so.2", "libcairo2"),
    "pyvips": ("libvips.so.42", "libvips42t64"),
    "pyzbar": ("libzbar.so.0", "libzbar0t64"),
    "psycopg": ("libpq.so.5", "libpq5"),
    "wand": ("libMagickWand-6.Q16.so.7", "libmagickwand-6.q16-7t64"),
}
"""Distributions that load a library by its name when they run, which no file says: the library, and its package."""

TABLES = 2
"""Part of what is remembered by: changed when the tables above are."""

BUNDLED: Mapping[str, tuple[str, ...]] = {"psycopg": ("psycopg_binary", "psycopg_c")}
"""Distributions with which those do without: a wheel that has the library in it, or that names it itself."""


@dataclass(frozen=True)
class Library:
    """A library that is neither in the environment nor in a rock."""

    name: str
    wanted_by: str
    """The file or distribution that needs it."""


def lent(made: Environment) -> list[Library]:
    """Return the libraries that an environment takes from this machine; looked for once per environment."""
    memory = cache_dir() / "lent" / f"{made.digest}.{TABLES}.json"
    try:
        return [Library(*map(str, row)) for row in json.loads(memory.read_text())]
    except (OSError, ValueError, TypeError):
        pass  # not looked for yet
    found = [*libraries(made.site_packages)]
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps([[library.name, library.wanted_by] for library in found]))
    return found


def libraries(packages: Path) -> Iterator[Library]:
    """Yield what the compiled files below a folder of packages need, each library once."""
    compiled = sorted(path for path in packages.rglob("*.so*") if path.is_file())
    own = {path.name for path in compiled}
    seen: set[str] = set()
    for path in compiled:
        for name in elf.needed(path):
            if name in own or name in seen or any(fnmatch.fnmatchcase(name, known) for known in IN_A_ROCK):
                continue
            seen.add(name)
            yield Library(name, path.relative_to(packages).as_posix())
    installed = {
        re.sub(r"[-.]+", "_", path.name.split("-")[0]).lower(): path.name.split("-")[0]
        for path in sorted(packages.glob("*.dist-info"))
    }
    for distribution, shown in installed.items():
        name = LOADED.get(distribution, ("", ""))[0]
        if name and name not in seen and not installed.keys() & set(BUNDLED.get(distribution, ())):
            seen.add(name)
            yield Library(name, shown)


def notes(found: Iterable[Library], staged: Sequence[str], base: Base) -> list[str]:
    """Return what to say of libraries, but for those that a staged package brings; one note for each package."""
    by_package: dict[str, list[Library]] = {}
    for library in found:
        by_package.setdefault(_package(library.name, base), []).append(library)
    told: list[str] = []
    for package, those in by_package.items():
        if package and any(_same(package, name) for name in staged):
            continue
        names = listed(library.name for library in those)
        first = those[0].wanted_by
        fix = f"stage-packages: [{package}]" if package else "stage-packages with the package of Ubuntu that has it"
        told.append(f"{first} takes {names} from this machine, and the rock would lack it: {fix} in rockcraft.yaml")
    return told


def staged_notes(packages: Sequence[str]) -> list[str]:
    """Return what to say of staged packages: the local rock has this machine's, if they are installed."""
    if not packages:
        return []
    if shutil.which("dpkg-query") is None:
        return [f"stage-packages {listed(packages)}: this machine's are used, if it has them"]
    names = {name: {name, name.replace("t64", "")} for name in packages}  # other series, and Debian, have no `t64`
    asked = sorted({alias for those in names.values() for alias in those})
    words = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", *asked]
    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    installed = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}
    here = [name for name in packages if names[name] & installed]
    missing = [name for name in packages if name not in here]
    told = [f"stage-packages {listed(here)}: this machine's are used"] if here else []
    if missing:
        fix = f"sudo apt install {' '.join(missing)}"
        told.append(f"stage-packages {listed(missing)}: not on this machine, so not here either ({fix})")
    return told


def _package(library: str, base: Base) -> str:
    package = PACKAGES.get(library) or next((name for lib, name in LOADED.values() if lib == library), "")
    return package.replace("t64", "") if base.channel == "22.04" else package


def _same(package: str, staged: str) -> bool:
    """Whether a staged package is, or brings, another: by its name in any series, or with its headers."""
    plain, other = package.replace("t64", ""), staged.replace("t64", "")
    return other in (plain, plain.rstrip("0123456789.-") + "-dev", plain + "-dev")
