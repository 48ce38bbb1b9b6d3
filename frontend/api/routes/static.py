"""The built pages: the softphone at `/`, the dashboard at `/dashboard`, administration at `/admin`, what they need below `/assets`."""

from pathlib import Path

from aiohttp import web

from frontend.http.middleware import Handler

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
        return _answer(file)

    return page


def _answer(file: Path) -> web.StreamResponse:
    if not file.is_file():
        return web.Response(status=503, text=NOT_BUILT)
    # The names of the assets change with their content; the page itself is revalidated each time.
    return web.FileResponse(file, headers={"Cache-Control": "no-cache"})


@web.middleware
async def assets_kept(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if request.path.startswith("/assets/") and response.status == 200:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
