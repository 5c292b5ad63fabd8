"""The schema ``incoming``, where a first load builds the new catalogue beside the old, empty one.

What is built there is read from the database's own catalogs, so that it is what the migrations, and an operator after
them, have made: columns, checks, keys, indexes, triggers, statistics, privileges; the rest is refused at once. The
statements come out of ``format()``, which quotes names; no text of ours goes into them.
"""

from __future__ import annotations

from typing import NamedTuple

import asyncpg

from graphql_api.errors import OperatorError

TABLES = (
    "products",
    "characteristics",
    "reviews",
    "photos",
    "ratings",
    "product_figures",
    "characteristic_figures",
    "category_figures",
    "load_marks",
)
"""What is built beside and switched in, parents before children."""

_TABLES = """
    SELECT c.oid, c.relname, n.nspname, array_position($1::text[], c.relname::text) AS place
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid IN (SELECT to_regclass(name) FROM unnest($1::text[]) AS name)
"""

# Autovacuum would look at the tables while they are filled. LIKE leaves out the storage parameters.
_CREATE = f"""
    WITH t AS ({_TABLES})
    SELECT format('CREATE TABLE incoming.%I (LIKE %I.%I INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)'
                  ' WITH (%s)', t.relname, nspname, t.relname,
                  (SELECT string_agg(option, ', ') FROM unnest('{{autovacuum_enabled=false}}' || c.reloptions) AS option
                   WHERE option = 'autovacuum_enabled=false' OR option NOT LIKE 'autovacuum_enabled=%'))
    FROM t JOIN pg_class AS c USING (oid) ORDER BY place
"""

_FITS = f"""
    WITH t AS ({_TABLES}), c AS (
        SELECT attrelid AS oid, array_agg((attname, atttypid, atttypmod, attnotnull)::text ORDER BY attname) AS columns
        FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped GROUP BY attrelid
    )
    SELECT bool_and(beside.columns IS NOT DISTINCT FROM c.columns)
    FROM t JOIN c USING (oid) LEFT JOIN c AS beside ON beside.oid = to_regclass(format('incoming.%I', t.relname))
"""

# The largest first, so that two sessions end at about the same time.
_INDEXES = f"""
    WITH t AS ({_TABLES})
    SELECT i.relname::text AS name, am.amname = 'gin' AS later,
           replace(pg_get_indexdef(i.oid), format(' ON %I.%I USING ', nspname, t.relname),
                   format(' ON incoming.%I USING ', t.relname)) AS build,
           replace(pg_get_indexdef(i.oid), 'CREATE INDEX ', 'CREATE INDEX CONCURRENTLY IF NOT EXISTS ') AS build_later
    FROM t JOIN pg_index AS x ON x.indrelid = t.oid JOIN pg_class AS i ON i.oid = x.indexrelid
    JOIN pg_am AS am ON am.oid = i.relam
    ORDER BY coalesce(pg_relation_size(to_regclass(format('incoming.%I', t.relname))), 0) DESC, x.indnatts DESC, 1
"""

_BUILT = """
    SELECT i.relname::text FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
    WHERE i.relnamespace = to_regnamespace('incoming') AND x.indisvalid
"""

_KEYS = f"""
    WITH t AS ({_TABLES})
    SELECT format('ALTER TABLE incoming.%I ADD CONSTRAINT %I %s USING INDEX %I', t.relname, conname,
                  CASE contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, conname)
    FROM t JOIN pg_constraint ON conrelid = t.oid
    WHERE contype IN ('p', 'u') AND NOT EXISTS (
        SELECT FROM pg_constraint AS built WHERE built.conname = pg_constraint.conname
        AND built.connamespace = to_regnamespace('incoming'))
    ORDER BY place, conname
"""

_FOREIGN_KEYS = f"""
    WITH t AS ({_TABLES})
    SELECT t.relname::text AS "table",
           format('ALTER TABLE incoming.%I ADD CONSTRAINT %I %s NOT VALID', t.relname, c.conname,
                  pg_get_constraintdef(c.oid)) AS add,
           built.oid IS NOT NULL AS added,
           format('ALTER TABLE incoming.%I VALIDATE CONSTRAINT %I', t.relname, c.conname) AS validate,
           coalesce(built.convalidated, false) AS validated
    FROM t JOIN pg_constraint AS c ON c.conrelid = t.oid
    LEFT JOIN pg_constraint AS built
        ON built.conname = c.conname AND built.conrelid = to_regclass(format('incoming.%I', t.relname))
    WHERE c.contype = 'f' ORDER BY place, c.conname
"""

# What is not in LIKE, and what other tables say of these: all of it once more, on the tables that take the places.
_AFTER = f"""
    WITH t AS ({_TABLES}), own AS (SELECT t.*, c.relacl, c.relowner, c.reloptions FROM t JOIN pg_class AS c USING (oid))
    SELECT statement FROM (
        SELECT 1 AS step, place, '' AS name,
               format('ALTER TABLE %I.%I OWNER TO %I', nspname, relname, pg_get_userbyid(relowner)) AS statement
        FROM own WHERE relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
        UNION ALL
        SELECT 2, place, '', format('ALTER TABLE %I.%I RESET (autovacuum_enabled)', nspname, relname) FROM own
        UNION ALL
        SELECT 3, place, option, format('ALTER TABLE %I.%I SET (%s)', nspname, relname, option)
        FROM own, unnest(reloptions) AS option WHERE option LIKE 'autovacuum_enabled=%'
        UNION ALL
        SELECT 3, place, tgname, pg_get_triggerdef(pg_trigger.oid)
        FROM own JOIN pg_trigger ON tgrelid = own.oid WHERE NOT tgisinternal
        UNION ALL
        SELECT 4, place, tgname, format('ALTER TABLE %I.%I %s TRIGGER %I', nspname, relname,
               CASE tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END, tgname)
        FROM own JOIN pg_trigger ON tgrelid = own.oid WHERE NOT tgisinternal AND tgenabled <> 'O'
        UNION ALL
        -- Default privileges may have given to new tables what nobody had on the old ones.
        SELECT 5, place, '', format('REVOKE ALL ON %I.%I FROM %s', nspname, own.relname,
               CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
        FROM own JOIN pg_class AS beside ON beside.oid = to_regclass(format('incoming.%I', own.relname)),
             aclexplode(beside.relacl) WHERE grantee <> beside.relowner
        UNION ALL
        SELECT 7, place, stxname, pg_get_statisticsobjdef(s.oid)
        FROM own JOIN pg_statistic_ext AS s ON stxrelid = own.oid
        UNION ALL
        SELECT 6, place, privilege_type,
               format('GRANT %s ON %I.%I TO %s%s', privilege_type, nspname, relname,
                      CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
                      CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM own, aclexplode(relacl) WHERE grantee <> relowner
        UNION ALL
        SELECT 6, place, attname || privilege_type,
               format('GRANT %s (%I) ON %I.%I TO %s%s', privilege_type, attname, nspname, relname,
                      CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
                      CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM own JOIN pg_attribute ON attrelid = own.oid AND NOT attisdropped, aclexplode(attacl)
        UNION ALL
        SELECT 8, place, conname,
               format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(f.oid))
        FROM own JOIN pg_constraint AS f ON confrelid = own.oid
        WHERE contype = 'f' AND conrelid NOT IN (SELECT oid FROM own)
    ) AS statements ORDER BY step, place, name
"""

_MAKE_ROOM = f"""
    WITH t AS ({_TABLES})
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
    FROM t JOIN pg_constraint ON confrelid = t.oid
    WHERE contype = 'f' AND conrelid NOT IN (SELECT oid FROM t)
"""

_IN_THE_WAY = f"""
    WITH t AS ({_TABLES})
    SELECT 'the view ' || ev_class::regclass
    FROM pg_depend JOIN pg_rewrite ON classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid
    WHERE refobjid IN (SELECT oid FROM t) AND ev_class <> refobjid
    UNION ALL SELECT 'the policy ' || polname FROM pg_policy WHERE polrelid IN (SELECT oid FROM t)
    UNION ALL SELECT 'row-level security' FROM pg_class WHERE relrowsecurity AND oid IN (SELECT oid FROM t)
    UNION ALL SELECT 'the publication ' || pubname FROM pg_publication_rel
              JOIN pg_publication ON pg_publication.oid = prpubid WHERE prrelid IN (SELECT oid FROM t)
    LIMIT 1
"""

_SWITCH = f"""
    WITH t AS ({_TABLES})
    SELECT unnest(ARRAY[format('DROP TABLE %I.%I', nspname, relname),
                        format('ALTER TABLE incoming.%I SET SCHEMA %I', relname, nspname)])
    FROM t ORDER BY place DESC
"""


class DependentError(OperatorError):
    """Something of an operator's own depends on the tables, which a first load replaces."""

    def __init__(self, dependent: str) -> None:
        super().__init__(
            f"A first load replaces the tables, and {dependent} depends on them: drop it, run the same command again, "
            "and make it again."
        )


class IndexBuild(NamedTuple):
    """An index of the catalogue. ``later``: not needed for an answer to be right, and as costly as all others."""

    name: str
    later: bool
    build: str
    build_later: str


class ForeignKey(NamedTuple):
    """A foreign key, and how far it has come in ``incoming``."""

    table: str
    add: str
    added: bool
    validate: str
    validated: bool


async def create(connection: asyncpg.Connection) -> None:
    """Make the schema and its tables, without keys, indexes and triggers.

    Raises ``OperatorError`` where we may not, or where the tables could not be switched in later.
    """
    dependent = await connection.fetchval(_IN_THE_WAY, TABLES)
    if dependent is not None:
        raise DependentError(dependent)
    try:
        await connection.execute("CREATE SCHEMA incoming")
    except asyncpg.InsufficientPrivilegeError as error:
        raise OperatorError(
            "The role that loads may not make the schema incoming: GRANT CREATE ON DATABASE … TO it."
        ) from error
    except asyncpg.DuplicateSchemaError as error:
        raise OperatorError(
            "There is a schema named incoming already, where a first load would build its tables: rename it."
        ) from error
    await _run(connection, _CREATE)


async def drop(connection: asyncpg.Connection) -> None:
    """Remove what an unfinished load has left."""
    await connection.execute("DROP SCHEMA IF EXISTS incoming CASCADE")


async def fits(connection: asyncpg.Connection) -> bool:
    """Whether the tables still have the columns of those whose places they will take."""
    return bool(await connection.fetchval(_FITS, TABLES))


async def indexes(connection: asyncpg.Connection) -> list[IndexBuild]:
    """Every index that the catalogue has."""
    return [IndexBuild(*row) for row in await connection.fetch(_INDEXES, TABLES)]


async def built(connection: asyncpg.Connection) -> set[str]:
    """The names of the indexes that stand in ``incoming``."""
    return {name for (name,) in await connection.fetch(_BUILT)}


async def add_keys(connection: asyncpg.Connection) -> None:
    """Turn the unique indexes of the keys into the keys."""
    await _run(connection, _KEYS)


async def foreign_keys(connection: asyncpg.Connection) -> list[ForeignKey]:
    """Every foreign key between the tables."""
    return [ForeignKey(*row) for row in await connection.fetch(_FOREIGN_KEYS, TABLES)]


async def switch(connection: asyncpg.Connection) -> None:
    """Put the tables of ``incoming`` into the places of the catalogue's, within the transaction.

    Raises ``DependentError`` where something was made meanwhile that depends on the old tables.
    """
    after = [statement for (statement,) in await connection.fetch(_AFTER, TABLES)]
    switching = [statement for (statement,) in await connection.fetch(_SWITCH, TABLES)]
    try:
        await _run(connection, _MAKE_ROOM)
        for statement in (*switching, *after):
            await connection.execute(statement)
    except asyncpg.DependentObjectsStillExistError as error:
        raise DependentError("something that was made meanwhile") from error
    await connection.execute("DROP SCHEMA incoming")


async def _run(connection: asyncpg.Connection, query: str) -> None:
    for (statement,) in await connection.fetch(query, TABLES):
        await connection.execute(statement)
