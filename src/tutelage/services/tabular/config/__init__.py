"""The config of `tabular`: the job document's keys; no ML library is imported here."""

from tutelage.services.tabular.config.approval import Approval
from tutelage.services.tabular.config.document import TabularConfig
from tutelage.services.tabular.config.parts import Costs, Options, Range, Search, Validation
from tutelage.services.tabular.config.sources import SKLEARN_SETS, check_source
from tutelage.services.tabular.config.tracking import Tracking

__all__ = [
    "SKLEARN_SETS",
    "Approval",
    "Costs",
    "Options",
    "Range",
    "Search",
    "TabularConfig",
    "Tracking",
    "Validation",
    "check_source",
]
