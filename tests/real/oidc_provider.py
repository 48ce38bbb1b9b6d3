"""A real OpenID provider: npm's oidc-provider, which is certified, on this machine."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.demo.install import WEB, node_environment
from tests.fakes.oidc_provider import CLIENT, CLIENT_SECRET, SigningKey
from tests.real import free_ports
from tests.real.parts import require_installed

SCRIPT = Path(__file__).with_suffix(".mjs")
START_S = 20.0


@dataclass
class OidcProvider:
    """`issuer` is at another host than the server, so cookies and redirects cross sites as they do outside.

    Args:
        folder: For its files.
        server: Where the server is that people sign in to.
        accounts: By name: `password` and `claims`.
    """

    folder: Path
    server: str
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey("first")])

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_ports.ports(1)[0]
        self.issuer = f"http://localhost:{self.port}"
        self._process: asyncio.subprocess.Process | None = None

    def settings(self) -> dict[str, Any]:
        """Those of the server."""
        return {
            "oidc_issuer": self.issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": CLIENT_SECRET,
            "oidc_provider_name": "Example Ltd",
            "oidc_scopes": "openid profile groups",
            "oidc_roles_claim": "groups",
            "oidc_role_map": "phone=user; leads=supervisor",
            "oidc_create_users": True,
        }

    def add(self, name: str, *groups: str, subject: str = "") -> None:
        """Somebody who may sign in there, with the password `secret`. Also changes somebody."""
        claims = {"sub": subject or f"id-of-{name}", "preferred_username": name, "groups": list(groups)}
        self.accounts[name] = {"password": "secret", "claims": claims}
        (self.folder / "accounts.json").write_text(json.dumps(self.accounts))

    async def start(self) -> None:
        node = shutil.which("node", path=node_environment().get("PATH", os.environ["PATH"]))
        require_installed(node is not None and (WEB / "node_modules/oidc-provider").is_dir(), "npm's oidc-provider")
        assert node
        options = {
            "web": str(WEB),
            "port": self.port,
            "issuer": self.issuer,
            "accounts": str(self.folder / "accounts.json"),
            "jwks": {"keys": [key.private_jwk() for key in self.keys]},
            "client": {
                "client_id": CLIENT,
                "client_secret": CLIENT_SECRET,
                "redirect_uris": [f"{self.server}/auth/oidc/callback"],
                "post_logout_redirect_uris": [f"{self.server}/"],
                "backchannel_logout_uri": f"{self.server}/auth/oidc/backchannel-logout",
                "backchannel_logout_session_required": True,
            },
        }
        file = self.folder / "provider.json"
        file.write_text(json.dumps(options))
        self._process = await asyncio.create_subprocess_exec(
            node, str(SCRIPT), str(file), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert self._process.stdout
        async with asyncio.timeout(START_S):
            said = await self._process.stdout.readline()
        assert said == b"listening\n", said

    async def stop(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def rotate(self, *keys: SigningKey) -> None:
        """Other keys from now on; whoever is signed in there has to sign in again."""
        await self.stop()
        self.keys = list(keys)
        await self.start()


@asynccontextmanager
async def oidc_provider(folder: Path, server: str) -> AsyncIterator[OidcProvider]:
    provider = OidcProvider(folder, server)
    provider.add("1001", "phone")
    await provider.start()
    try:
        yield provider
    finally:
        await provider.stop()
