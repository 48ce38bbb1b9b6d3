"""Classes of service: ordered rules that allow or deny numbers, the first that fits decides. Pure.

A rule is `allow WHAT` or `deny WHAT`, where WHAT is one or two of

- a class of numbers, e.g. `international`, or `any` for all ordinary ones,
- a country, e.g. `country:AT`,
- a pattern, as in DIAL_ROUTES: digits, `+ * #`, x for any digit, a last `*` for any rest. Numbers outside are compared
  in international form, e.g. `+4989*`,
- a name of the dialplan, as it is: `name:reception`.

`include NAME` stands for the rules of another class. An allow rule opens numbers that are not ordinary (premium,
satellite, high-risk, unassigned, service codes, names of the dialplan) only if it names their class, as in
`allow premium +49900*`, or the whole number, as in `allow *43`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ari_bridge.dial_permissions.number_class import ORDINARY, DialledNumber, NumberClass
from ari_bridge.dial_permissions.number_plan import COUNTRIES
from ari_bridge.number_routing import Rule as Pattern

_CLASSES = {number_class.value: number_class for number_class in NumberClass}
_PATTERN = re.compile(r"[0-9xX+#*]+")
_NAME = re.compile(r"[0-9A-Za-z.-][0-9A-Za-z._-]{0,63}")


class InvalidRule(ValueError):
    """A rule that cannot be understood; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a class of service.

    Args:
        text: The rule as it was written, which a refusal names.
        allow: Whether it allows or denies.
        number_class: The class that it is about; None for all.
        country: The country that it is about; "" for all.
        pattern: The numbers that it is about; None for all.
        name: The one name of the dialplan that it is about; "" for all.
    """

    text: str
    allow: bool
    number_class: NumberClass | None = None
    country: str = ""
    pattern: Pattern | None = None
    name: str = ""

    def matches(self, number: DialledNumber) -> bool:
        if self.number_class is not None and self.number_class is not number.number_class:
            return False
        if self.country and self.country != number.country:
            return False
        if self.pattern and not self.pattern.matches(number.canonical):
            return False
        if self.name and self.name != number.dialled:
            return False
        whole = self.name or (self.pattern.pattern if self.pattern else "")
        named = self.number_class is not None or whole == number.canonical
        return not self.allow or named or number.number_class in ORDINARY


@dataclass(frozen=True, slots=True)
class DialDecision:
    """Whether a number may be dialled.

    Args:
        allowed: The answer.
        rule: The rule that decided, as `CLASS: RULE`.
        number: What was asked for.
    """

    allowed: bool
    rule: str
    number: DialledNumber


@dataclass(frozen=True, slots=True)
class ClassOfService:
    """`rules`: those of included classes stand in their place. `built_in`: every installation has it."""

    name: str
    rules: tuple[Rule, ...]
    built_in: bool = False

    def decide(self, number: DialledNumber) -> DialDecision:
        for rule in self.rules:
            if rule.matches(number):
                return DialDecision(rule.allow, f"{self.name}: {rule.text}", number)
        return DialDecision(False, f"{self.name}: no rule allows {number.number_class.value}", number)


_BUILT_IN = {
    "internal": ["allow internal"],
    "national": ["include internal", "allow national", "allow mobile", "allow shared_cost"],
    "international": ["include national", "allow international"],
    "unrestricted": ["include international", "allow unassigned"],
}


def parse_classes(written: Mapping[str, list[str]]) -> dict[str, ClassOfService]:
    """The classes that were written, by name, and the built-in ones. Raises InvalidRule."""
    both = {**_BUILT_IN, **written}
    for name in written:
        if name in _BUILT_IN:
            raise InvalidRule(f"class {name}: it is built in; take another name")
    return {name: ClassOfService(name, _rules(name, both, ()), name in _BUILT_IN) for name in both}


def _rules(name: str, written: Mapping[str, list[str]], within: tuple[str, ...]) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    for text in written[name]:
        verb, _, what = text.strip().partition(" ")
        if verb != "include":
            rules.append(parse_rule(text))
            continue
        if (other := what.strip()) not in written:
            raise InvalidRule(f"{text!r}: there is no class {other!r}")
        if other == name or other in within:
            raise InvalidRule(f"{text!r}: the classes include each other")
        rules.extend(_rules(other, written, (*within, name)))
    return tuple(rules)


def parse_rule(text: str) -> Rule:
    """Raises InvalidRule."""
    verb, *words = text.split()
    if verb not in ("allow", "deny") or not 1 <= len(words) <= 2:
        raise InvalidRule(f"{text!r}: a rule is allow, deny or include, and then what")
    rule = Rule(" ".join([verb, *words]), verb == "allow")
    for word in words:
        changes = _matcher(word, text)
        if any(getattr(rule, name) for name in changes):
            raise InvalidRule(f"{text!r}: it has two of the same kind")
        rule = replace(rule, **changes)
    return rule


def _matcher(word: str, text: str) -> dict[str, Any]:
    """The fields of the rule that this word sets. Raises InvalidRule."""
    if word == "any":
        return {}
    if number_class := _CLASSES.get(word):
        return {"number_class": number_class}
    kind, _, value = word.partition(":")
    if kind == "country":
        if value not in COUNTRIES and value != "001":
            raise InvalidRule(f"{text!r}: {value!r} is no ISO 3166 code of a country, e.g. country:AT")
        return {"country": value}
    if kind == "name" and _NAME.fullmatch(value):
        return {"name": value}
    if not _PATTERN.fullmatch(word):
        raise InvalidRule(f"{text!r}: {word!r} is neither a class of numbers, a country, a pattern nor a name")
    return {"pattern": Pattern(word, "")}
