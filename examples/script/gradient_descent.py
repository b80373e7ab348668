"""Linear regression by gradient descent in plain NumPy: `tutelage run -- python gradient_descent.py`."""

import time

import numpy as np

import tutelage

run = tutelage.current_run()
rng = np.random.default_rng(run.seed)
truth = rng.normal(size=20)
rows, held = rng.normal(size=(200, 20)), rng.normal(size=(200, 20))
target, held_target = (part @ truth + rng.normal(size=200) for part in (rows, held))
weights, first, lr = np.zeros(20), 1, run.settings.get("lr", 0.001)
if (folder := run.resume()) is not None:
    weights, first = np.load(folder / "weights.npy"), int(folder.name) + 1


def save(folder):
    """Write what the next attempt goes on from."""
    np.save(folder / "weights.npy", weights)


for step in range(first, int(run.settings.get("steps", 2000)) + 1):
    weights -= lr * rows.T @ (rows @ weights - target) / len(rows)
    losses = [float(np.mean((x @ weights - y) ** 2)) for x, y in ((rows, target), (held, held_target))]
    run.metric(step, train_loss=losses[0], val_loss=losses[1])
    stopping = run.should_stop()
    if step % 100 == 0 or stopping or run.should_checkpoint():
        run.checkpoint(step, save, {"val_loss": losses[1]})
    if stopping:
        break
    time.sleep(run.settings.get("step_s", 0))
np.save(run.artifact("weights.npy"), weights)
