"""The built pages: `/`, `/dashboard` and `/admin`, and what they need below `/assets`."""

import asyncio
from pathlib import Path

from aiohttp import web

from frontend.http.middleware import Handler
from frontend.http.pages import page_response

STATIC = Path(__file__).parents[2] / "static"
NOT_BUILT = "The pages have not been built: run `npm ci && npm run build` in frontend/web.\n"


def routes(static: Path = STATIC) -> list[web.AbstractRouteDef]:
    pages = {"/": "index.html", "/dashboard": "dashboard.html", "/admin": "admin.html"}
    found: list[web.AbstractRouteDef] = [web.get(path, _page(static / name)) for path, name in pages.items()]
    if (static / "assets").is_dir():
        found.append(web.static("/assets", static / "assets"))
    return found


def _page(file: Path) -> Handler:
    async def page(request: web.Request) -> web.StreamResponse:
        try:
            html = await asyncio.to_thread(file.read_text)
        except FileNotFoundError:
            return web.Response(status=503, text=NOT_BUILT)
        return page_response(request, html)

    return page


@web.middleware
async def assets_kept(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if request.path.startswith("/assets/") and response.status == 200:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
