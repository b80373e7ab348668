"""The actors of one seed as ONNX files: observation in, outputs out, normalisation within."""

from __future__ import annotations

import copy
import importlib.util
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from tutelage.services.agents.policies.team import RolePolicy, Team

NEEDED = ("onnx", "onnxscript")
OPSET = 18
Part = TypeVar("Part", bound=nn.Module)


class OneActor(nn.Module):
    """One seed's actor of one role, for rows (B, inputs); with a memory (B, width) where it has one."""

    def __init__(self, policy: RolePolicy, index: int) -> None:
        super().__init__()
        self.inputs, self.actor = _alone(policy.inputs, index), _alone(policy.actor, index)

    def forward(self, observation: Tensor, memory: Tensor | None = None) -> Any:
        """Return outputs (B, outputs): scores of actions or means, then scores of words; and the next memory."""
        rows = self.inputs(observation.unsqueeze(0))
        outputs, later = self.actor.step(rows, None if memory is None else memory.unsqueeze(0))
        return outputs.squeeze(0) if later is None else (outputs.squeeze(0), later.squeeze(0))


def export_onnx(team: Team, *, index: int, path_of: Callable[[str], Path]) -> dict[str, Any]:
    """Write `agent_ROLE.onnx` a role; return the files, or why there are none."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        return {"files": [], "reason": f"{', '.join(missing)} is not installed: pip install 'tutelage[onnx]'"}
    files = []
    for policy in team.roles:
        name = f"agent_{policy.role.name}.onnx"
        _export(OneActor(policy, index).eval(), policy, path_of(name))
        files.append(name)
    return {"files": files, "reason": None}


def _export(actor: OneActor, policy: RolePolicy, path: Path) -> None:
    observation = torch.zeros(2, policy.role.inputs)
    memory = torch.zeros(2, policy.actor.body.width) if policy.actor.is_recurrent else None
    rows = torch.export.Dim("rows", min=1, max=1_048_576)
    given = (observation,) if memory is None else (observation, memory)
    names = ["observation", "memory"][: len(given)]
    with _quiet():
        program = torch.onnx.export(
            actor,
            given,
            input_names=names,
            output_names=["outputs", "next_memory"][: len(given)],
            dynamic_shapes=tuple({0: rows} for _ in given),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
        assert program is not None, "dynamo exports a program"
        program.save(str(path))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the exporter says of its own deprecated parts and of libraries that it could have used."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


def _alone(module: Part, index: int) -> Part:
    """Return a copy of a stacked module with one seed's part of every weight and statistic."""
    alone = copy.deepcopy(module)
    for part in alone.modules():
        for name, parameter in list(part.named_parameters(recurse=False)):
            setattr(part, name, nn.Parameter(parameter.detach()[index : index + 1].clone(), requires_grad=False))
        for name, buffer in list(part.named_buffers(recurse=False)):
            if buffer.dim() > 0:
                setattr(part, name, buffer[index : index + 1].clone())
    return alone
