"""Scripts as users would write them with a library's callback; each trains for long unless it is stopped."""

HEAD = """
import numpy as np
rng = np.random.default_rng(0)
inputs = rng.normal(size=(400, 5)); target = inputs[:, 0] * 2 + rng.normal(size=400)
held, held_target = inputs[300:], target[300:]; inputs, target = inputs[:300], target[:300]
ROUNDS = %d
"""

LIGHTGBM = """
import lightgbm
from tutelage.callbacks.lightgbm import TutelageCallback
lightgbm.train({"objective": "l2", "verbose": -1, "num_threads": 1, "learning_rate": 0.001},
               lightgbm.Dataset(inputs, target), num_boost_round=ROUNDS, valid_names=["val"],
               valid_sets=[lightgbm.Dataset(held, held_target)], callbacks=[TutelageCallback()])
"""

XGBOOST = """
import xgboost
from tutelage.callbacks.xgboost import TutelageCallback
xgboost.train({"nthread": 1, "eta": 0.001}, xgboost.DMatrix(inputs, target), num_boost_round=ROUNDS, verbose_eval=False,
              evals=[(xgboost.DMatrix(held, held_target), "val")],
              callbacks=[TutelageCallback({"val_rmse": "minimize"})])
"""

SKLEARN = """
from sklearn.linear_model import SGDRegressor
from tutelage.callbacks.sklearn import fit_in_rounds
def score(model):
    return {"val_loss": float(np.mean((model.predict(held) - held_target) ** 2))}
fit_in_rounds(SGDRegressor(random_state=0), inputs, target, rounds=ROUNDS, score=score)
"""

SCRIPTS = {"lightgbm": (LIGHTGBM, "val_l2"), "xgboost": (XGBOOST, "val_rmse"), "sklearn": (SKLEARN, "val_loss")}
"""Library -> script, and the metric that it reports."""
