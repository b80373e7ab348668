"""Shapes that a user's environment describes: completed, or refused with what is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from tutelage.services.agents.environments import scenes
from tutelage.services.agents.pictures import gif


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        ({"kind": "circle", "x": 1, "y": 2, "r": 3}, scenes.circle(1, 2, 3, color="grey")),
        ({"kind": "line", "x": 1, "y": 2, "x2": 3, "y2": 4}, scenes.line(1, 2, 3, 4)),
        ({"kind": "box", "x": 1, "y": 2, "w": 3, "h": 4, "label": 5}, scenes.box(1, 2, 3, 4, label="5")),
        ({"kind": "text", "x": 1, "y": 2, "text": "so", "color": "red"}, scenes.text(1, 2, "so", color="red")),
    ],
)
def test_a_shape_is_completed(given: dict[str, Any], whole: dict[str, Any]) -> None:
    assert scenes.completed(given) == whole


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("a cat", "kinds are circle, line, box, text"),
        ({"kind": "cat"}, "kinds are"),
        ({"kind": "circle", "x": 1, "y": 2}, "'r' is None, not a number"),
        ({"kind": "circle", "x": "1", "y": 2, "r": 1}, "'x' is '1'"),
        ({"kind": "line", "x": 1, "y": 2, "x2": 3, "y2": 4, "color": "pink"}, "colours are blue"),
    ],
)
def test_what_nobody_draws_is_refused_with_what_is_allowed(given: object, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        scenes.completed(given)


def test_every_colour_can_be_drawn() -> None:
    assert set(gif.COLORS) == set(scenes.COLORS)
