"""A script as a user would write one: gradient descent on x*x - 3x, without a library."""

import json
import sys
import time
from pathlib import Path

import tutelage


def save(folder: Path) -> None:
    (folder / "x.json").write_text(json.dumps(x))


run = tutelage.current_run()
run.define("val_loss", objective=True, direction="minimize")
x, first = 10.0, 1
if (folder := run.resume()) is not None:
    x, first = json.loads((folder / "x.json").read_text()), int(folder.name) + 1
for step in range(first, int(run.settings.get("steps", 100)) + 1):
    x -= 0.02 * (2 * x - 3)
    run.metric(step, val_loss=x * x - 3 * x + 2.25)
    run.progress(step, run.settings.get("steps", 100))
    stopping = run.should_stop()
    if step % 20 == 0 or stopping or run.should_checkpoint():
        run.checkpoint(step, save, {"val_loss": x * x - 3 * x})
    if stopping:
        break
    time.sleep(run.settings.get("step_s", 0.0))
run.artifact("x.json").write_text(json.dumps(x))
run.finish(x=x)
sys.stdout.write(f"the last x is {x}\n")
sys.exit(int(run.settings.get("exit", 0)))
