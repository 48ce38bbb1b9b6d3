"""`python -m frontend.codegen` writes what is generated; with `--check` it only says whether that is current."""

import sys
from pathlib import Path

from frontend.api.asyncapi import document as asyncapi
from frontend.api.openapi import document
from frontend.api.openapi.markdown import markdown
from frontend.codegen import python, typescript

DOCS = Path(__file__).parents[2] / "docs"


def outputs() -> dict[Path, bytes]:
    """All that is generated and committed, by its path."""
    reference = {DOCS / "openapi.json": document.encoded(), DOCS / "HTTP.md": markdown().encode()}
    reference[DOCS / "asyncapi.json"] = asyncapi.encoded()
    return {**reference, **typescript.outputs(), **python.outputs()}


def main() -> int:
    """Writes the files; with `--check` only says by its status whether they are current."""
    files = outputs()
    if "--check" in sys.argv[1:]:
        return 0 if all(path.exists() and path.read_bytes() == text for path, text in files.items()) else 1
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
