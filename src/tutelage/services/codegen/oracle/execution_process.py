"""`python -m ...execution_process`: runs programs on the adapter, in a process that they may take down or hang."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tutelage.services.codegen.oracle.adapter import Adapter, find_adapter, library
from tutelage.services.codegen.oracle.framing import Array, Frame
from tutelage.services.codegen.oracle.served import serve

FEATURES = ("float32-filterable", "shader-f16")


def open_runner() -> Callable[[Frame], Frame]:
    """Open a device, and return what runs the programs of a message."""
    runner = _Runner(find_adapter())

    def answer(frame: Frame) -> Frame:
        answers, arrays, at = [], [], 0
        for launch in frame.header["launches"]:
            taken = sum(resource["kind"] != "output" for resource in launch["resources"])
            error, outputs = runner.run(launch, frame.arrays[at : at + taken])
            at += taken
            answers.append({"error": error, "num_outputs": len(outputs)})
            arrays.extend(outputs)
        return Frame(header={"answers": answers, "adapter": runner.about}, arrays=arrays)

    return answer


class _Runner:
    """One device, and what runs on it."""

    def __init__(self, adapter: Adapter) -> None:
        self._wgpu = library()
        features = [feature for feature in FEATURES if feature in adapter.handle.features]
        self._device: Any = adapter.handle.request_device_sync(required_features=features)
        self.about = adapter.about

    def run(self, launch: Mapping[str, Any], arrays: Sequence[Array]) -> tuple[str, list[Array]]:
        """Return why a program could not run, or "", and its outputs in the order of its bindings."""
        try:
            return "", self._run(launch, arrays)
        except Exception as error:  # noqa: BLE001 - a process edge: whatever compiler and driver raise is the answer
            return str(error), []

    def _run(self, launch: Mapping[str, Any], arrays: Sequence[Array]) -> list[Array]:
        device = self._device
        module = device.create_shader_module(code=launch["code"])
        stage = {"module": module, "entry_point": launch["entry_point"]}
        pipeline = device.create_compute_pipeline(layout="auto", compute=stage)
        given = iter(arrays)
        bound, outputs = [], []
        for resource in launch["resources"]:
            handle, entry = self._bind(resource, given)
            bound.append((resource["group"], entry))
            outputs += [handle] if resource["kind"] == "output" else []
        self._dispatch(pipeline, bound, launch["num_workgroups"])
        read = [np.frombuffer(device.queue.read_buffer(buffer), np.float32).copy() for buffer in outputs]
        for buffer in outputs:
            buffer.destroy()
        return read

    def _dispatch(self, pipeline: Any, bound: Sequence[tuple[int, Any]], num_workgroups: int) -> None:
        encoder = self._device.create_command_encoder()
        compute = encoder.begin_compute_pass()
        compute.set_pipeline(pipeline)
        for group in sorted({number for number, _ in bound}):
            entries = [entry for number, entry in bound if number == group]
            layout = pipeline.get_bind_group_layout(group)
            compute.set_bind_group(group, self._device.create_bind_group(layout=layout, entries=entries))
        compute.dispatch_workgroups(num_workgroups)
        compute.end()
        self._device.queue.submit([encoder.finish()])

    def _bind(self, resource: Mapping[str, Any], given: Any) -> tuple[Any, dict[str, Any]]:
        usage = self._wgpu.BufferUsage
        if resource["kind"] == "texture":
            view = self._texture(next(given)).create_view()
            return None, {"binding": resource["index"], "resource": view}
        if resource["kind"] == "input":
            buffer = self._device.create_buffer_with_data(data=next(given), usage=usage.STORAGE)
        else:
            size = 4 * max(1, resource["num_floats"])
            buffer = self._device.create_buffer(size=size, usage=usage.STORAGE | usage.COPY_SRC)
        place = {"buffer": buffer, "offset": 0, "size": buffer.size}
        return buffer, {"binding": resource["index"], "resource": place}

    def _texture(self, pixels: Array) -> Any:
        height, width, _ = pixels.shape
        usage = self._wgpu.TextureUsage
        texture = self._device.create_texture(
            size=(width, height, 1), format="rgba32float", usage=usage.TEXTURE_BINDING | usage.COPY_DST
        )
        layout = {"offset": 0, "bytes_per_row": width * 16, "rows_per_image": height}
        self._device.queue.write_texture({"texture": texture}, pixels, layout, (width, height, 1))
        return texture


if __name__ == "__main__":
    sys.exit(serve(open_runner))
