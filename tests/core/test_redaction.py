"""What is masked, what is left alone, and that a long line costs little."""

from __future__ import annotations

import logging

import pytest

from tutelage.core.redaction import RedactingFilter, redact, redacted

TOKEN = "tut_" + "aB3-_" * 9


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://ada:s3cret@db:5432/x", "postgresql://***@db:5432/x"),
        ("to http://user:p%40ss@host/run failed", "to http://***@host/run failed"),
        (f"token {TOKEN} is old", "token tut_*** is old"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer ***"),
        ("authorization: basic dXNlcjpwYXNz", "authorization: basic ***"),
        ("AWS_SECRET_ACCESS_KEY=abcd/efgh", "AWS_SECRET_ACCESS_KEY=***"),
        ("{'password': 'hunter22'}", "{'password': '***'}"),
        ('"api_key": "0123456789"', '"api_key": "***"'),
        ("?token=abcdef&x=1", "?token=***&x=1"),
        ("hf_abcdefghijklmnopqrst", "***"),
    ],
)
def test_a_secret_is_masked(text: str, shown: str) -> None:
    assert redact(text) == shown
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "epoch 3: val_loss 0.12",
        "max_tokens=4096 tokens_per_s: 1200.5",
        "https://example.org:8080/path?x=1",
        "sklearn:wine",
        "primary_key: customer_id",
        "basic hyperparameters_of_the_model",
        "password: null",
        "the key is in the home",
    ],
)
def test_everything_else_is_left_alone(text: str) -> None:
    assert redact(text) == text


def test_values_under_names_of_secrets_are_masked_at_any_depth() -> None:
    found = redacted({"a": [{"db_password": "x", "token": "y", "tokens": 3}], "url": "s3://k:v@b/c", "n": 1.5})
    assert found == {"a": [{"db_password": "***", "token": "***", "tokens": 3}], "url": "s3://***@b/c", "n": 1.5}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("unit", ["a.", "a-", "a:", "://a:", "password", "token=", "tut_"])
def test_a_long_line_does_not_take_quadratic_time(unit: str) -> None:
    assert redact("secret " + unit * (300_000 // len(unit)))


def test_a_log_is_masked_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("masked")
    log.addFilter(RedactingFilter())
    try:
        raise ValueError(f"refused {TOKEN}")
    except ValueError:
        log.exception("sent %s", "http://a:bcd@c/")
    assert TOKEN not in caplog.text
    assert "bcd" not in caplog.text
    assert "ValueError: refused tut_***" in caplog.text
