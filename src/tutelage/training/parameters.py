"""Which parameters train, and in which groups: freezing, name patterns, and what weight decay leaves alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from tutelage.core.errors import InvalidSpec, nearest
from tutelage.training.plan import Group

ParameterGroup = dict[str, Any]
"""A group as torch takes it: `params`, with `names`, `lr_scale`, `decays`, and `weight_decay` where it has its own."""


def freeze(model: nn.Module, patterns: Iterable[str]) -> list[str]:
    """Stop the training of parameters whose names match; return their names. Raises InvalidSpec where nothing does."""
    frozen = matching(model, patterns)
    for name, parameter in model.named_parameters():
        if name in frozen:
            parameter.requires_grad_(False)
    return sorted(frozen)


def matching(model: nn.Module, patterns: Iterable[str]) -> set[str]:
    """Return the names of parameters that match any pattern. Raises InvalidSpec for a pattern that matches nothing."""
    names = [name for name, _ in model.named_parameters()]
    found: set[str] = set()
    for pattern in patterns:
        matched = {name for name in names if fnmatchcase(name, pattern)}
        if not matched:
            close = nearest(pattern, names)
            raise InvalidSpec(
                f"the pattern {pattern!r} matches no parameter" + (f"; the nearest is {close!r}" if close else ""),
                hint="patterns are shell-style and case-sensitive: 'blocks.0.*', '*.bias'",
            )
        found |= matched
    return found


def parameter_groups(model: nn.Module, groups: Sequence[Group] = ()) -> list[ParameterGroup]:
    """Return the trained parameters in groups for `create_optimizer`.

    Norms, biases (everything of one dimension) and embeddings have no weight decay unless their group names one.
    Raises InvalidSpec for a group whose pattern matches nothing.
    """
    for group in groups:
        matching(model, [group.pattern])
    embeddings = {module.weight for module in model.modules() if isinstance(module, nn.Embedding)}
    found: dict[tuple[object, ...], ParameterGroup] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        group = next((each for each in groups if fnmatchcase(name, each.pattern)), Group(pattern="*"))
        is_embedding = parameter in embeddings
        is_plain = parameter.ndim < 2 or is_embedding
        weight_decay = 0.0 if group.weight_decay is None and is_plain else group.weight_decay
        key = (group.lr_scale, weight_decay, is_embedding)
        if key not in found:
            own = {} if weight_decay is None else {"weight_decay": weight_decay}
            about = {"lr_scale": group.lr_scale, "decays": weight_decay is None, "is_embedding": is_embedding}
            found[key] = {"params": [], "names": [], **about, **own}
        found[key]["params"].append(parameter)
        found[key]["names"].append(name)
    if not found:
        raise InvalidSpec("no parameter is left to train", hint="freeze fewer of them")
    return list(found.values())
