"""What the source says of a struct's fields. Documentation is made of it.

It stands at the end of the field's line, or as a string below it.
"""

import ast
from itertools import zip_longest

import msgspec

Comments = dict[tuple[str, str], str]
"""By struct and field."""


def field_comments(source: str) -> Comments:
    """Of all structs of a module."""
    lines = source.splitlines()
    found: Comments = {}
    for node in ast.parse(source).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for field, below in zip_longest(node.body, node.body[1:]):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                    found[node.name, field.target.id] = str(below.value.value)
                last = field.end_lineno or field.lineno
                _, mark, comment = lines[last - 1][field.end_col_offset or 0 :].partition("#")
                if mark:
                    found[node.name, field.target.id] = comment.strip()
    return found


def comment_of(struct: type[msgspec.Struct], field: str, comments: Comments) -> str | None:
    """Also of a field that the struct has from another one."""
    return next((comments[cls.__name__, field] for cls in struct.__mro__ if (cls.__name__, field) in comments), None)
