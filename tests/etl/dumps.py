"""Everything a database holds, in an order of its own, so that two can be compared."""

from __future__ import annotations

import json

from tests.harness.databases import rows

_TIMES = ("seconds", "steps", "carried_on", "rejects")


def dump(url: str) -> dict[str, list[str]]:
    """The rows of every table as text, sorted; times, and where the reject file is, are left out of loads."""
    tables = [row["name"] for row in rows(url, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")]
    content = {table: [row[0] for row in rows(url, f"SELECT t::text FROM {table} AS t ORDER BY 1")] for table in tables}
    content["loads"] = [
        # In their order, without their numbers: a load that is killed at its end has taken one.
        f"{fingerprint.hex()} {source} { {k: v for k, v in json.loads(report).items() if k not in _TIMES} }"
        for fingerprint, source, report in rows(url, "SELECT fingerprint, source, report FROM loads ORDER BY load_id")
    ]
    # What was recorded, in its order: the transactions' own numbers are those of this database.
    content["changes"] = [row["tags"] for row in rows(url, "SELECT tags FROM changes ORDER BY change_id")]
    content["changes_forgotten"] = []
    content["sequences"] = [
        # After a crash PostgreSQL leaves out up to 32 numbers of a sequence: those that a load takes are not looked at.
        str(tuple(row))
        for row in rows(
            url,
            "SELECT sequencename, last_value FROM pg_sequences "
            "WHERE sequencename NOT IN ('load_numbers', 'change_numbers') ORDER BY 1",
        )
    ]
    content["schema"] = schema(url)
    return content


def schema(url: str) -> list[str]:
    """Every table's columns and options, every index, constraint and trigger, and whether it is on."""
    found = rows(
        url,
        "SELECT 'column ' || attrelid::regclass || attnum || ' ' || attname || ' ' || format_type(atttypid, atttypmod)"
        " || attnotnull || attstorage::text || coalesce(pg_get_expr(adbin, adrelid), '') AS told FROM pg_attribute"
        " JOIN pg_class ON pg_class.oid = attrelid AND relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attnum > 0"
        " UNION ALL SELECT 'table ' || oid::regclass || coalesce(reloptions::text, '') || coalesce(relacl::text, '')"
        " || relowner::regrole FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " UNION ALL SELECT pg_get_indexdef(indexrelid) || indisvalid FROM pg_index"
        " WHERE indrelid::regclass::text NOT LIKE 'pg%'"
        " UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || convalidated"
        " FROM pg_constraint WHERE conrelid <> 0"
        " UNION ALL SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal"
        " UNION ALL SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext"
        " UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_'"
        " ORDER BY 1",
    )
    return [row["told"] for row in found]
