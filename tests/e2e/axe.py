"""What axe finds on a page as it is: WCAG 2.1 AA."""

from playwright.async_api import Page

from deploy.demo.install import WEB

FOLDER = WEB / "node_modules" / "axe-core"
# What it sees of names that differ from texts is a draft rule, which takes a key's letters for its name.
_RUN = """() => axe.run({
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
  resultTypes: ["violations"], preload: false, iframes: false,
  rules: { "label-content-name-mismatch": { enabled: false } },
}).then(({ violations }) => violations.flatMap(({ help, nodes }) => nodes.map(({ html }) => `${help}: ${html}`)))"""


async def violations(page: Page) -> list[str]:
    """A line each; empty is well."""
    if await page.evaluate("typeof axe === 'undefined'"):
        source = (FOLDER / "axe.min.js").read_text()
        await page.evaluate(f"() => {{ {source} }}")  # as a script element, the page's policy would not allow it
    found: list[str] = await page.evaluate(_RUN)
    return found
