"""What `ari-bridge` runs first. `serve` goes straight to the server: while it starts, no call can be commanded."""

import sys


def main() -> None:
    """Runs `ari-bridge` with the arguments of this process; ends it with its exit status."""
    if sys.argv[1:] == ["serve"]:
        from frontend.cli.serve import serve

        sys.exit(serve())
    # Not above: reading a command line by typer and rich, and what the other commands need, takes a while to import.
    from frontend.cli.commands import main as commands

    commands()


if __name__ == "__main__":
    main()
