"""The GPU, or its software stand-in, that `wgpu` finds on this machine."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from tutelage.core.errors import MissingDependency

INSTALL = "pip install 'tutelage[oracle]', and a Vulkan driver: Debian's mesa-vulkan-drivers and libvulkan1 need no GPU"


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """An adapter and what is to be known of it."""

    handle: Any
    name: str
    is_software: bool
    has_f16: bool

    @property
    def about(self) -> str:
        """The adapter's name, and whether a CPU plays the GPU."""
        return f"{self.name} ({'software' if self.is_software else 'hardware'})"


def library() -> Any:
    """Return the module `wgpu`. Raises MissingDependency."""
    try:
        return importlib.import_module("wgpu")
    except (ImportError, OSError) as error:
        raise MissingDependency(f"wgpu is not installed here: {error}", hint=INSTALL) from error


def find_adapter() -> Adapter:
    """Return the adapter: a real GPU before software, never OpenGL. Raises MissingDependency with what to install."""
    wgpu = library()
    try:
        found = [a for a in wgpu.gpu.enumerate_adapters_sync() if a.info["backend_type"] != "OpenGL"]
    except RuntimeError as error:
        raise MissingDependency(f"wgpu finds no adapter: {error}", hint=INSTALL) from error
    if not found:
        raise MissingDependency("wgpu finds no adapter of Vulkan, Metal or Direct3D 12", hint=INSTALL)
    chosen = min(found, key=lambda adapter: _order(str(adapter.info["adapter_type"])))
    return Adapter(
        handle=chosen,
        name=str(chosen.info["device"]),
        is_software=str(chosen.info["adapter_type"]) == "CPU",
        has_f16="shader-f16" in chosen.features,
    )


def _order(kind: str) -> int:
    kinds = ("DiscreteGPU", "IntegratedGPU", "VirtualGPU", "CPU")
    return kinds.index(kind) if kind in kinds else len(kinds)
