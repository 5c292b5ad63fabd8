"""What a transaction has changed, recorded in it, whoever writes: tags, by which caches know what they must forget.

Statement triggers with transition tables: a row for each statement that names other tags than those before it, and
no row that another transaction could wait for. A statement that touches very many rows says that it may be everything.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = (
    "CREATE SEQUENCE change_numbers",
    """
    CREATE TABLE changes (
        product_id bigint NOT NULL,
        change_id bigint DEFAULT nextval('change_numbers') NOT NULL,
        xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
        tags text NOT NULL,
        CONSTRAINT pk_changes PRIMARY KEY (product_id, change_id)
    )
    """,
    # Readers ask for what is newer than a transaction.
    "CREATE INDEX ix_changes_xid ON changes (xid, change_id)",
    # Changes of transactions below forgotten_until have been removed, and those below next_until are, ten minutes after
    # next_at: all of them were to be seen then. The time of a transaction itself would not do, for it may be long.
    """
    CREATE TABLE changes_forgotten (
        one boolean DEFAULT true NOT NULL,
        forgotten_until xid8 NOT NULL,
        next_until xid8 NOT NULL,
        next_at timestamptz DEFAULT now() NOT NULL,
        CONSTRAINT pk_changes_forgotten PRIMARY KEY (one),
        CONSTRAINT ck_changes_forgotten_only_one CHECK (one)
    )
    """,
    """
    INSERT INTO changes_forgotten (forgotten_until, next_until)
    VALUES (pg_current_xact_id(), pg_snapshot_xmin(pg_current_snapshot()))
    """,
)

FUNCTIONS = (
    # The limit is that of a cached answer's tags: an edge would not look through more of them for each page. What this
    # transaction has said already is not said again: a review with photos and ratings is three statements.
    """
    CREATE FUNCTION record_change(changed_tags text[], product bigint) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        said text := CASE WHEN cardinality(changed_tags) > 400 THEN 'all' ELSE array_to_string(changed_tags, ' ') END;
    BEGIN
        IF said <> '' AND NOT EXISTS (
            SELECT FROM changes WHERE xid = pg_current_xact_id() AND (tags = 'all' OR tags = said)
        ) THEN
            INSERT INTO changes (product_id, tags) VALUES (CASE WHEN said = 'all' THEN 0 ELSE product END, said);
        END IF;
    END $$
    """,
    # The rows of a transition table are counted no further than the limit.
    """
    CREATE FUNCTION record_change_below_product() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        touched bigint[];
    BEGIN
        IF TG_OP = 'INSERT' THEN
            touched := ARRAY(SELECT DISTINCT product_id FROM new_rows ORDER BY 1 LIMIT 401);
        ELSIF TG_OP = 'DELETE' THEN
            touched := ARRAY(SELECT DISTINCT product_id FROM old_rows ORDER BY 1 LIMIT 401);
        ELSE
            touched := ARRAY(
                SELECT product_id FROM old_rows UNION SELECT product_id FROM new_rows ORDER BY 1 LIMIT 401);
        END IF;
        PERFORM record_change(ARRAY(SELECT 'product:' || n FROM unnest(touched) AS n), touched[1]);
        RETURN NULL;
    END $$
    """,
    # A review's own number is named where a look-up by it would begin to find the review, or another one.
    """
    CREATE FUNCTION record_change_of_reviews() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        touched bigint[];
        reviews bigint[] := '{}';
    BEGIN
        IF TG_OP = 'INSERT' THEN
            touched := ARRAY(SELECT DISTINCT product_id FROM new_rows ORDER BY 1 LIMIT 401);
            reviews := ARRAY(SELECT review_id FROM new_rows ORDER BY 1 LIMIT 401);
        ELSIF TG_OP = 'DELETE' THEN
            touched := ARRAY(SELECT DISTINCT product_id FROM old_rows ORDER BY 1 LIMIT 401);
            reviews := ARRAY(SELECT review_id FROM old_rows ORDER BY 1 LIMIT 401);
        ELSE
            touched := ARRAY(
                SELECT product_id FROM old_rows UNION SELECT product_id FROM new_rows ORDER BY 1 LIMIT 401);
            reviews := ARRAY(
                SELECT review_id FROM (
                    SELECT product_id, review_id, reported FROM old_rows
                    EXCEPT SELECT product_id, review_id, reported FROM new_rows
                ) AS gone
                UNION
                SELECT review_id FROM (
                    SELECT product_id, review_id, reported FROM new_rows
                    EXCEPT SELECT product_id, review_id, reported FROM old_rows
                ) AS come
                ORDER BY 1 LIMIT 401);
        END IF;
        PERFORM record_change(
            ARRAY(SELECT 'product:' || n FROM unnest(touched) AS n)
            || ARRAY(SELECT 'review:' || n FROM unnest(reviews) AS n),
            touched[1]);
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION record_change_of_products() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        touched bigint[];
    BEGIN
        IF TG_OP = 'INSERT' THEN
            touched := ARRAY(SELECT product_id FROM new_rows ORDER BY 1 LIMIT 401);
        ELSIF TG_OP = 'DELETE' THEN
            touched := ARRAY(SELECT product_id FROM old_rows ORDER BY 1 LIMIT 401);
        ELSE
            touched := ARRAY(
                SELECT product_id FROM old_rows UNION SELECT product_id FROM new_rows ORDER BY 1 LIMIT 401);
        END IF;
        IF cardinality(touched) > 0 THEN
            PERFORM record_change(
                ARRAY(SELECT 'product:' || n FROM unnest(touched) AS n) || ARRAY['catalog'], touched[1]);
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION record_change_of_all() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM record_change(ARRAY['all'], 0);
        RETURN NULL;
    END $$
    """,
)

ROWS = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}
RECORDED = {
    "products": "record_change_of_products",
    "reviews": "record_change_of_reviews",
    "characteristics": "record_change_below_product",
    "photos": "record_change_below_product",
    "ratings": "record_change_below_product",
}
# Figures are kept by triggers in the transaction of what they count, which is recorded itself. They are removed when
# they are built again, or by hand.
FIGURES = ("product_figures", "characteristic_figures")
TRIGGERS = (
    *(
        f"""
        CREATE TRIGGER record_change_{event.lower()} AFTER {event} ON {table} REFERENCING {ROWS[event]}
        FOR EACH STATEMENT EXECUTE FUNCTION {function}()
        """
        for table, function in RECORDED.items()
        for event in ROWS
    ),
    *(
        f"""
        CREATE TRIGGER record_change_delete AFTER DELETE ON {table} REFERENCING {ROWS["DELETE"]}
        FOR EACH STATEMENT EXECUTE FUNCTION record_change_below_product()
        """
        for table in FIGURES
    ),
    *(
        f"""
        CREATE TRIGGER record_change_truncate AFTER TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION record_change_of_all()
        """
        for table in (*RECORDED, *FIGURES, "category_figures")
    ),
)

DROPPED_FUNCTIONS = (
    "record_change_of_all",
    "record_change_of_products",
    "record_change_of_reviews",
    "record_change_below_product",
    "record_change",
)


def upgrade() -> None:
    for statement in (*TABLES, *FUNCTIONS, *TRIGGERS):
        op.execute(statement)


def downgrade() -> None:
    for function in DROPPED_FUNCTIONS:
        op.execute(f"DROP FUNCTION {function} CASCADE")
    op.execute("DROP TABLE changes_forgotten")
    op.execute("DROP TABLE changes")
    op.execute("DROP SEQUENCE change_numbers")
