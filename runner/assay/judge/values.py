# SPDX-License-Identifier: Apache-2.0
"""Values of facts and limits: quantities with units, lists, and the conditions rows put on them.

A fact is text as the probe printed it (`65536`, `64K`, `128,256,512`). A limit is text as the document
says it (`64 KiB`, `48 bits`). Both are compared as numbers when both are numbers, else as text.
"""

from __future__ import annotations

import re
from typing import Any

_SCALES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_BYTES = re.compile(r"^(\d+)\s*([kmgt]?)i?b?$", re.IGNORECASE)
_COUNT = re.compile(r"^(0x[0-9a-f]+|\d+)\s*(bits?|mhz|)$", re.IGNORECASE)

# The operators of a fact condition, in the words of docs/matrices.md.
OPERATORS = ("is", "not", "has", "lacks", "min", "max")


def quantity(text: Any) -> int | None:
    """`64 KiB`, `64K`, `65536`, `0x10000`, `48 bits`, `2600 MHz` as a number; None when it is none."""
    if isinstance(text, bool):
        return None
    if isinstance(text, int):
        return text
    word = str(text).strip()
    found = _COUNT.match(word)
    if found:
        return int(found.group(1), 0)
    found = _BYTES.match(word)
    if found:
        return int(found.group(1)) * _SCALES[found.group(2).lower()]
    return None


def same(a: Any, b: Any) -> bool:
    """Equal as numbers if both are, else as text without regard to case."""
    x, y = quantity(a), quantity(b)
    if x is not None and y is not None:
        return x == y
    return str(a).strip().lower() == str(b).strip().lower()


def items(text: Any) -> list[str]:
    """The members of a list fact: separated by commas, blanks or both; `none` and nothing are empty."""
    if isinstance(text, (list, tuple)):
        return [str(item) for item in text]
    word = str(text).strip()
    if word.lower() in ("", "none"):
        return []
    if "," in word:
        return [part.strip() for part in word.split(",") if part.strip()]
    return [word] if quantity(word) is not None else word.split()


def contains(text: Any, member: Any) -> bool:
    """Is `member` one of the items of a list fact?"""
    return any(same(item, member) for item in items(text))


def holds(condition: dict[str, Any], value: str) -> bool:
    """Does a fact's value satisfy every operator of the condition?"""

    def many(wanted: Any) -> list[Any]:
        return wanted if isinstance(wanted, list) else [wanted]

    number = quantity(value)
    for operator, wanted in condition.items():
        if operator == "is":
            good = any(same(value, one) for one in many(wanted))
        elif operator == "not":
            good = not any(same(value, one) for one in many(wanted))
        elif operator == "has":
            good = all(contains(value, one) for one in many(wanted))
        elif operator == "lacks":
            good = not any(contains(value, one) for one in many(wanted))
        elif operator == "min":
            good = number is not None and number >= (quantity(wanted) or 0)
        elif operator == "max":
            good = number is not None and number <= (quantity(wanted) or 0)
        else:
            continue
        if not good:
            return False
    return True


def describe(condition: dict[str, Any]) -> str:
    """The condition in words, for a reason a reader understands."""
    words = {"is": "{}", "not": "not {}", "has": "with {}", "lacks": "without {}",
             "min": "at least {}", "max": "at most {}"}
    parts = []
    for operator in OPERATORS:
        if operator in condition:
            wanted = condition[operator]
            text = " or ".join(map(str, wanted)) if isinstance(wanted, list) else str(wanted)
            if operator in ("has", "lacks"):
                text = text.replace(" or ", ", ")
            parts.append(words[operator].format(text))
    return " and ".join(parts)


def show(value: Any, unit: str | None) -> str:
    """A measured value as people write it: bytes as KiB, MiB, GiB; others with their unit."""
    number = quantity(value)
    if number is None:
        return str(value)
    if unit == "bytes":
        for shift, name in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
            if number >= 1 << shift and number % (1 << shift) == 0:
                return f"{number >> shift} {name}"
        return f"{number} bytes"
    return f"{number} {unit}" if unit else str(number)
