"""Lewis's referential game (Lewis 1969; Lazaridou et al. 2017): the sender sees which candidate is meant.

Two steps: the sender speaks of the target; the receiver hears the word and chooses among the candidates, shuffled.
Objects have attributes, each with a value; candidates are different objects. There are as many words as objects by
default, so that a perfect code exists.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.services.agents.environments import scenes
from tutelage.services.agents.environments.base import (
    About,
    Actions,
    AgentSpaces,
    Booleans,
    Discrete,
    Entities,
    Floats,
    Link,
    Observation,
    Reference,
)
from tutelage.services.agents.environments.vectorized import (
    HARDEST,
    VectorizedTask,
    at_least,
    changed,
    fraction,
    one_hot,
)

SPEAK, CHOOSE = 0, 1


class ReferentialGame(VectorizedTask):
    """`num_attributes` of `num_values` each; the receiver chooses among `num_candidates`.

    Easier: fewer candidates, down to two; the rest are zeros and may not be chosen.
    """

    STATE = ("candidates", "target", "count")

    def __init__(
        self,
        num: int,
        *,
        seed: int,
        num_attributes: int = 2,
        num_values: int = 3,
        num_candidates: int = 4,
        words: int | None = None,
        difficulty: float = HARDEST,
    ) -> None:
        super().__init__(num, seed=seed)
        self.num_attributes = at_least("num_attributes", num_attributes, 1, most=4)
        self.num_values = at_least("num_values", num_values, 2, most=8)
        self.num_objects = num_values**num_attributes
        self.num_candidates = at_least("num_candidates", num_candidates, 2, most=self.num_objects)
        self.words = at_least("words", self.num_objects if words is None else words, 2)
        self.difficulty = fraction("difficulty", difficulty)
        self.about = changed(self._describe(), difficulty < HARDEST)
        self._features = _features(num_attributes, num_values)
        self.candidates = np.zeros((num, num_candidates), np.int64)
        self.target = np.zeros(num, np.int64)
        self.count = np.full(num, num_candidates)

    def begin(self, which: Booleans) -> None:
        """Draw different candidates and which of them is meant."""
        rows = int(which.sum())
        drawn = self.rng.random((rows, self.num_objects)).argsort(1)[:, : self.num_candidates]
        self.candidates[which] = drawn
        self.count[which] = 2 + round(self.difficulty * (self.num_candidates - 2))
        self.target[which] = (self.rng.random(rows) * self.count[which]).astype(np.int64)

    def advance(self, actions: Actions) -> tuple[Floats, Booleans, Booleans]:
        """Score the choice of the second step: 1 for both where it is the target."""
        chosen = np.asarray(actions[1])
        choosing = self.elapsed == CHOOSE
        right = choosing & (chosen == self.target)
        return np.repeat(right[:, None], 2, axis=1).astype(np.float32), choosing, right

    def observe(self) -> Observation:
        """The sender: the target's attributes, one-hot, at the first step. The receiver: all candidates' attributes.

        Each plays in its own step only: nothing is learned of a choice that counts for nothing.
        """
        speaking = self.elapsed == SPEAK
        there = np.arange(self.num_candidates) < self.count[:, None]
        shown = self._features[self.candidates] * there[..., None]
        target = self._features[self.meant] * speaking[:, None]
        turns = np.stack([speaking, ~speaking], 1)
        return Observation(
            seen=(target, shown.reshape(self.num, -1)),
            plays=turns,
            speaks=np.stack([speaking, np.zeros(self.num, bool)], 1),
            hears=turns & np.array([False, True]),
            allowed=(None, there),
        )

    @property
    def meant(self) -> NDArray[np.int64]:
        """The object that is meant, (B,)."""
        found: NDArray[np.int64] = self.candidates[np.arange(self.num), self.target]
        return found

    def scene(self, copy: int) -> dict[str, Any]:
        """Draw the candidates in a row, the target with a bar under it."""
        shapes = []
        for place in range(int(self.count[copy])):
            values = np.unravel_index(self.candidates[copy, place], (self.num_values,) * self.num_attributes)
            label = "".join("abcdefgh"[int(value)] for value in values)
            shapes.append(
                scenes.circle(place, 0, 0.3, color=scenes.COLORS[int(values[0]) % len(scenes.COLORS)], label=label)
            )
        mark = scenes.box(float(self.target[copy]) - 0.3, -0.55, 0.6, 0.1, color="green")
        return scenes.scene(*shapes, mark, bounds=(-1, -1, self.num_candidates, 1))

    def _describe(self) -> About:
        size = self.num_attributes * self.num_values
        chance = 1 / self.num_candidates
        receiver = AgentSpaces(
            name="receiver",
            observation=size * self.num_candidates,
            action=Discrete(num=self.num_candidates),
            entities=Entities(start=0, num=self.num_candidates, size=size),
        )
        reach = min(self.words, self.num_objects)
        references = {
            "random": Reference(value=chance, how=f"exact: one of {self.num_candidates} candidates"),
            "no_channel": Reference(value=chance, how="exact: without a word every candidate is as likely"),
        }
        if reach == self.num_objects:
            references["oracle"] = Reference(value=1.0, how="exact: a word for each object")
        return About(
            id="referential_game",
            version="1",
            agents=(AgentSpaces(name="sender", observation=size, action=None), receiver),
            max_steps=2,
            success="the receiver chooses the target",
            link=Link(words=self.words, speakers=(0,), hearers=(1,)),
            references=references,
        )


def _features(num_attributes: int, num_values: int) -> Floats:
    """Return the attributes of every object, one-hot; (objects, attributes x values)."""
    values = np.stack(np.unravel_index(np.arange(num_values**num_attributes), (num_values,) * num_attributes), 1)
    return one_hot(values, num_values).reshape(len(values), -1)
