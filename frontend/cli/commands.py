"""The commands of `ari-bridge`, and how their arguments are read."""

import getpass
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from frontend.auth.users import InvalidUser, Users
from frontend.cli.call import call
from frontend.cli.dial_check import dial_check
from frontend.cli.doctor import doctor
from frontend.settings import InvalidSettings, Settings, load

main = typer.Typer(no_args_is_help=True, add_completion=False, help="Call from a browser into a legacy Asterisk.")
user = typer.Typer(no_args_is_help=True, help="The users who may sign in.")
main.add_typer(user, name="user")
main.command()(doctor)
main.command()(call)
main.command("dial-check")(dial_check)
main.command("dial-check")(dial_check)


def _load() -> Settings:
    try:
        return load()
    except InvalidSettings as error:
        typer.echo(f"The settings are wrong:\n{error}", err=True)
        raise typer.Exit(2) from None


@main.command()
def serve() -> None:
    """Serve the softphone page, the WebSocket and the HTTP API. Settings come from the environment (env.example)."""
    # Not above: the other commands need no server.
    from frontend.cli import serve as serve_command

    raise typer.Exit(serve_command.serve())


@user.command("add")
def add_user(
    name: str,
    generate: Annotated[bool, typer.Option("--generate", help="Make a password and print it.")] = False,
    file: Annotated[Path | None, typer.Option(help="The users file; USERS_FILE where it is not given.")] = None,
) -> None:
    """Add a user, or change the password of one."""
    path = file or _load().users_file
    try:
        if generate:
            password = secrets.token_urlsafe(12)
            Users(path).add(name, password)
            typer.echo(password)
        else:
            password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
            Users(path).add(name, password)
        typer.echo(f"{name} may sign in now ({path}).", err=True)
    except (InvalidUser, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@user.command("list")
def list_users(
    file: Annotated[Path | None, typer.Option(help="The users file; USERS_FILE where it is not given.")] = None,
) -> None:
    """The users who may sign in."""
    try:
        for name in Users(file or _load().users_file).names():
            typer.echo(name)
    except (InvalidUser, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@main.command()
def version() -> None:
    """The version."""
    from frontend.app import VERSION

    typer.echo(VERSION)
