"""Which programs an application calls that its rock would lack, though this machine lends them to the local one.

Three places name programs: the application's own code and shell scripts, the commands of services in rockcraft.yaml,
and packages that are known to be a door to a program. Code is read, never run.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nuages.build import called_programs
from nuages.build.environment import Environment
from nuages.engine.programs import cache_dir
from nuages.extension.load import Document
from nuages.extension.names import listed

IN_BARE = frozenset(
    """
    [ arch b2sum base32 base64 basename basenc bash cat chcon chgrp chmod chown chroot cksum comm cp csplit cut date dd
    df dir dircolors dirname du echo env expand expr factor false fmt fold groups head hostid id install join link ln
    logname ls md5sum mkdir mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk pinky pr printenv printf
    ptx pwd rbash readlink realpath rm rmdir runcon seq sh sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf
    sleep sort split stat stdbuf stty sum sync tac tail tee test timeout touch tr true truncate tsort tty uname unexpand
    uniq unlink users vdir wc who whoami yes pebble statsd_exporter gunicorn
    """.split()  # noqa: SIM905  a text of words is read and changed more easily
)
"""What the extension puts into every rock: bash, coreutils, Pebble, statsd_exporter; `bare` has nothing else."""

IN_UBUNTU = frozenset(
    """
    addgroup adduser apt apt-cache apt-config apt-get apt-key apt-mark awk blkid blockdev chage chfn chpasswd chrt chsh
    clear cmp dash debconf diff diff3 dmesg dnsdomainname domainname dpkg dpkg-deb dpkg-query dpkg-split egrep expiry
    faillog fallocate fgrep find findmnt flock free fsck getconf getent getopt getty gpasswd gpgv grep groupadd groupdel
    groupmod gunzip gzip hostname iconv infocmp ionice ipcmk ipcrm ipcs kill last ldconfig ldd locale localedef logger
    login losetup lsblk lscpu lsipc lslocks lsmem lsns mawk mcookie mesg mkfs mkswap more mount mountpoint namei nawk
    newgrp nologin nsenter partx passwd perl pgrep pidof pkill pmap prlimit ps pwdx rename.ul renice reset rev rgrep
    run-parts runuser savelog script sdiff sed setarch setpriv setsid setterm sg skill slabtop snice start-stop-daemon
    su sysctl tabs tar taskset tempfile tic tload toe top tput tset tzselect ulockmgr_server umount uncompress unshare
    update-alternatives update-rc.d uptime useradd userdel usermod utmpdump vmstat w wall watch wdctl whereis which
    xargs zcat zcmp zdiff zegrep zfgrep zforce zgrep zless zmore znew
    """.split()  # noqa: SIM905  a text of words is read and changed more easily
)
"""What the images ubuntu:22.04 and ubuntu:24.04 have besides: their essential and required packages."""

PACKAGES: Mapping[str, str] = {
    "7z": "7zip",
    "antiword": "antiword",
    "chromium": "chromium-browser",
    "convert": "imagemagick",
    "curl": "curl",
    "dot": "graphviz",
    "exiftool": "libimage-exiftool-perl",
    "ffmpeg": "ffmpeg",
    "ffprobe": "ffmpeg",
    "file": "file",
    "git": "git",
    "gpg": "gnupg",
    "gs": "ghostscript",
    "identify": "imagemagick",
    "jpegoptim": "jpegoptim",
    "lualatex": "texlive-latex-base",
    "magick": "imagemagick",
    "msgfmt": "gettext",
    "mysql": "mysql-client",
    "mysqldump": "mysql-client",
    "node": "nodejs",
    "npm": "npm",
    "openssl": "openssl",
    "optipng": "optipng",
    "pandoc": "pandoc",
    "pdflatex": "texlive-latex-base",
    "pdftoppm": "poppler-utils",
    "pdftotext": "poppler-utils",
    "pg_dump": "postgresql-client",
    "pg_restore": "postgresql-client",
    "psql": "postgresql-client",
    "redis-cli": "redis-tools",
    "rsvg-convert": "librsvg2-bin",
    "soffice": "libreoffice",
    "ssh": "openssh-client",
    "tesseract": "tesseract-ocr",
    "unzip": "unzip",
    "wget": "wget",
    "wkhtmltoimage": "wkhtmltopdf",
    "wkhtmltopdf": "wkhtmltopdf",
    "xelatex": "texlive-xetex",
    "zip": "zip",
}
"""Program to Ubuntu's package."""

DOORS: Mapping[str, tuple[str, ...]] = {
    "django_dbbackup": ("pg_dump",),
    "django_tex": ("lualatex",),
    "django_wkhtmltopdf": ("wkhtmltopdf",),
    "ffmpeg_python": ("ffmpeg", "ffprobe"),
    "gitpython": ("git",),
    "graphviz": ("dot",),
    "imgkit": ("wkhtmltoimage",),
    "ocrmypdf": ("tesseract", "gs"),
    "pdf2image": ("pdftoppm",),
    "pdfkit": ("wkhtmltopdf",),
    "pydot": ("dot",),
    "pydub": ("ffmpeg",),
    "pyexiftool": ("exiftool",),
    "pypandoc": ("pandoc",),
    "pytesseract": ("tesseract",),
    "python_gnupg": ("gpg",),
    "unoserver": ("soffice",),
}
"""Distributions that do nothing without a program: its name."""

HOST = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
"""Where this machine lends programs from."""

_SHELLS = ("sh", "bash", "dash")


@dataclass(frozen=True)
class Program:
    """A program that is neither in the environment nor in the rock's base."""

    name: str
    wanted_by: str
    """The file, service or distribution that calls it."""
    here: bool
    """Whether this machine has it, so that the local rock has it too."""


def lent(
    made: Environment, document: Document, files: Sequence[tuple[str, Path]], content: str, *, bare: bool
) -> list[Program]:
    """Return the programs that the rock would lack, each once; code is read once for each content of the files."""
    calls = [*_remembered(files, content), *_services(document), *_doors(made.site_packages)]
    rock = IN_BARE if bare else IN_BARE | IN_UBUNTU
    found: dict[str, Program] = {}
    for name, wanted_by, certain in calls:
        if name in rock or name in found or _own(made, name):
            continue
        here = shutil.which(name, path=HOST) is not None
        if here or certain:
            found[name] = Program(name, wanted_by, here)
    return list(found.values())


def notes(found: Iterable[Program], staged: Sequence[str]) -> list[str]:
    """Return what to say of programs, but for those that a staged package brings; one note for each package."""
    found = list(found)
    packages = _packages([program.name for program in found])
    grouped: dict[str, list[Program]] = {}
    for program in found:
        package = packages.get(program.name, "")
        if package not in staged:
            grouped.setdefault(package or program.name, []).append(program)
    told: list[str] = []
    for those in grouped.values():
        first, package = those[0], packages.get(those[0].name, "")
        names = listed(program.name for program in those)
        fix = f"stage-packages: [{package}]" if package else "stage-packages with the package of Ubuntu that has it"
        if first.here:
            told.append(f"{first.wanted_by} calls {names} of this machine, and the rock would lack it: {fix}"
                        " in rockcraft.yaml")  # fmt: skip
        else:
            told.append(f"{first.wanted_by} calls {names}, which neither this machine nor the rock has: {fix}"
                        f" in rockcraft.yaml, and `sudo apt install {package or names}` here")  # fmt: skip
    return told


def _remembered(files: Sequence[tuple[str, Path]], content: str) -> list[tuple[str, str, bool]]:
    memory = cache_dir() / "lent" / f"{content}.programs.json"
    try:
        return [(str(name), str(file), False) for name, file in json.loads(memory.read_text())]
    except (OSError, ValueError, TypeError):
        pass  # not looked for yet
    found = list(dict.fromkeys(_of_files(files)))
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps(found))
    return [(name, file, False) for name, file in found]


def _of_files(files: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, str]]:
    """Yield program and file for each call in the application's modules and shell scripts."""
    for name, path in files:
        if name.endswith(".py"):
            if not called_programs.is_test(name):
                yield from ((program, name) for program in called_programs.of_module(path.read_bytes()))
        elif name.endswith(".sh") or name == "migrate":
            yield from ((program, name) for program in called_programs.of_script(path.read_bytes()))


def _services(document: Document) -> Iterator[tuple[str, str, bool]]:
    for service, entry in document.mapping("services").items():
        command = entry.get("command") if isinstance(entry, dict) else None
        if not isinstance(command, str):
            continue
        try:
            words = shlex.split(command)
        except ValueError:
            continue  # another rule's matter
        if not words:
            continue
        program = called_programs.name_of(words[0])
        if program:
            yield program, f"service {service}", False
        if program in _SHELLS:
            for word, after in zip(words[1:], [*words[2:], ""], strict=True):
                if re.fullmatch(r"-[a-z]*c", word):
                    yield from (
                        (name, f"service {service}", False) for name in called_programs.of_script(after.encode())
                    )


def _doors(packages: Path) -> Iterator[tuple[str, str, bool]]:
    for path in sorted(packages.glob("*.dist-info")):
        distribution = path.name.split("-")[0]
        for program in DOORS.get(re.sub(r"[-.]+", "_", distribution).lower(), ()):
            yield program, distribution, True


def _own(made: Environment, name: str) -> bool:
    """Whether a program is one of the environment's: its packages', or the interpreter."""
    path = made.directory / "bin" / name
    return path.is_file() and (not path.is_symlink() or not str(path.readlink()).startswith("/usr/bin/"))


def _packages(names: Sequence[str]) -> dict[str, str]:
    """Return Ubuntu's package for each program: known here, or as this machine's dpkg has it."""
    known = {name: PACKAGES[name] for name in names if name in PACKAGES}
    unknown = {found: name for name in names if name not in known and (found := shutil.which(name, path=HOST))}
    if unknown and shutil.which("dpkg-query"):
        merged = {path.removeprefix("/usr"): name for path, name in unknown.items()}  # /bin and /usr/bin are one
        words = ["dpkg-query", "-S", *unknown, *merged]
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        for line in done.stdout.splitlines():
            packages, _, path = line.partition(": ")
            name = unknown.get(path) or merged.get(path)
            if name and "diversion" not in packages:
                known.setdefault(name, packages.split(",")[0].partition(":")[0])
    return known
