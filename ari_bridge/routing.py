"""From a dialled number to the endpoint that Asterisk dials.

By default every number goes to the PBX's own dialplan (`Local/NUMBER@CONTEXT/n`),
so whatever a desk phone can dial, a page can dial. Rules send some numbers to a
trunk instead.
"""

import re
from dataclasses import dataclass

from ari_bridge.number import normalize_number

_RULE = re.compile(r"\s*([^=\s]+)\s*=\s*(\S+)\s*")


class InvalidRule(ValueError):
    """A dial route that cannot be understood; the text says which and why."""


@dataclass(frozen=True)
class Rule:
    """`pattern`: digits, with x for any digit and a last `*` for any rest. `endpoint` holds `{target}`."""

    pattern: str
    endpoint: str

    def matches(self, target: str) -> bool:
        head, star, _ = self.pattern.partition("*")
        if len(target) < len(head) or (not star and len(target) != len(head)):
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

    @staticmethod
    def parse_rules(text: str) -> list[Rule]:
        """`PATTERN=ENDPOINT` separated by `;` or newlines, e.g. `7xxx=PJSIP/{target}@trunk`. Raises InvalidRule."""
        rules = []
        for line in filter(str.strip, re.split(r"[;\n]", text)):
            match = _RULE.fullmatch(line)
            if not match:
                raise InvalidRule(f"{line.strip()!r} is not PATTERN=ENDPOINT")
            pattern, endpoint = match.groups()
            if not re.fullmatch(r"[0-9xX+#]*\*?", pattern):
                raise InvalidRule(f"{pattern!r}: a pattern has digits, x for any digit, and may end with *")
            if "{target}" not in endpoint or "/" not in endpoint:
                raise InvalidRule(f"{endpoint!r}: an endpoint looks like PJSIP/{{target}}@trunk")
            rules.append(Rule(pattern, endpoint))
        return rules

    def resolve(self, target: str) -> tuple[str, str]:
        """The number as it is dialled, and its endpoint. Raises InvalidTarget."""
        number = normalize_number(target)
        endpoint = next((rule.endpoint for rule in self._rules if rule.matches(number)), self._default)
        written = number.replace("#", "%23") if "/sip:" in endpoint else number
        return number, endpoint.replace("{target}", written)
