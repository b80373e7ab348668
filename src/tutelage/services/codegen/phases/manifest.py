"""What a phase leaves behind: what it read, what it wrote, what it measured; and the check before the next one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from tutelage.core.atomic import write_json
from tutelage.core.errors import DamagedFile, InvalidSpec
from tutelage.core.spec import Document
from tutelage.services.codegen.config import Phase
from tutelage.services.codegen.phases.figures import is_quality, read_figure

FOLDER = "manifests"
MEASURED = "measurements"
"""Suffix of the file that holds the figures as they were measured: an output like any other, so its hash holds too."""
PREVIOUS: Mapping[Phase, Phase | None] = {
    "architect": None,
    "optimizer": "architect",
    "accelerator": "optimizer",
    "integrator": "accelerator",
}
"""Phase -> the one before it."""


class FileHash(Document):
    """A file within the artifacts, by its content."""

    path: str = Field(min_length=1, description="path within the operation's artifacts, with /")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the content, in hexadecimal digits")

    @field_validator("path")
    @classmethod
    def _inside(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or "\\" in value:
            raise ValueError("a path leads into the artifacts: neither absolute nor with ..")
        return value


class Manifest(Document):
    """The record of one phase."""

    phase: Phase = Field(description="which phase this is of")
    inputs: list[FileHash] = Field(description="what it read of the phase before; none of the first phase")
    outputs: list[FileHash] = Field(min_length=1, description="what it wrote")
    benchmarks: dict[str, float] = Field(description="figures measured in it; texts with a unit, 12.4ms, are read too")
    status: Literal["verified", "failed"] = Field(description="verified: every gate of the phase itself passed")
    reasons: list[str] = Field(default_factory=list, description="why it failed, a line for each gate")

    @field_validator("benchmarks", mode="before")
    @classmethod
    def _read_figures(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        try:
            return dict(read_figure(str(name), figure) for name, figure in value.items())
        except InvalidSpec as error:
            raise ValueError(f"{error.message} ({error.hint})") from error


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def path_of(artifacts: Path, phase: Phase) -> Path:
    """Return where a phase's manifest lies."""
    return artifacts / FOLDER / f"{phase}.json"


def hashes(artifacts: Path, names: Iterable[str]) -> list[FileHash]:
    """Return files with their hashes, in order."""
    return [FileHash(path=name, sha256=sha256_of(artifacts / name)) for name in sorted(names)]


def write_manifest(
    artifacts: Path,
    phase: Phase,
    *,
    inputs: Iterable[FileHash],
    outputs: Iterable[str],
    benchmarks: Mapping[str, float],
    failures: Iterable[str] = (),
) -> Manifest:
    """Write a phase's manifest, its figures as an output beside it; verified where no gate failed."""
    measured = f"{FOLDER}/{phase}.{MEASURED}.json"
    (artifacts / FOLDER).mkdir(parents=True, exist_ok=True)
    write_json(artifacts / measured, dict(benchmarks))
    reasons = list(failures)
    manifest = Manifest(
        phase=phase,
        inputs=list(inputs),
        outputs=hashes(artifacts, [*outputs, measured]),
        benchmarks=dict(benchmarks),
        status="failed" if reasons else "verified",
        reasons=reasons,
    )
    write_json(path_of(artifacts, phase), manifest.model_dump(mode="json"))
    return manifest


def read_manifest(artifacts: Path, phase: Phase) -> Manifest:
    """Return a phase's manifest. Raises DamagedFile where there is none, or it is none."""
    path = path_of(artifacts, phase)
    try:
        return Manifest.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise DamagedFile(f"there is no manifest of the phase {phase}", hint=f"run the phase {phase} first") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise DamagedFile(f"the manifest of {phase} is broken at {place}: {first['msg']}", hint=AGAIN) from None
    except (OSError, ValueError) as error:
        raise DamagedFile(f"the manifest of {phase} cannot be read: {error}", hint=AGAIN) from error


AGAIN = "run that phase again; a manifest is written by its phase, not by hand"


def check_manifest(artifacts: Path, phase: Phase, *, before: Manifest | None = None) -> Manifest:
    """Return a manifest that can be trusted: of this phase, verified, its files there and unchanged, its figures those
    that were measured, and none of its quality below that of the phase `before`.

    Raises DamagedFile with the reason.
    """
    manifest = read_manifest(artifacts, phase)
    if manifest.phase != phase:
        raise DamagedFile(f"the manifest of {phase} says that it is of {manifest.phase}", hint=AGAIN)
    if manifest.status != "verified":
        why = "; ".join(manifest.reasons) or "it gives no reason"
        raise DamagedFile(f"the phase {phase} was not verified: {why}", hint="mend that, and run it again")
    for file in manifest.outputs:
        _check_file(artifacts, file, phase)
    _check_figures(artifacts, manifest)
    if before is not None:
        _check_not_lowered(manifest, before)
    return manifest


def _check_file(artifacts: Path, file: FileHash, phase: Phase) -> None:
    path = artifacts / file.path
    if not path.is_file():
        raise DamagedFile(f"{file.path}, an output of {phase}, is missing", hint=AGAIN)
    found = sha256_of(path)
    if found != file.sha256:
        raise DamagedFile(
            f"{file.path}, an output of {phase}, was changed: its SHA-256 is {found[:12]}..., "
            f"the manifest says {file.sha256[:12]}...",
            hint=AGAIN,
        )


def _check_figures(artifacts: Path, manifest: Manifest) -> None:
    """The figures are those of the measurements, whose hash was just checked."""
    name = f"{FOLDER}/{manifest.phase}.{MEASURED}.json"
    if name not in {file.path for file in manifest.outputs}:
        raise DamagedFile(f"the manifest of {manifest.phase} lists no measurements", hint=AGAIN)
    measured = json.loads((artifacts / name).read_text())
    for figure, value in manifest.benchmarks.items():
        if measured.get(figure) != value:
            raise DamagedFile(
                f"the figure {figure} of {manifest.phase} is {value:g} in the manifest, "
                f"and {measured.get(figure)} as it was measured",
                hint=AGAIN,
            )
    for figure in measured.keys() - manifest.benchmarks.keys():
        raise DamagedFile(
            f"the figure {figure} of {manifest.phase} was measured, and is not in the manifest", hint=AGAIN
        )


def _check_not_lowered(manifest: Manifest, before: Manifest) -> None:
    for name, value in manifest.benchmarks.items():
        if is_quality(name) and value < before.benchmarks.get(name, value):
            raise DamagedFile(
                f"{name} fell from {before.benchmarks[name]:g} in {before.phase} to {value:g} in {manifest.phase}",
                hint="a later phase makes a model faster, never worse: look at its precision",
            )
