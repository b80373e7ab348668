"""Which kinds of source a job may name, checked without opening any; no ML library is imported here."""

from __future__ import annotations

import re

from tutelage.core.errors import InvalidSpec, MissingDependency, NotYet, unknown
from tutelage.core.paths import SCHEME
from tutelage.services.tabular.addresses import DRIVERS, SQL, shown_source, sql_text
from tutelage.services.tabular.catalog import is_installed

SKLEARN_SETS = ("breast_cancer", "diabetes", "digits", "iris", "wine")
STATSMODELS_SETS = (
    *("anes96", "cancer", "ccard", "china_smoking", "co2", "committee", "copper", "cpunish", "danish_data"),
    *("elec_equip", "elnino", "engel", "fair", "fertility", "grunfeld", "heart", "interest_inflation", "longley"),
    *("macrodata", "modechoice", "nile", "randhie", "scotland", "spector", "stackloss", "star98", "statecrime"),
    *("strikes", "sunspots"),
)
"""The sets whose rows ship inside statsmodels."""

SCHEMES = ("sklearn", "statsmodels", "openml", "sqlite", "postgresql")
PLANNED_SCHEMES = frozenset(
    {"mysql", "mariadb", "mssql", "oracle", "duckdb", "http", "https", "ftp", "s3", "gs", "az", "hdfs", "hf"}
)
PLANNED_ENDINGS = (".orc", ".avro", ".sas7bdat", ".dta", ".sav", ".h5", ".hdf5")
READABLE = "CSV, Parquet, JSON lines, Arrow, Excel, a folder of parts, sqlite:, postgresql:, sklearn:, statsmodels:"


def check_source(value: str) -> str:
    """Return `value` if its kind of source is built. Raises InvalidSpec, NotYet, MissingDependency or UnknownName."""
    if not SCHEME.match(value):
        if value.lower().endswith(PLANNED_ENDINGS):
            raise NotYet(f"files such as {value.rsplit('.', 1)[-1]!r} are not read yet", hint=READABLE)
        return value
    scheme, _, name = value.partition(":")
    scheme = scheme.lower().partition("+")[0]
    if scheme in PLANNED_SCHEMES:
        raise NotYet(f"sources such as {scheme!r} are not built yet", hint=f"copy it to a file first: {READABLE}")
    if scheme not in SCHEMES:
        raise unknown("kind of source", scheme, SCHEMES)
    _CHECKS[scheme](value, name)
    return value


def _check_sklearn(value: str, name: str) -> None:
    if name == "linnerud":
        raise InvalidSpec(
            "sklearn:linnerud has three targets, and one column is predicted", hint=f"use {', '.join(SKLEARN_SETS)}"
        )
    if name not in SKLEARN_SETS:
        raise unknown("scikit-learn data set", name, SKLEARN_SETS)


def _check_statsmodels(value: str, name: str) -> None:
    if name not in STATSMODELS_SETS:
        raise unknown("statsmodels data set", name, STATSMODELS_SETS)
    if not is_installed("statsmodels"):
        raise MissingDependency(
            f"{value} needs the package statsmodels, which is not installed", hint="pip install 'tutelage[tabular]'"
        )


def _check_openml(value: str, name: str) -> None:
    if not re.fullmatch(r"[1-9]\d{0,8}", name):
        raise InvalidSpec(f"openml: is followed by a data set's number, got {name!r}", hint="as in openml:31")


def _check_sql(value: str, name: str) -> None:
    shown = shown_source(value)
    found = SQL.fullmatch(value)
    if not found:
        raise InvalidSpec(
            f"a database needs the query that gives the rows, got {shown!r}",
            hint="sqlite:///file.db?query=SELECT * FROM rows; the query comes last",
        )
    scheme = value.partition(":")[0].lower().partition("+")[0]
    if ":memory:" in found["address"]:
        raise InvalidSpec("sqlite:///:memory: holds no rows", hint="name a database file")
    if scheme == "sqlite" and found["options"]:
        raise InvalidSpec(f"sqlite: takes no options, got {found['options']!r}", hint="the query alone follows the ?")
    if not re.match(r"\s*(?:select|with|values|table)\b", sql_text(found["query"]), re.I):
        raise InvalidSpec("the query of a database must begin with SELECT or WITH", hint="it is run read-only")
    driver, install = DRIVERS.get(scheme, ("", ""))
    if driver and not is_installed(driver):
        raise MissingDependency(f"{scheme}: needs the package {driver}, which is not installed", hint=install)


_CHECKS = {
    "sklearn": _check_sklearn,
    "statsmodels": _check_statsmodels,
    "openml": _check_openml,
    "sqlite": _check_sql,
    "postgresql": _check_sql,
}
