"""Acting with finished policies: what may be asked, what is answered, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from agents_support import Pointing, Radio

from tutelage.core.errors import InvalidSpec, UnknownName
from tutelage.services.agents.artifacts import SavedTeam
from tutelage.services.agents.building import roles_for, team_of
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.environments.base import Continuous
from tutelage.services.agents.onnx_export import export_onnx
from tutelage.services.agents.ppo.speech import Speech
from tutelage.services.agents.use import answer, read_request


def saved_team(walker: Continuous | None = None, **settings: Any) -> SavedTeam:
    config = AgentsConfig.model_validate({"hidden_size": 8, "num_layers": 2, **settings})
    about, seeds = Pointing(num=1, seed=0, walker=walker).about, (4, 9)
    roles = roles_for(config, about, Speech(about, [Radio(), Radio()], num_copies=1, num_seeds=2))
    team = team_of(config, roles, seeds, num_copies=1)
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in team.parameters():
            parameter.normal_(std=0.5, generator=draw)
    return SavedTeam(team=team.eval(), config=config, about=about, seeds=seeds, best_seed=9)


def ask(saved: SavedTeam, **request: Any) -> dict[str, Any]:
    return answer(saved, read_request(request))


def test_one_observation_is_answered_with_one_action_and_rows_with_rows() -> None:
    saved = saved_team()
    one = ask(saved, agent="walker_1", observation=[0.5, 0.5], heard=[0, 1, 0])
    rows = ask(saved, agent="walker_1", observation=[[0.5, 0.5], [0.1, 0.9]], heard=[[0, 1, 0], [1, 0, 0]])
    assert (one["agent"], one["seed"]) == ("walker_1", 9)
    assert one["action"] == rows["action"][0]
    assert one["odds"] == pytest.approx(rows["odds"][0])
    assert sum(one["odds"]) == pytest.approx(1)


def test_agents_of_one_role_and_seeds_may_differ() -> None:
    saved = saved_team()
    odds = [
        ask(saved, agent=agent, observation=[0.5, 0.5], seed=seed)["odds"]
        for agent in ("walker_0", "walker_1")
        for seed in (4, 9)
    ]
    assert len({tuple(each) for each in odds}) == 4


def test_one_that_only_speaks_says_a_word() -> None:
    said = ask(saved_team(), agent="guide", observation=[0, 1, 0])
    assert "action" not in said
    assert said["word"] in (0, 1, 2)


def test_a_vector_lies_within_its_bounds() -> None:
    saved = saved_team(Continuous(low=(-2.0,), high=(5.0,)))
    rows = ask(saved, agent="walker_0", observation=[[0.1, 0.2]] * 50, sample=True)["action"]
    assert all(-2 <= value <= 5 for (value,) in rows)
    assert len({value for (value,) in rows}) > 10


def test_a_draw_is_repeated_by_its_seed() -> None:
    saved = saved_team()
    same, again, other = (
        ask(saved, agent="walker_0", observation=[[0.0, 0.0]] * 200, sample=True, draw_seed=seed)["action"]
        for seed in (1, 1, 2)
    )
    assert same == again != other


def test_an_illegal_action_is_not_taken() -> None:
    saved = saved_team()
    taken = ask(saved, agent="walker_0", observation=[0.3, 0.3], allowed=[False, True, False])
    assert (taken["action"], taken["odds"]) == (1, [0.0, 1.0, 0.0])


def test_a_recurrent_policy_remembers_by_what_is_sent_back() -> None:
    saved = saved_team(policy="recurrent")
    first = ask(saved, agent="walker_0", observation=[0.2, 0.1])
    second = ask(saved, agent="walker_0", observation=[0.2, 0.1], memory=first["memory"])
    assert len(first["memory"]) == 8
    assert first["odds"] != second["odds"]


REFUSED: list[tuple[dict[str, Any], type[InvalidSpec], str]] = [
    ({"observation": [1, 2, 3]}, InvalidSpec, "rows of 2 numbers, got 1 of [3]"),
    ({"observation": [[1, 2], [1]]}, InvalidSpec, "observation"),
    ({"observation": [1, float("nan")]}, InvalidSpec, "not finite"),
    ({"observation": "left"}, InvalidSpec, "observation"),
    ({}, InvalidSpec, "observation"),
    ({"observation": [1, 2], "agent": "walker_7"}, UnknownName, "walker_0"),
    ({"observation": [1, 2], "seed": 5}, UnknownName, "9"),
    ({"observation": [1, 2], "heard": [1]}, InvalidSpec, "heard"),
    ({"observation": [1, 2], "memory": [1]}, InvalidSpec, "no memory"),
    ({"observatoin": [1, 2]}, UnknownName, "observation"),
]


@pytest.mark.parametrize(("request_", "kind", "words"), REFUSED)
def test_what_cannot_be_answered_is_refused(request_: dict[str, Any], kind: type[InvalidSpec], words: str) -> None:
    with pytest.raises(kind) as error:
        ask(saved_team(), **{"agent": "walker_0", **request_})
    assert words in f"{error.value.message} {error.value.hint}"


@pytest.mark.slow  # the exporter takes seconds
@pytest.mark.parametrize("kind", ["attention", "recurrent"])
def test_every_network_is_exported_with_equal_outputs(kind: str, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    saved = saved_team(policy=kind, num_heads=2)
    assert export_onnx(saved.team, index=1, path_of=lambda name: tmp_path / name)["reason"] is None
    policy = saved.team.roles[1]
    session = onnxruntime.InferenceSession(str(tmp_path / f"agent_{policy.role.name}.onnx"))
    rows = torch.randn(5, policy.role.inputs, generator=torch.Generator().manual_seed(0))
    given = {"observation": rows.numpy()}
    memory = policy.actor.memory(2, 5)
    if memory is not None:
        given["memory"] = memory[1].numpy()
    with torch.no_grad():
        expected, later = policy.actor.step(policy.inputs(rows.expand(2, -1, -1).clone()), memory)
    found = session.run(None, given)
    torch.testing.assert_close(torch.from_numpy(found[0]), expected[1], atol=1e-5, rtol=1e-4)
    if later is not None:
        torch.testing.assert_close(torch.from_numpy(found[1]), later[1], atol=1e-5, rtol=1e-4)
