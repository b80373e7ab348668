"""A WebGPU device: buffers, kernels from their files, and lists of calls that one submit runs."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tutelage.core.errors import InvalidSpec, NotSupported
from tutelage.services.codegen.oracle.adapter import Adapter, find_adapter, library

Precision = Literal["fp32", "fp16"]
WITH_ACTIVATION = frozenset({"linear_row", "linear_tile"})
LIMITS = ("max-buffer-size", "max-storage-buffer-binding-size")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One dispatch of a kernel: pipeline and buffers are bound, only the numbers in the buffers change."""

    pipeline: Any
    bound: Any
    num_workgroups: tuple[int, int]


class Device:
    """Opens the adapter's device, with half floats where they are asked for."""

    def __init__(self, *, precision: Precision = "fp32", adapter: Adapter | None = None) -> None:
        self._wgpu = library()
        self.adapter = adapter or find_adapter()
        if precision == "fp16" and not self.adapter.has_f16:
            raise NotSupported(
                f"{self.adapter.name} has no `shader-f16`: its shaders know no half floats",
                hint="take precision fp32 there",
            )
        self.precision: Precision = precision
        self._limits = {name: int(self.adapter.handle.limits[name]) for name in LIMITS}
        self._device = self.adapter.handle.request_device_sync(
            required_features=["shader-f16"] if precision == "fp16" else [], required_limits=self._limits
        )

    def upload(self, array: NDArray[Any]) -> Any:
        """Return a buffer of an array's values that kernels read."""
        self._check_size(array.nbytes)
        usage = self._wgpu.BufferUsage
        return self._device.create_buffer_with_data(
            data=np.ascontiguousarray(array), usage=usage.STORAGE | usage.COPY_SRC
        )

    def weights(self, array: NDArray[np.float32]) -> Any:
        """Return a buffer of weights in the device's precision."""
        return self.upload(array.astype(np.float16 if self.precision == "fp16" else np.float32))

    def room(self, num_bytes: int) -> Any:
        """Return an empty buffer that kernels read and write."""
        self._check_size(num_bytes)
        usage = self._wgpu.BufferUsage
        return self._device.create_buffer(
            size=max(16, num_bytes), usage=usage.STORAGE | usage.COPY_SRC | usage.COPY_DST
        )

    def numbers(self, values: Sequence[int | float]) -> Any:
        """Return a uniform buffer of 32-bit numbers: the fields of a kernel's `Call`."""
        usage = self._wgpu.BufferUsage
        data = b"".join(struct.pack("<f" if isinstance(value, float) else "<I", value) for value in values)
        padded = data.ljust(-(-len(data) // 16) * 16, b"\0")
        return self._device.create_buffer_with_data(data=padded, usage=usage.UNIFORM | usage.COPY_DST)

    def write(self, buffer: Any, array: NDArray[Any]) -> None:
        """Put values at a buffer's start, before whatever is submitted next."""
        self._device.queue.write_buffer(buffer, 0, np.ascontiguousarray(array))

    def read(self, buffer: Any, kind: Any, count: int) -> NDArray[Any]:
        """Wait for what was submitted, and return the first `count` values of a buffer."""
        size = count * np.dtype(kind).itemsize
        return np.frombuffer(self._device.queue.read_buffer(buffer, 0, size), kind).copy()

    def kernel(self, name: str, constants: Mapping[str, int | float] | None = None) -> Any:
        """Compile a kernel."""
        module = self._device.create_shader_module(code=kernel_source(name, constants or {}, precision=self.precision))
        return self._device.create_compute_pipeline(layout="auto", compute={"module": module, "entry_point": "main"})

    def call(self, pipeline: Any, buffers: Sequence[Any], num_workgroups: tuple[int, int]) -> Call:
        """Bind buffers to a kernel, in the order of its bindings."""
        entries = [
            {"binding": index, "resource": {"buffer": buffer, "offset": 0, "size": buffer.size}}
            for index, buffer in enumerate(buffers)
        ]
        bound = self._device.create_bind_group(layout=pipeline.get_bind_group_layout(0), entries=entries)
        return Call(pipeline=pipeline, bound=bound, num_workgroups=num_workgroups)

    def submit(self, calls: Sequence[Call]) -> None:
        """Run calls one after another, in one submit."""
        encoder = self._device.create_command_encoder()
        compute = encoder.begin_compute_pass()
        for call in calls:
            compute.set_pipeline(call.pipeline)
            compute.set_bind_group(0, call.bound)
            compute.dispatch_workgroups(*call.num_workgroups)
        compute.end()
        self._device.queue.submit([encoder.finish()])

    def copy_rows(self, source: Any, target: Any, rows: Sequence[int], row_bytes: int) -> None:
        """Copy rows of one buffer to another, in the order given."""
        encoder = self._device.create_command_encoder()
        for place, row in enumerate(rows):
            encoder.copy_buffer_to_buffer(source, row * row_bytes, target, place * row_bytes, row_bytes)
        self._device.queue.submit([encoder.finish()])

    def _check_size(self, num_bytes: int) -> None:
        most = min(self._limits.values())
        if num_bytes > most:
            raise InvalidSpec(
                f"{self.adapter.name} takes buffers of up to {most:,} bytes, asked for {num_bytes:,}",
                hint="take fewer rows or a smaller model",
            )


def kernel_names() -> list[str]:
    """Return the names of all kernels."""
    files = resources.files(__package__).joinpath("kernels").iterdir()
    return sorted(name for file in files if (name := file.name.removesuffix(".wgsl")) not in ("activation", file.name))


def kernel_source(name: str, constants: Mapping[str, int | float], *, precision: Precision) -> str:
    """Return a kernel's whole text: the precision of weights, its constants, what it shares, itself."""
    folder = resources.files(__package__).joinpath("kernels")
    parts = ["enable f16;\nalias Weight = f16;" if precision == "fp16" else "alias Weight = f32;"]
    parts += [f"const {key} = {value}{'u' if isinstance(value, int) else ''};" for key, value in constants.items()]
    files = ["activation", name] if name in WITH_ACTIVATION else [name]
    return "\n".join([*parts, *(folder.joinpath(f"{file}.wgsl").read_text(encoding="utf-8") for file in files)])
