"""What a training has in its hands: metrics, logs, samples, checkpoints, artifacts, commands. Files only."""

from tutelage.run.checkpoints import CheckpointFolder
from tutelage.run.journal import Journal
from tutelage.run.run import FileRun
from tutelage.run.standalone import run_in

__all__ = ["CheckpointFolder", "FileRun", "Journal", "run_in"]
