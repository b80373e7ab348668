"""Hostile names become names that MLflow takes."""

from __future__ import annotations

import pytest

from tutelage.tracking.names import experiment_name, flattened, key_name, model_name, value_text


@pytest.mark.parametrize(
    ("given", "becomes"),
    [
        ("final/val_loss", "final/val_loss"),
        ("test.f1", "test.f1"),
        ("../../etc/passwd", "etc/passwd"),
        ("a//b/.", "a/b"),
        ("naïve:µ", "na_ve__"),
        ("", "_"),
        ("x" * 400, "x" * 250),
    ],
)
def test_a_key_keeps_what_mlflow_takes(given: str, becomes: str) -> None:
    assert key_name(given) == becomes


@pytest.mark.parametrize(
    ("given", "becomes"),
    [
        ("churn", "churn"),
        ("../a/b:c", "a-b-c"),
        ("x' OR `y` %", "x- OR -y"),
        ("\x00\n", "tutelage"),
        ("m" * 999, "m" * 200),
        ("Größe 1", "Größe 1"),
    ],
)
def test_a_model_gets_a_name_without_path_or_quote(given: str, becomes: str) -> None:
    assert model_name(given) == becomes


def test_an_experiment_has_no_control_characters() -> None:
    assert experiment_name("a\x1b[31m\nb") == "a [31m b"
    assert experiment_name(" \n ") == "tutelage"


def test_a_value_is_cut_and_tells_no_credentials() -> None:
    assert value_text("postgresql://me:secret@db/x") == "postgresql://db/x"
    assert value_text(["a", 1]) == '["a", 1]'
    assert len(value_text("x" * 7000)) == 6000


def test_a_document_is_flattened_to_its_leaves() -> None:
    document = {"a": {"b": 1, "c": {"d": [1, 2]}}, "e": None, "f": {}, "g": False}
    assert dict(flattened(document, "config")) == {"config.a.b": 1, "config.a.c.d": [1, 2], "config.g": False}
