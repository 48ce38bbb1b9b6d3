"""The commands of `ari-bridge`, and how their arguments are read."""

import typer

from frontend.cli.audit import audit
from frontend.cli.call import call
from frontend.cli.calls import calls
from frontend.cli.dial_check import dial_check
from frontend.cli.doctor import doctor
from frontend.cli.key import key
from frontend.cli.signing_key import signing_key
from frontend.cli.sip import sip
from frontend.cli.user import user

main = typer.Typer(no_args_is_help=True, add_completion=False, help="Call from a browser into a legacy Asterisk.")
main.add_typer(user, name="user")
main.add_typer(signing_key, name="signing-key")
main.add_typer(calls, name="calls")
main.add_typer(key, name="key")
main.add_typer(audit, name="audit")
main.add_typer(sip, name="sip")
main.command()(doctor)
main.command()(call)
main.command("dial-check")(dial_check)


@main.command()
def serve() -> None:
    """Serve the softphone page, the WebSocket and the HTTP API. Settings come from the environment (env.example)."""
    # Not above: the other commands need no server.
    from frontend.cli import serve as serve_command

    raise typer.Exit(serve_command.serve())


@main.command()
def version() -> None:
    """The version."""
    from frontend.app import VERSION

    typer.echo(VERSION)
