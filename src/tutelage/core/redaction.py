"""Takes secrets out of texts that others read: tokens, passwords in addresses, and values named like secrets."""

from __future__ import annotations

import logging
import re
from typing import Any

MASK = "***"
_WORDS = r"password|passwd|secret|api[_-]?key|access[_-]?key|private[_-]?key|credential|auth[_-]?token"
SECRET_KEY = re.compile(rf"(?:[\w.-]*(?:{_WORDS})[\w.-]*|token|pwd)\Z", re.IGNORECASE)
"""Names whose values are secrets. A plural such as `max_tokens` is a count."""

_PATTERNS = (
    (re.compile(r"(://)[^\s/@:\"'<>]{0,200}:[^\s/@\"'<>]{1,200}@"), rf"\1{MASK}@"),
    (re.compile(r"\btut_[A-Za-z0-9_-]{20,}"), f"tut_{MASK}"),
    (re.compile(r"(?i)\b(bearer\s+|authorization[\"']?\s?[:=]\s?[\"']?basic\s+)[\w.~+/=-]{8,}"), rf"\1{MASK}"),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|sk-|xox[abprs]-|hf_|AKIA)[A-Za-z0-9_-]{16,}"), MASK),
    (
        re.compile(
            rf"((?:(?:{_WORDS})[\w.-]{{0,40}}|\btoken|\bpwd)[\"']?\s?[=:]\s?[\"']?)"
            r"(?!\*\*\*|null\b|none\b|true\b|false\b)[^\s\"',;&}]{4,}",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
)
"""Each looks for a fixed word first and is bounded on both sides, so that a long line takes linear time."""

_HINTS = ("://", "tut_", "earer", "asic ", "pass", "PASS", "ecret", "ECRET", "key", "KEY", "oken", "OKEN", "red", "RED",
          "gh", "sk-", "xox", "hf_", "AKIA", "pwd", "PWD")  # fmt: skip
"""A text with none of these holds nothing to mask: looking for them costs a tenth of the patterns."""


def redact(text: str) -> str:
    """Return a text with its secrets masked."""
    if not any(hint in text for hint in _HINTS):
        return text
    for pattern, mask in _PATTERNS:
        text = pattern.sub(mask, text)
    return text


def redacted(value: Any) -> Any:
    """Return a JSON value with the secrets in its texts, and under names of secrets, masked."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _under(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(item) for item in value]
    return value


def _under(key: str, value: Any) -> Any:
    if isinstance(value, str) and value and SECRET_KEY.match(key):
        return MASK
    return redacted(value)


class RedactingFilter(logging.Filter):
    """Masks secrets in every line of a log, tracebacks included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Render the record once, masked; it is always kept."""
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        return True
