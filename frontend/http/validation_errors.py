"""What is wrong with a message or a body, in words for who sent it."""


def parse_validation_error(error: str) -> tuple[str, str | None]:
    """msgspec's words, and the field that they name: ``Expected `str`, got `int` - at `$.target` ``."""
    what, _, where = error.partition(" - at `$")
    field = where.rstrip("`").lstrip(".") or None
    if field is None and "required field `" in what:
        field = what.rpartition("required field `")[2].rstrip("`")
    return what, field
