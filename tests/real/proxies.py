"""Real reverse proxies in front of a server, each with its sample of `deploy/proxies` as it stands there.

Only names, ports and files are put in; what a sample leaves to the machine's own configuration is added around it.
"""

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from deploy.demo.process import Process, ProgramFailed, die_with_parent
from tests.real import free_ports
from tests.real.parts import require_installed

SAMPLES = Path(__file__).parents[2] / "deploy" / "proxies"
HOST = "127.0.0.1"
NAME = "phone.localhost"
"""A name that browsers take for this machine, and that is a domain's for all else."""
KINDS = ("nginx", "caddy", "haproxy")


class Proxy:
    """`kind` in front of the server at `server_port`; `url` is where the pages are, below /phone/."""

    def __init__(self, kind: str, run_dir: Path, server_port: int) -> None:
        require_installed(shutil.which(kind) is not None, kind)
        self.kind = kind
        self.plain_port, self.port = free_ports.ports(2)
        self.url = f"https://{NAME}:{self.port}/phone"
        self.log = run_dir / f"{kind}.log"
        self._run_dir = run_dir
        self._server_port = server_port
        self._process: Process | None = None

    def __enter__(self) -> "Proxy":
        self._run_dir.mkdir(parents=True, exist_ok=True)
        starts: dict[str, Callable[[], list[str]]] = {
            "nginx": self._nginx,
            "caddy": self._caddy,
            "haproxy": self._haproxy,
        }
        command = die_with_parent(starts[self.kind]())
        environment = {**os.environ, "XDG_DATA_HOME": str(self._run_dir), "XDG_CONFIG_HOME": str(self._run_dir)}
        pid_file = self._run_dir / f"{self.kind}.pid"
        self._process = Process(self.kind, command, log=self.log, pid_file=pid_file, env=environment)
        try:
            self._wait_until_it_shakes_hands(15.0)
        except BaseException:
            self._process.stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self._process:
            self._process.stop()

    def _nginx(self) -> list[str]:
        sample = self._sample("nginx.conf", {"listen 80;": f"listen {HOST}:{self.plain_port};"})
        sample = _put(sample, {"listen 443 ssl;": f"listen {HOST}:{self.port} ssl;"})
        (self._run_dir / "sample.conf").write_text(self._with_certificate(sample))
        places = [
            f"{name}_temp_path {self._run_dir}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        ]
        whole = ["user root;", "daemon off;", f"pid {self._run_dir}/nginx-own.pid;", "error_log stderr;", "events {}"]
        whole += ["http {", "access_log off;", *places, f"include {self._run_dir}/sample.conf;", "}"]
        return ["nginx", "-e", "stderr", "-c", self._write("nginx.conf", "\n".join(whole))]

    def _caddy(self) -> list[str]:
        own = ["{", f"http_port {self.plain_port}", f"https_port {self.port}", f"default_bind {HOST}", "admin off"]
        own += ["local_certs", "skip_install_trust", "}"]  # else it would ask Let's Encrypt
        whole = "\n".join(own) + "\n" + self._sample("Caddyfile", {})
        return ["caddy", "run", "--adapter", "caddyfile", "--config", self._write("Caddyfile", whole)]

    def _haproxy(self) -> list[str]:
        sample = self._sample("haproxy.cfg", {"bind :80": f"bind {HOST}:{self.plain_port}"})
        sample = _put(sample, {"bind :443": f"bind {HOST}:{self.port}"})
        return ["haproxy", "-db", "-f", self._write("haproxy.cfg", self._with_certificate(sample))]

    def _sample(self, name: str, changes: dict[str, str]) -> str:
        text = (SAMPLES / name).read_text()
        return _put(text, {"phone.example.com": NAME, "127.0.0.1:3000": f"{HOST}:{self._server_port}", **changes})

    def _with_certificate(self, sample: str) -> str:
        places = self._run_dir / "fullchain.pem", self._run_dir / "privkey.pem"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-keyout", str(places[1]), "-out", str(places[0]), "-days", "2", "-subj", f"/CN={NAME}"]
        subprocess.run([*command, "-addext", f"subjectAltName=DNS:{NAME}"], check=True, capture_output=True)
        (self._run_dir / "both.pem").write_text("".join(place.read_text() for place in places))
        return _put(sample, {f"/etc/ssl/{NAME}/": f"{self._run_dir}/"})

    def _write(self, name: str, text: str) -> str:
        path = self._run_dir / name
        path.write_text(text + "\n")
        return str(path)

    def _wait_until_it_shakes_hands(self, seconds: float) -> None:
        """Caddy listens before it has made its certificate."""
        assert self._process
        anybody = ssl.create_default_context()
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._process.require_running()
            try:
                with socket.create_connection((HOST, self.port), 1.0) as connection:
                    anybody.wrap_socket(connection, server_hostname=NAME).close()
                    return
            except OSError:  # SSLError too
                time.sleep(0.05)
        raise ProgramFailed(self.kind, f"no TLS on {HOST}:{self.port} after {seconds:.0f} s", self.log)


def _put(text: str, changes: dict[str, str]) -> str:
    """Each has to stand there: a sample that was changed may not be tried by half."""
    for written, put in changes.items():
        assert written in text, f"the sample has no {written!r} any more"
        text = text.replace(written, put)
    return text
