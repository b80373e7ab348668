"""The operation that a phase goes on from: found by its id, its manifests checked before anything starts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tutelage.core.errors import InvalidSpec
from tutelage.core.layout import OperationFiles
from tutelage.services.codegen.config import CodegenConfig, Phase
from tutelage.services.codegen.phases.manifest import PREVIOUS, FileHash, Manifest, check_manifest, path_of, sha256_of

ID = re.compile(r"op_[0-9a-z]{26}")


@dataclass(frozen=True, kw_only=True)
class Base:
    """The artifacts of the operation before, and its manifest."""

    operation: str
    artifacts: Path
    manifest: Manifest

    def inputs(self) -> list[FileHash]:
        """Return what a phase that goes on from here has read: every output, and the manifest itself."""
        own = path_of(self.artifacts, self.manifest.phase)
        name = own.relative_to(self.artifacts).as_posix()
        return [*self.manifest.outputs, FileHash(path=name, sha256=sha256_of(own))]


def base_id(config: CodegenConfig, root: Path) -> str:
    """Return the id of the operation that a phase goes on from: `base`, or the input link. Raises InvalidSpec."""
    spec = json.loads(OperationFiles(root).spec.read_text())
    linked = [link["id"] for link in spec.get("links", []) if link["kind"] == "input"]
    named = {*linked, *([config.base] if config.base else [])}
    if len(named) != 1:
        raise InvalidSpec(
            f"the phase {config.phase} goes on from one operation, got {len(named)}",
            hint=f'"base": the id of an operation of the phase {PREVIOUS[config.phase]}, or a link of kind input to it',
        )
    [found] = named
    if not ID.fullmatch(found):
        raise InvalidSpec(f"base is {found!r}, which is no operation's id", hint="as `tutelage ops` shows it")
    return str(found)


def open_base(config: CodegenConfig, root: Path) -> Base:
    """Return the checked base of a phase: its own manifest, and those of all phases before, which it holds too.

    Raises InvalidSpec where there is no such operation, DamagedFile with the reason for a manifest that does not hold.
    """
    operation = base_id(config, root)
    artifacts = root.parent / operation / "artifacts"
    if not artifacts.is_dir():
        raise InvalidSpec(
            f"there is no operation {operation} here, or it wrote nothing", hint="`tutelage ops` lists them"
        )
    previous = PREVIOUS[config.phase]
    assert previous is not None, "the first phase has no base"
    return Base(operation=operation, artifacts=artifacts, manifest=check_chain(artifacts, previous))


def check_chain(artifacts: Path, phase: Phase) -> Manifest:
    """Check the manifests of a phase and of all before it, first to last; return the last. Raises DamagedFile."""
    phases: list[Phase] = [phase]
    while (earlier := PREVIOUS[phases[0]]) is not None:
        phases.insert(0, earlier)
    manifest: Manifest | None = None
    for each in phases:
        manifest = check_manifest(artifacts, each, before=manifest)
    assert manifest is not None, "there is at least one phase"
    return manifest
