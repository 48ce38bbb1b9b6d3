"""A certificate of the demo's own, for `HOST=ADDRESS`: browsers give the microphone to https pages only."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

from deploy.demo.steps import Steps

DAYS = 397  # what browsers accept at most


def make(certificate: Path, key: Path, host: str, steps: Steps) -> None:
    """Makes a key and a self-signed certificate for `host`, unless this host has one. Raises `StepFailed`."""
    owner = certificate.with_suffix(".host")
    if certificate.exists() and key.exists() and owner.exists() and owner.read_text() == host:
        return
    with steps.step(f"a certificate for {host}"):
        os.close(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))  # private before there is a key in it
        steps.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
                *("-keyout", str(key), "-out", str(certificate), "-days", str(DAYS)),
                *("-subj", "/CN=ari-bridge demo", "-addext", f"subjectAltName={_alternative_name(host)}"),
                *("-addext", "extendedKeyUsage=serverAuth"),
            ]
        )
        owner.write_text(host)


def _alternative_name(host: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"
