"""Says how a run's loss goes and what to do: `python loss_analyzer.py OPERATION_ID`; exit code 3 advises a stop."""

from __future__ import annotations

import sys

from tutelage.client import connect, find_operation
from tutelage.core.wire import Operation

ADVICE = {
    "continue": "Continue: {sentence}",
    "stop": "Stop: {sentence}",
    "use_checkpoint": "Stop and use the checkpoint of {unit} {step}: {sentence}",
    "tune": "Continue with other settings ({args}): {sentence}",
    "insufficient_evidence": "The data are too few to say: {sentence}",
}
ENDS = ("stop", "use_checkpoint")


def analysis(operation: Operation) -> list[str]:
    """Return the lines to print: the direction, the best step, the advice."""
    assessment, best, unit = operation.assessment, operation.metrics.best, operation.metrics.unit
    if assessment is None:
        return [f"The data are too few to say: {sum(map(bool, operation.metrics.latest))} metrics so far."]
    lines = [f"Verdict: {assessment.verdict.replace('_', ' ')}"]
    if best is not None:
        low, high = best.indistinguishable_from or (best.step, best.step)
        close = f" ({low} to {high} cannot be told apart)" if low != high else ""
        lines.append(f"Best {unit}: {best.step} with {best.metric}={best.value:.4f}{close}")
    advice = assessment.recommendation
    step = advice.args.get("step", best.step if best else None)
    text = ADVICE[advice.do].format(sentence=assessment.sentence, unit=unit, step=step, args=dict(advice.args))
    return [*lines, text]


def main(operation_id: str) -> int:
    """Print the analysis and return the exit code."""
    with connect() as client:
        operation = client.operation(find_operation(client, operation_id))
    sys.stdout.write("\n".join(analysis(operation)) + "\n")
    advised = operation.assessment is not None and operation.assessment.recommendation.do in ENDS
    return 3 if advised else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python loss_analyzer.py OPERATION_ID (or `last`)")
    sys.exit(main(sys.argv[1]))
