"""A stranger's project: the packed packages, what the documents say about them, and a build by Vite.

The packages come as `npm pack` makes them. Tools and React are those of frontend/web: nothing is fetched.
"""

import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from deploy.demo.install import WEB, node_environment, npm
from tests.real import free_ports

PACKAGES = ("sip-proxy-client", "sip-proxy-react")
_BLOCK = re.compile(r"^```(tsx?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PAGE = """\
<!doctype html>
<meta charset="utf-8" />
<body>
  <div id="root"></div>
  <script type="module" src="/{main}"></script>
</body>
"""
_MOUNTED = """\
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import App from "./App";

createRoot(document.getElementById("root")!).render(<StrictMode><App /></StrictMode>);
"""
_STRICT = """\
{
  "compilerOptions": {
    "target": "ES2022", "module": "ESNext", "moduleResolution": "bundler", "lib": ["ES2023", "DOM", "DOM.Iterable"],
    "jsx": "react-jsx", "types": [], "noEmit": true, "skipLibCheck": false,
    "strict": true, "noUncheckedIndexedAccess": true, "exactOptionalPropertyTypes": true
  },
  "include": ["."]
}
"""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code in a document."""

    language: str  # ts, tsx
    code: str


def blocks(document: Path) -> list[Block]:
    """The TypeScript in a document, in its order."""
    return [Block(language, code) for language, code in _BLOCK.findall(document.read_text())]


class Failed(Exception):
    """A tool has found a fault; it says which."""


class Project:
    """A folder in which only the packages are installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.built = folder / "built"

    @classmethod
    def install(cls, folder: Path) -> "Project":
        """Packs the packages and installs them. Raises Failed."""
        project = cls(folder)
        tarballs = folder / "tarballs"
        for made in (tarballs, project.folder, project.built):
            made.mkdir()
        for name in PACKAGES:
            run([*npm(), "pack", "--workspace", name, "--pack-destination", str(tarballs)], WEB)
        # Found by whoever looks for what the project itself has not.
        (folder / "node_modules").symlink_to(WEB / "node_modules")
        (project.folder / "package.json").write_text('{"name": "project", "private": true, "type": "module"}')
        quiet = ("--offline", "--no-audit", "--no-fund", "--legacy-peer-deps")
        run([*npm(), "install", *quiet, *map(str, sorted(tarballs.iterdir()))], project.folder)
        return project

    def write(self, name: str, files: dict[str, str]) -> None:
        """A page of its own, checked as strictly as TypeScript can."""
        folder = self.folder / name
        folder.mkdir()
        for path, text in {"tsconfig.json": _STRICT, **files}.items():
            (folder / path).write_text(text)

    def page(self, name: str, block: Block) -> None:
        """A page that is this block and nothing else; a component is its default."""
        if block.language == "tsx":
            self.write(name, {"App.tsx": block.code, "main.tsx": _MOUNTED, "index.html": _PAGE.format(main="main.tsx")})
        else:
            self.write(name, {"main.ts": block.code, "index.html": _PAGE.format(main="main.ts")})

    def copy(self, name: str, example: Path) -> None:
        """An example as it stands."""
        shutil.copytree(example, self.folder / name, ignore=shutil.ignore_patterns("node_modules", "dist"))

    def check(self, name: str) -> None:
        """Types. Raises Failed."""
        run([str(WEB / "node_modules/.bin/tsc"), "-p", "."], self.folder / name)

    def build(self, name: str) -> None:
        """By Vite, into `built/NAME`. Raises Failed."""
        self.check(name)
        out = str(self.built / name)
        run([str(WEB / "node_modules/.bin/vite"), "build", "--base", "./", "--outDir", out], self.folder / name)

    def pages(self, name: str, blocks: Sequence[Block]) -> list[str]:
        """Each block as a page of its own, all built at once. The paths of the pages. Raises Failed."""
        files: dict[str, str] = {}
        for number, block in enumerate(blocks):
            main = f"main{number}.{block.language}"
            if block.language == "tsx":
                files[f"App{number}.tsx"] = block.code
                files[main] = _MOUNTED.replace("./App", f"./App{number}")
            else:
                files[main] = f"{block.code}\nexport {{}};\n"
            files[f"page{number}.html"] = _PAGE.format(main=main)
        pages = [path for path in files if path.endswith(".html")]
        inputs = ", ".join(f'"{page}"' for page in pages)
        files["vite.config.js"] = (
            f"export default {{ build: {{ target: 'es2022', rollupOptions: {{ input: [{inputs}] }} }} }};"
        )
        self.write(name, files)
        self.build(name)
        return [f"{name}/{page}" for page in pages]

    def installed(self) -> set[str]:
        """The packages of which the project has files of its own."""
        modules = self.folder / "node_modules"
        return {path.name for path in modules.iterdir() if path.is_dir() and not path.is_symlink()}


def run(command: Sequence[str], folder: Path) -> None:
    """Raises Failed with all that the command said."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **node_environment(), "CI": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=90,
        check=False,
    )
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}\n{done.stdout}")


async def _no_icon(request: web.Request) -> web.Response:
    return web.Response(status=204)  # browsers ask for it unbidden, and take a 404 for a fault of the page


@asynccontextmanager
async def served(*folders: Path) -> AsyncIterator[str]:
    """The files of these folders, as any web server gives them. Yields the origin."""
    [port] = free_ports.ports(1)
    app = web.Application()
    app.router.add_get("/favicon.ico", _no_icon)
    for folder in folders:
        app.router.add_static(f"/{folder.name}", folder)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, free_ports.HOST, port).start()
    try:
        yield f"http://localhost:{port}"
    finally:
        await runner.cleanup()
