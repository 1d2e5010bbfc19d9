"""Programs that a rock has before anything of the application's own is in it, and Ubuntu's packages of others. Data."""

from __future__ import annotations

from collections.abc import Mapping

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

SCRIPTS = ("override-pull", "overlay-script", "override-build", "override-stage", "override-prime")
"""Keys of a part that are scripts, in the order in which they run."""
