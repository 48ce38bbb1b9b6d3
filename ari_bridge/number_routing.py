"""From a dialled number to the endpoint that Asterisk dials.

By default every number goes to the PBX's own dialplan (`Local/NUMBER@CONTEXT/n`),
so whatever a desk phone can dial, a page can dial. Rules send some numbers to a
trunk, or to one endpoint, instead.
"""

import re
from dataclasses import dataclass

from ari_bridge.number import normalize_number

_PATTERN = re.compile(r"[0-9xX+#*]+")
_ENDPOINT = re.compile(r"[A-Za-z][A-Za-z0-9_]*/[A-Za-z0-9{}+*#._~:;=@%!$&'()\[\]/-]+")
_PLACEHOLDER = re.compile(r"\$?\{[^{}]*\}")
_LOCAL = re.compile(r"(Local/[^@/]+@[^@/]+)(?:/([a-z]*))?", re.IGNORECASE)


class InvalidRule(ValueError):
    """An invalid dial route; the text says which and why."""


@dataclass(frozen=True)
class Rule:
    """`pattern`: digits, `+ * #`, x for any digit, and a last `*` for any rest.

    `endpoint`: what Asterisk dials. `{target}` in it is replaced by the number; without it every number that fits the
    pattern goes to that one endpoint.
    """

    pattern: str
    endpoint: str

    def matches(self, target: str) -> bool:
        head = self.pattern.removesuffix("*")
        if len(target) < len(head) or (head == self.pattern and len(target) != len(head)):
            return False
        return all(t.isdigit() if p in "xX" else p == t for p, t in zip(head, target, strict=False))


class Routes:
    """`target_sip_server` (`host[:port]`) with `target_sip_endpoint` (a PJSIP endpoint's name) sends
    every number that no rule takes to that SIP server; without them it goes to the dialplan `context`.
    """

    def __init__(
        self,
        *,
        target_sip_server: str = "",
        target_sip_endpoint: str = "",
        context: str = "from-browser",
        rules: list[Rule] | None = None,
    ) -> None:
        if target_sip_server and not target_sip_endpoint:
            raise InvalidRule("a target SIP server needs the name of the PJSIP endpoint that reaches it")
        self._rules = rules or []
        self._default = f"Local/{{target}}@{context}/n"
        if target_sip_server:
            self._default = f"PJSIP/{target_sip_endpoint}/sip:{{target}}@{target_sip_server}"

    def use(self, other: "Routes") -> None:
        """Replace the routes by those of `other`."""
        self._rules, self._default = other._rules, other._default

    @staticmethod
    def parse_rules(text: str) -> list[Rule]:
        """`PATTERN=ENDPOINT` separated by `;` or newlines, e.g. `7xxx=PJSIP/{target}@trunk; 100=PJSIP/reception`.

        Raises InvalidRule.
        """
        rules: dict[str, Rule] = {}
        for line in filter(str.strip, re.split(r"[;\n]", text)):
            pattern, found, endpoint = (part.strip() for part in line.partition("="))
            if not found or not pattern or not endpoint:
                raise InvalidRule(f"{line.strip()!r} is not PATTERN=ENDPOINT")
            if not _PATTERN.fullmatch(pattern):
                raise InvalidRule(
                    f"{pattern!r}: a pattern has digits, +, * or #, x for any digit, and * last for any rest"
                )
            if pattern.lower() in rules:
                raise InvalidRule(f"duplicate pattern {pattern!r}: only the first would apply")
            rules[pattern.lower()] = Rule(pattern, _endpoint(endpoint))
        return list(rules.values())

    def is_fixed(self, number: str) -> bool:
        """Whether a rule sends the number to one endpoint, whatever its digits."""
        rule = next((rule for rule in self._rules if rule.matches(number)), None)
        return rule is not None and "{target}" not in rule.endpoint

    def resolve(self, target: str) -> tuple[str, str]:
        """The number as it is dialled, and its endpoint. Raises InvalidTarget."""
        number = normalize_number(target)
        endpoint = next((rule.endpoint for rule in self._rules if rule.matches(number)), self._default)
        written = number.replace("#", "%23") if "/sip:" in endpoint else number
        return number, endpoint.replace("{target}", written)


def _endpoint(text: str) -> str:
    """The endpoint of a rule, as Asterisk takes it. Raises InvalidRule."""
    if "/" not in text:
        raise InvalidRule(f"{text!r}: an endpoint names its technology, as PJSIP/{text}")
    if "," in text:
        raise InvalidRule(f"{text!r}: routes are separated by ; not by commas")
    if "&" in text:
        raise InvalidRule(f"{text!r}: one endpoint, not several; for a group, name an extension: Local/NUMBER@CONTEXT")
    for placeholder in _PLACEHOLDER.findall(text):
        if placeholder != "{target}":
            raise InvalidRule(f"{text!r}: {placeholder} is not known, the number is written {{target}}")
    if not _ENDPOINT.fullmatch(text) or re.search(r"[{}]", text.replace("{target}", "")):
        raise InvalidRule(f"{text!r}: an endpoint looks like PJSIP/reception or PJSIP/{{target}}@trunk")
    if text.lower().startswith("local/"):
        match = _LOCAL.fullmatch(text)
        if not match:
            raise InvalidRule(f"{text!r}: it needs the dialplan context, as Local/NUMBER@CONTEXT")
        # Without "n" Asterisk takes the channel that we know out of the call as soon as both its sides are up.
        channel, options = match.group(1), match.group(2) or ""
        return f"{channel}/{options}" if "n" in options else f"{channel}/{options}n"
    return text
