"""Users who sign in: settings with their names and one password, and each one's page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from playwright.async_api import Browser

from ari_bridge.accounts.users_file import UsersFile
from tests.e2e.softphone import Softphone, unopened_softphone
from tests.real.live_system import LiveSystem

PASSWORD = "correct horse battery"


def accounts(folder: Path, *users: str, admin: str = "") -> dict[str, Any]:
    """A site's settings. `admin`: which of the users is one."""
    (folder / "secret").write_text(token_urlsafe(48))  # as an earlier version has it; it is taken over
    file = UsersFile(folder / "users")
    for user in users:
        file.add(user, PASSWORD, *(["user", "admin"] if user == admin else []))
    return {
        "enable_authentication": True,
        "users_file": folder / "users",
        "token_secret_file": folder / "secret",
    }


async def sign_in(phone: Softphone, user: str, password: str = PASSWORD) -> None:
    """On a page that asks for it."""
    await phone.write(phone.page.get_by_label("User"), user)
    await phone.write(phone.page.get_by_label("Password"), password)
    await phone.press("Sign in")


@asynccontextmanager
async def signed_in(browser: Browser, site: LiveSystem, user: str, **options: object) -> AsyncIterator[Softphone]:
    """`user`'s page, online."""
    async with unopened_softphone(browser, **options) as phone:
        await phone.page.goto(site.app.url)
        await sign_in(phone, user)
        await phone.online()
        yield phone
