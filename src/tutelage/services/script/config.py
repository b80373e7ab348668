"""The config of `script`: what to run, where, with which environment and settings."""

from __future__ import annotations

import os

from pydantic import Field, JsonValue, field_validator

from tutelage.core.errors import InvalidSpec
from tutelage.core.spec import Document


class ScriptConfig(Document):
    """A command line and what it is run with."""

    command: list[str] = Field(min_length=1, max_length=1000, description="the program and its arguments")
    working_dir: str = Field(description="the folder it runs in")
    env: dict[str, str] = Field(
        default_factory=dict, description="environment variables beside the worker's own; kept in the spec, no secrets"
    )
    settings: dict[str, JsonValue] = Field(
        default_factory=dict, description="what the script reads as run.settings; a branch may change it"
    )
    end_timeout: float = Field(
        60.0, gt=0, le=86_400, description="seconds a connected script has to end after a stop, pause or cancel"
    )

    @field_validator("command")
    @classmethod
    def _not_blank(cls, value: list[str]) -> list[str]:
        if not value[0].strip() or any("\x00" in part for part in value):
            raise InvalidSpec(
                f"command must begin with a program, got {value[0]!r}", hint='["python", "train.py", "--epochs", "10"]'
            )
        return value

    @field_validator("working_dir")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not os.path.isabs(value):
            raise InvalidSpec(f"working_dir must be absolute, got {value!r}", hint="give the whole path")
        return value
