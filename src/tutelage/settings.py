"""Environment and settings file -> one frozen Settings. The only module that reads the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from tutelage.core.hosts import NAME_PATTERN, HostAddress
from tutelage.core.layout import HomeFiles
from tutelage.core.webhooks import Webhook

HOME_NAME = ".tutelage"
HostName = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]

WORKER_ENVIRONMENT = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV"),
        *("LD_LIBRARY_PATH", "XDG_CACHE_HOME", "CUDA_HOME", "CUDA_VISIBLE_DEVICES", "HF_HOME", "HF_HUB_OFFLINE"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR"),
    }
)
"""Variables that a worker inherits; with those that begin with `LC_`, `PYTHON` or `MPL`. Tokens never are."""


TRACKER_CREDENTIALS = frozenset(
    {
        *("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"),
        *("MLFLOW_TRACKING_SERVER_CERT_PATH", "MLFLOW_TRACKING_CLIENT_CERT_PATH"),
    }
)
"""Variables that an exporter alone inherits: what a tracker asks for. They are neither stored nor shown."""


class Settings(BaseSettings):
    """Everything that can be set about an installation; `TUTELAGE_IDLE_S=5` or `idle_s = 5` in settings.toml."""

    model_config = SettingsConfigDict(env_prefix="TUTELAGE_", frozen=True, extra="ignore")

    home: Path = Field(description="the folder that holds everything")
    url: str | None = Field(None, description="a remote Tutelage instead of the local home")
    token: str | None = Field(None, repr=False, description="the token for `url`")
    services: dict[str, str] = Field(default_factory=dict, description="own services: name -> dotted path of a Service")
    idle_s: float = Field(60.0, ge=0, description="seconds without work after which the supervisor ends")
    cpus: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, description="CPU slots of this machine")
    gpus: int = Field(0, ge=0, description="GPU slots of this machine")
    memory_gib: float | None = Field(None, gt=0, description="memory to hand out, GiB; default: what the machine has")
    tick_s: float = Field(0.05, gt=0, le=1, description="pause between two looks at the workers, seconds")
    grace_s: float = Field(5.0, ge=0, description="time a worker has to follow an ending command, seconds")
    hosts: dict[HostName, HostAddress] = Field(
        default_factory=dict, description="other Tutelages that run operations: name -> url and token"
    )
    tracker_retry_s: tuple[float, ...] = Field(
        (10.0, 30.0, 120.0),
        description="pauses after failures of one tracker in a row, seconds; after the last the next supervisor tries",
    )
    webhooks: list[Webhook] = Field(default_factory=list, description="who is told of changed verdicts and of ends")

    @property
    def files(self) -> HomeFiles:
        """Where things lie in the home."""
        return HomeFiles(self.home)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then `settings.toml` in the home."""
        home = init_settings().get("home")
        files = TomlConfigSettingsSource(settings_cls, Path(home) / "settings.toml") if home else None
        return (init_settings, env_settings, *([files] if files else []))


def find_home(start: Path | None = None) -> Path:
    """Return TUTELAGE_HOME, else the nearest `.tutelage` here or above, else `./.tutelage`."""
    named = os.environ.get("TUTELAGE_HOME")
    if named:
        return Path(named).expanduser().resolve()
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / HOME_NAME).is_dir():
            return folder / HOME_NAME
    return here / HOME_NAME


def load_settings(home: Path | None = None) -> Settings:
    """Return the settings for `home`, or for the home found from the working directory."""
    return Settings(home=home or find_home())


def worker_environment(*, home: Path, cpus: int, services: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a worker: an allow-list, and thread counts that follow the declared CPUs.

    `OMP_WAIT_POLICY=PASSIVE` because spinning OpenMP threads slow boosters 25-50 times on a busy machine.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name in WORKER_ENVIRONMENT or name.startswith(("LC_", "PYTHON", "MPL"))
    }
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(cpus))
    return {
        **inherited,
        **threads,
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONUNBUFFERED": "1",
        "MPLBACKEND": "Agg",
        "TUTELAGE_HOME": str(home),
        "TUTELAGE_SERVICES": json.dumps(dict(services or {})),
    }


def exporter_environment(*, home: Path) -> dict[str, str]:
    """Return the environment of an exporter: a worker's, the tracker's credentials, and an MLflow that soon gives up.

    By default MLflow asks a dead server for minutes, follows redirects to anywhere and sends telemetry.
    """
    credentials = {name: value for name, value in os.environ.items() if name in TRACKER_CREDENTIALS}
    return {
        **worker_environment(home=home, cpus=1),
        **credentials,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
        "MLFLOW_ALLOW_HTTP_REDIRECTS": "false",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    }
