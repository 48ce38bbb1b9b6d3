"""The page at `/docs`: the reference's Markdown as HTML, without any script."""

from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from frontend.api.openapi.markdown import anchor, markdown
from frontend.http.pages import NONCE_PLACEHOLDER

_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d8dee4, #333b44); --soft: light-dark(#f5f7f9, #1b2026);
  --ink: light-dark(#1c2228, #e4e8ec); --paper: light-dark(#fff, #12161a); --link: light-dark(#0b5cad, #7cb8f5); }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.6 system-ui, sans-serif; overflow-wrap: break-word; }
h1, h2, h3 { line-height: 1.25; }
h2 { margin-top: 3rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
h3 { margin-top: 2.2rem; font-size: 1.1rem; }
h3:target, h2:target { outline: 2px solid var(--link); outline-offset: .3rem; border-radius: .2rem; }
a { color: var(--link); }
code, pre { font-family: ui-monospace, monospace; font-size: .875rem; }
code { background: var(--soft); padding: .1em .3em; border-radius: .25rem; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; overflow-x: auto; }
pre code { background: none; padding: 0; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .6rem .4rem 0; text-align: left; vertical-align: top; }
"""


def page() -> str:
    """The whole page. Light or dark, as the reader's system is."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.core.ruler.push("anchors", _add_anchors)
    body = parser.render(markdown())
    body = body.replace("<table>", '<div class="table" tabindex="0" role="group" aria-label="Table"><table>')
    body = body.replace("</table>", "</table></div>").replace("<pre>", '<pre tabindex="0">')
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>HTTP API</title>\n<style nonce="{NONCE_PLACEHOLDER}">{_STYLE}</style>\n</head>\n'
        f"<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _add_anchors(state: Any) -> None:
    """Every heading can be linked to; links to other documents, which no server has, are plain text."""
    for index, token in enumerate(state.tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(state.tokens[index + 1].content))
        if token.children:
            token.children = _without_files(token.children)


def _without_files(tokens: list[Token]) -> list[Token]:
    kept: list[Token] = []
    inside = False
    for token in tokens:
        if token.type == "link_open" and ".md" in str(token.attrGet("href")):
            inside = True
        elif token.type == "link_close" and inside:
            inside = False
        else:
            kept.append(token)
    return kept
