"""The curves of many operations at a glance, in two queries however many they are."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from tutelage.store.curves import SERIES_COLUMNS, series_record
from tutelage.store.records import SeriesRecord

MANY = "operation IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One operation's curves of scope "", and all its scopes in order of appearance."""

    series: Sequence[SeriesRecord] = ()
    scopes: Sequence[str] = ()


def read_summaries(connection: Connection, operation_ids: Sequence[str]) -> dict[str, Summary]:
    """Return the summary of each operation; an empty one where nothing was reported."""
    wanted = (json.dumps(list(operation_ids)),)
    series: defaultdict[str, list[SeriesRecord]] = defaultdict(list)
    query = f"SELECT operation, {SERIES_COLUMNS} FROM series WHERE {MANY} AND scope='' ORDER BY id"
    for operation, *row in connection.exec_driver_sql(query, wanted):
        series[operation].append(series_record(row))
    scopes: defaultdict[str, list[str]] = defaultdict(list)
    query = f"SELECT operation, scope FROM series WHERE {MANY} GROUP BY operation, scope ORDER BY min(id)"
    for operation, scope in connection.exec_driver_sql(query, wanted):
        scopes[operation].append(scope)
    return {each: Summary(series=series[each], scopes=scopes[each]) for each in operation_ids}
