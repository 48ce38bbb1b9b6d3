"""A real PostgreSQL on loopback, with the ways in which one fails."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil  # type: ignore[import-untyped]
import pytest

from tests.real import free_ports
from tests.real.parts import require_installed

HOST = "127.0.0.1"
USER = "ari"
PASSWORD = "p%40ss word"  # as it is, not quoted for a URL
IN_URL = "p%2540ss%20word"
START_SECONDS = 30.0


def _programs() -> Path | None:
    """Debian keeps each major version in a folder of its own; the newest one counts."""
    return max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=None)


class Postgres:
    """A server of its own on a random port. It refuses to run as root: then it runs as `postgres`."""

    def __init__(self, folder: Path) -> None:
        found = _programs()
        require_installed(found is not None, "PostgreSQL")
        assert found
        self._bin = found.parent
        self._data = folder / "data"
        self._log = folder / "log"
        self._as = "postgres" if os.geteuid() == 0 else None
        if self._as:
            shutil.chown(folder, self._as)
        [self.port] = free_ports.ports(1)
        self._process: subprocess.Popen[bytes] | None = None
        secret = folder / "password"
        secret.write_text(PASSWORD)
        if self._as:
            shutil.chown(secret, self._as)
        command = [f"{self._bin}/initdb", "-D", f"{self._data}", "-U", USER, "-E", "UTF8", "--no-sync"]
        command += ["--auth=scram-sha-256", f"--pwfile={secret}"]
        subprocess.run(command, check=True, capture_output=True, user=self._as, cwd="/")

    def url(self, database: str, password: str = IN_URL) -> str:
        return f"postgresql://{USER}:{password}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """And wait until it answers."""
        command = [f"{self._bin}/postgres", "-D", f"{self._data}", "-p", f"{self.port}", "-h", HOST]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "-k", f"{self._data}", "-F"],
                stdout=log,
                stderr=log,
                user=self._as,
                cwd="/",
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        ask = [f"{self._bin}/pg_isready", "-q", "-h", HOST, "-p", str(self.port)]
        while subprocess.run(ask, check=False).returncode:
            assert self._process.poll() is None and time.monotonic() < deadline, self._log.read_text()[-2000:]
            time.sleep(0.05)

    def kill(self) -> None:
        """As by a crash: every process of it at once."""
        assert self._process
        for process in self._all():
            process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """Ends it in order, whatever connections stand."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
            self._process = None
        except subprocess.TimeoutExpired:
            self.kill()

    @contextmanager
    def hung(self) -> Iterator[None]:
        """It takes connections, and answers nothing."""
        processes = self._all()
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    async def make(self, database: str) -> str:
        """A fresh database; its URL."""
        connection = await asyncpg.connect(host=HOST, port=self.port, user=USER, password=PASSWORD, database="postgres")
        try:
            await connection.execute(f'CREATE DATABASE "{database}"')
        finally:
            await connection.close()
        return self.url(database)

    def _all(self) -> list[psutil.Process]:
        assert self._process
        first = psutil.Process(self._process.pid)
        return [first, *first.children(recursive=True)]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Not pytest's folder, into which only its owner sees.
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        postgres = Postgres(Path(folder))
        try:
            postgres.start()
            yield postgres
        finally:
            postgres.stop()
