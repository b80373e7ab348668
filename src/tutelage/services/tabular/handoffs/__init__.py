"""Hand-offs of other programs: an EDA document and an evaluator's feedback become options of the job."""

from tutelage.services.tabular.handoffs.take import recorded, take

__all__ = ["recorded", "take"]
