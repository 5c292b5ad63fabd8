"""Figures kept by the database, in the transaction of the write, whoever writes.

Statement triggers with transition tables: one update of the figures for each statement, however many rows it had.
Three rules keep the counts right under concurrent writers:

* what is added to the figures of several products is locked in product order first, or two such statements deadlock;
* a change of ratings takes its reviews FOR SHARE before it looks whether they are visible, or a report committed at
  the same moment leaves the ratings counted;
* each trigger reads after it has locked, in a statement of its own, so that it sees what the lock waited for.

In REPEATABLE READ and SERIALIZABLE it would not see that: where PostgreSQL itself does not refuse such a write with a
serialization failure, the trigger does. One statement whose WITH changes ratings and hides or shows their review too
leaves the two triggers no way to tell what was before: rebuild_figures() puts that right.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE product_figures (
        product_id bigint NOT NULL,
        counts integer[] DEFAULT array_fill(0, ARRAY[20]) NOT NULL,
        photo_count integer DEFAULT 0 NOT NULL,
        CONSTRAINT pk_product_figures PRIMARY KEY (product_id),
        CONSTRAINT fk_product_figures_products FOREIGN KEY (product_id) REFERENCES products ON DELETE CASCADE,
        CONSTRAINT ck_product_figures_twenty_cells CHECK (cardinality(counts) = 20)
    ) WITH (fillfactor = 70)
    """,
    """
    CREATE TABLE characteristic_figures (
        product_id bigint NOT NULL,
        characteristic_id bigint NOT NULL,
        counts integer[] DEFAULT array_fill(0, ARRAY[5]) NOT NULL,
        CONSTRAINT pk_characteristic_figures PRIMARY KEY (product_id, characteristic_id),
        CONSTRAINT fk_characteristic_figures_characteristics FOREIGN KEY (product_id, characteristic_id)
            REFERENCES characteristics ON DELETE CASCADE,
        CONSTRAINT ck_characteristic_figures_five_values CHECK (cardinality(counts) = 5)
    ) WITH (fillfactor = 70)
    """,
    """
    CREATE TABLE category_figures (
        category text NOT NULL,
        product_count bigint NOT NULL,
        CONSTRAINT pk_category_figures PRIMARY KEY (category)
    )
    """,
)

CELL_COUNTS = ", ".join(
    f"count(*) FILTER (WHERE figures_cell(rating, recommended, photo_count) = {cell})::integer" for cell in range(1, 21)
)
VALUE_COUNTS = ", ".join(f"count(*) FILTER (WHERE value = {value})::integer" for value in range(1, 6))

FUNCTIONS = (
    # 1 to 20: the cell of a review in product_figures.counts.
    """
    CREATE FUNCTION figures_cell(rating smallint, recommended boolean, photo_count integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (rating - 1) * 4 + recommended::integer * 2 + (photo_count > 0)::integer + 1
    """,
    # The four arrays are parallel: add amounts[i] to cell cells[i] and photos[i] to the photos of products[i].
    """
    CREATE FUNCTION add_to_product_figures(products bigint[], cells integer[], amounts integer[], photos integer[])
    RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        IF products IS NULL THEN
            RETURN;
        END IF;
        PERFORM 1 FROM product_figures WHERE product_id = ANY (products) ORDER BY product_id FOR NO KEY UPDATE;
        -- The changes become one array a product first, so that the work grows with the changes and not their square.
        UPDATE product_figures AS f
        SET counts = (SELECT array_agg(was + added ORDER BY cell)
                      FROM unnest(f.counts, change.counts) WITH ORDINALITY AS both_counts (was, added, cell)),
            photo_count = f.photo_count + change.photos
        FROM (SELECT product_id, array_agg(n ORDER BY cell) AS counts, sum(p)::integer AS photos
              FROM (SELECT product_id, cell, coalesce(sum(n), 0)::integer AS n, coalesce(sum(p), 0) AS p
                    FROM (SELECT DISTINCT product_id FROM unnest(products) AS k (product_id)) AS touched
                    CROSS JOIN generate_series(1, 20) AS cell
                    LEFT JOIN unnest(products, cells, amounts, photos) AS c (product_id, cell, n, p)
                        USING (product_id, cell)
                    GROUP BY product_id, cell) AS by_cell
              GROUP BY product_id) AS change
        WHERE f.product_id = change.product_id;
    END $$
    """,
    """
    CREATE FUNCTION add_to_characteristic_figures(
        products bigint[], characteristics bigint[], ratings integer[], amounts integer[])
    RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        IF products IS NULL THEN
            RETURN;
        END IF;
        PERFORM 1 FROM characteristic_figures AS f
        JOIN (SELECT DISTINCT * FROM unnest(products, characteristics) AS k (product_id, characteristic_id)) AS touched
            USING (product_id, characteristic_id)
        ORDER BY f.product_id, f.characteristic_id FOR NO KEY UPDATE OF f;
        UPDATE characteristic_figures AS f
        SET counts = (SELECT array_agg(was + added ORDER BY value)
                      FROM unnest(f.counts, change.counts) WITH ORDINALITY AS both_counts (was, added, value))
        FROM (SELECT product_id, characteristic_id, array_agg(n ORDER BY value) AS counts
              FROM (SELECT product_id, characteristic_id, value, coalesce(sum(n), 0)::integer AS n
                    FROM (SELECT DISTINCT product_id, characteristic_id
                          FROM unnest(products, characteristics) AS k (product_id, characteristic_id)) AS touched
                    CROSS JOIN generate_series(1, 5) AS value
                    LEFT JOIN unnest(products, characteristics, ratings, amounts)
                        AS c (product_id, characteristic_id, value, n) USING (product_id, characteristic_id, value)
                    GROUP BY product_id, characteristic_id, value) AS by_value
              GROUP BY product_id, characteristic_id) AS change
        WHERE f.product_id = change.product_id AND f.characteristic_id = change.characteristic_id;
    END $$
    """,
    # Category counts are added in category order, so that two statements never wait for each other in a circle.
    """
    CREATE FUNCTION count_products() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        categories text[];
        amounts bigint[];
    BEGIN
        IF TG_OP = 'INSERT' THEN
            INSERT INTO product_figures (product_id) SELECT product_id FROM new_rows;
            SELECT array_agg(category), array_agg(n) INTO categories, amounts
            FROM (SELECT coalesce(category, '') AS category, count(*) AS n FROM new_rows GROUP BY 1) AS change;
        ELSIF TG_OP = 'DELETE' THEN
            SELECT array_agg(category), array_agg(n) INTO categories, amounts
            FROM (SELECT coalesce(category, '') AS category, -count(*) AS n FROM old_rows GROUP BY 1) AS change;
        ELSE
            SELECT array_agg(category), array_agg(n) INTO categories, amounts
            FROM (SELECT category, sum(n) AS n
                  FROM (SELECT coalesce(category, '') AS category, 1 AS n FROM new_rows
                        UNION ALL SELECT coalesce(category, ''), -1 FROM old_rows) AS signed
                  GROUP BY 1 HAVING sum(n) <> 0) AS change;
        END IF;
        INSERT INTO category_figures AS f (category, product_count)
        SELECT category, n FROM unnest(categories, amounts) AS change (category, n) ORDER BY category
        ON CONFLICT (category) DO UPDATE SET product_count = f.product_count + excluded.product_count;
        DELETE FROM category_figures WHERE category = ANY (categories) AND product_count = 0;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION count_characteristics() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO characteristic_figures (product_id, characteristic_id)
        SELECT product_id, characteristic_id FROM new_rows;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION count_reviews() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        products bigint[];
        cells integer[];
        amounts integer[];
        photos integer[];
    BEGIN
        IF TG_OP = 'INSERT' THEN
            SELECT array_agg(product_id), array_agg(cell), array_agg(n), array_agg(p)
            INTO products, cells, amounts, photos
            FROM (SELECT product_id, figures_cell(rating, recommended, photo_count) AS cell,
                         count(*)::integer AS n, sum(photo_count)::integer AS p
                  FROM new_rows WHERE NOT reported GROUP BY 1, 2) AS change;
        ELSIF TG_OP = 'DELETE' THEN
            SELECT array_agg(product_id), array_agg(cell), array_agg(-n), array_agg(-p)
            INTO products, cells, amounts, photos
            FROM (SELECT product_id, figures_cell(rating, recommended, photo_count) AS cell,
                         count(*)::integer AS n, sum(photo_count)::integer AS p
                  FROM old_rows WHERE NOT reported GROUP BY 1, 2) AS change;
        ELSE
            SELECT array_agg(product_id), array_agg(cell), array_agg(n), array_agg(p)
            INTO products, cells, amounts, photos
            FROM (SELECT product_id, cell, sum(sign)::integer AS n, sum(sign * photo_count)::integer AS p
                  FROM (SELECT product_id, figures_cell(rating, recommended, photo_count) AS cell, photo_count,
                               1 AS sign
                        FROM new_rows WHERE NOT reported
                        UNION ALL
                        SELECT product_id, figures_cell(rating, recommended, photo_count), photo_count, -1
                        FROM old_rows WHERE NOT reported) AS signed
                  GROUP BY 1, 2
                  HAVING sum(sign) <> 0 OR sum(sign * photo_count) <> 0) AS change;
        END IF;
        PERFORM add_to_product_figures(products, cells, amounts, photos);
        IF TG_OP = 'UPDATE' THEN
            -- A rating only locks its review, so PostgreSQL finds no conflict with one committed after our snapshot.
            IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') AND EXISTS (
                SELECT FROM new_rows AS is_now JOIN old_rows AS was USING (product_id, review_id)
                WHERE is_now.reported <> was.reported)
            THEN
                RAISE EXCEPTION 'reviews are hidden and shown in READ COMMITTED transactions only'
                    USING ERRCODE = 'invalid_transaction_state',
                        DETAIL = 'A rating committed after the snapshot would be left out of the figures.';
            END IF;
            -- A review that was hidden or shown takes its ratings out of the figures, or puts them back.
            PERFORM add_to_characteristic_figures(
                array_agg(product_id), array_agg(characteristic_id), array_agg(value), array_agg(n))
            FROM (SELECT product_id, characteristic_id, value::integer AS value,
                         sum(CASE WHEN is_now.reported THEN -1 ELSE 1 END)::integer AS n
                  FROM new_rows AS is_now
                  JOIN old_rows AS was USING (product_id, review_id)
                  JOIN ratings USING (product_id, review_id)
                  WHERE is_now.reported <> was.reported
                  GROUP BY product_id, characteristic_id, value) AS change;
        END IF;
        RETURN NULL;
    END $$
    """,
    # Before the row goes: once it is gone the cascade takes its ratings, and nothing could tell that they were seen.
    """
    CREATE FUNCTION uncount_ratings_of_review() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT OLD.reported THEN
            PERFORM add_to_characteristic_figures(
                array_agg(product_id), array_agg(characteristic_id), array_agg(value::integer), array_agg(-1))
            FROM ratings WHERE product_id = OLD.product_id AND review_id = OLD.review_id;
        END IF;
        RETURN OLD;
    END $$
    """,
    """
    CREATE FUNCTION count_ratings() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            PERFORM 1 FROM reviews
            WHERE (product_id, review_id) IN (SELECT product_id, review_id FROM new_rows)
            ORDER BY product_id, review_id FOR SHARE;
            PERFORM add_to_characteristic_figures(
                array_agg(product_id), array_agg(characteristic_id), array_agg(value), array_agg(n))
            FROM (SELECT product_id, characteristic_id, value::integer AS value, count(*)::integer AS n
                  FROM new_rows JOIN reviews USING (product_id, review_id)
                  WHERE NOT reported GROUP BY 1, 2, 3) AS change;
        ELSIF TG_OP = 'DELETE' THEN
            PERFORM 1 FROM reviews
            WHERE (product_id, review_id) IN (SELECT product_id, review_id FROM old_rows)
            ORDER BY product_id, review_id FOR SHARE;
            PERFORM add_to_characteristic_figures(
                array_agg(product_id), array_agg(characteristic_id), array_agg(value), array_agg(n))
            FROM (SELECT product_id, characteristic_id, value::integer AS value, -count(*)::integer AS n
                  FROM old_rows JOIN reviews USING (product_id, review_id)
                  WHERE NOT reported GROUP BY 1, 2, 3) AS change;
        ELSE
            PERFORM 1 FROM reviews
            WHERE (product_id, review_id) IN (SELECT product_id, review_id FROM old_rows
                                              UNION ALL SELECT product_id, review_id FROM new_rows)
            ORDER BY product_id, review_id FOR SHARE;
            PERFORM add_to_characteristic_figures(
                array_agg(product_id), array_agg(characteristic_id), array_agg(value), array_agg(n))
            FROM (SELECT product_id, characteristic_id, value::integer AS value, sum(sign)::integer AS n
                  FROM (SELECT product_id, review_id, characteristic_id, value, 1 AS sign FROM new_rows
                        UNION ALL
                        SELECT product_id, review_id, characteristic_id, value, -1 FROM old_rows) AS signed
                  JOIN reviews USING (product_id, review_id)
                  WHERE NOT reported GROUP BY 1, 2, 3 HAVING sum(sign) <> 0) AS change;
        END IF;
        RETURN NULL;
    END $$
    """,
    # Counts again instead of adding: a review written with its photo_count ready costs no second update.
    """
    CREATE FUNCTION count_photos() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        products bigint[];
        touched bigint[];
    BEGIN
        IF TG_OP = 'INSERT' THEN
            SELECT array_agg(product_id), array_agg(review_id) INTO products, touched
            FROM (SELECT DISTINCT product_id, review_id FROM new_rows) AS k;
        ELSIF TG_OP = 'DELETE' THEN
            SELECT array_agg(product_id), array_agg(review_id) INTO products, touched
            FROM (SELECT DISTINCT product_id, review_id FROM old_rows) AS k;
        ELSE
            SELECT array_agg(product_id), array_agg(review_id) INTO products, touched
            FROM (SELECT product_id, review_id FROM old_rows UNION SELECT product_id, review_id FROM new_rows) AS k;
        END IF;
        PERFORM 1 FROM reviews
        WHERE (product_id, review_id) IN (SELECT * FROM unnest(products, touched))
        ORDER BY product_id, review_id FOR NO KEY UPDATE;
        UPDATE reviews AS r SET photo_count = counted.n
        FROM (SELECT k.product_id, k.review_id, count(photo_id)::integer AS n
              FROM unnest(products, touched) AS k (product_id, review_id)
              LEFT JOIN photos USING (product_id, review_id)
              GROUP BY 1, 2) AS counted
        WHERE r.product_id = counted.product_id AND r.review_id = counted.review_id AND r.photo_count <> counted.n;
        RETURN NULL;
    END $$
    """,
    # All figures again from the rows: what the first load does instead of 32 million small updates, and what
    # repairs them. Locks out writers, not readers, who see the new figures at commit.
    f"""
    CREATE FUNCTION rebuild_figures() RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        LOCK TABLE products, characteristics, reviews, photos, ratings IN SHARE ROW EXCLUSIVE MODE;
        UPDATE reviews AS r SET photo_count = counted.n
        FROM (SELECT product_id, review_id, count(photo_id)::integer AS n
              FROM reviews LEFT JOIN photos USING (product_id, review_id)
              GROUP BY 1, 2) AS counted
        WHERE r.product_id = counted.product_id AND r.review_id = counted.review_id AND r.photo_count <> counted.n;

        DELETE FROM product_figures;
        INSERT INTO product_figures (product_id, counts, photo_count)
        SELECT product_id, coalesce(counts, array_fill(0, ARRAY[20])), coalesce(photos, 0)
        FROM products LEFT JOIN (
            SELECT product_id,
                   ARRAY[{CELL_COUNTS}] AS counts,
                   sum(photo_count)::integer AS photos
            FROM reviews WHERE NOT reported GROUP BY product_id) AS counted USING (product_id);

        DELETE FROM characteristic_figures;
        INSERT INTO characteristic_figures (product_id, characteristic_id, counts)
        SELECT product_id, characteristic_id, coalesce(counts, array_fill(0, ARRAY[5]))
        FROM characteristics LEFT JOIN (
            SELECT product_id, characteristic_id,
                   ARRAY[{VALUE_COUNTS}] AS counts
            FROM ratings JOIN reviews USING (product_id, review_id)
            WHERE NOT reported GROUP BY product_id, characteristic_id) AS counted USING (product_id, characteristic_id);

        DELETE FROM category_figures;
        INSERT INTO category_figures (category, product_count)
        SELECT coalesce(category, ''), count(*) FROM products GROUP BY 1;
    END $$
    """,
    """
    CREATE FUNCTION rebuild_figures_after_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM rebuild_figures();
        RETURN NULL;
    END $$
    """,
)

CHANGES = {
    "INSERT": "NEW TABLE AS new_rows",
    "UPDATE": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "DELETE": "OLD TABLE AS old_rows",
}
COUNTED = {
    "products": ("count_products", ("INSERT", "UPDATE", "DELETE")),
    "characteristics": ("count_characteristics", ("INSERT",)),
    "reviews": ("count_reviews", ("INSERT", "UPDATE", "DELETE")),
    "ratings": ("count_ratings", ("INSERT", "UPDATE", "DELETE")),
    "photos": ("count_photos", ("INSERT", "UPDATE", "DELETE")),
}
TRIGGERS = (
    *(
        f"""
        CREATE TRIGGER {function}_{event.lower()} AFTER {event} ON {table} REFERENCING {CHANGES[event]}
        FOR EACH STATEMENT EXECUTE FUNCTION {function}()
        """
        for table, (function, events) in COUNTED.items()
        for event in events
    ),
    """
    CREATE TRIGGER uncount_ratings_of_review BEFORE DELETE ON reviews
    FOR EACH ROW EXECUTE FUNCTION uncount_ratings_of_review()
    """,
    *(
        f"""
        CREATE TRIGGER rebuild_figures_after_truncate AFTER TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION rebuild_figures_after_truncate()
        """
        for table in COUNTED
    ),
)

DROPPED_FUNCTIONS = (
    "rebuild_figures_after_truncate",
    "rebuild_figures",
    "count_photos",
    "count_ratings",
    "uncount_ratings_of_review",
    "count_reviews",
    "count_characteristics",
    "count_products",
    "add_to_characteristic_figures",
    "add_to_product_figures",
    "figures_cell",
)


def upgrade() -> None:
    for statement in (*TABLES, *FUNCTIONS, *TRIGGERS):
        op.execute(statement)
    # Rows written under the revision before this one are counted now.
    op.execute("SELECT rebuild_figures()")


def downgrade() -> None:
    for table in ("category_figures", "characteristic_figures", "product_figures"):
        op.execute(f"DROP TABLE {table}")
    for function in DROPPED_FUNCTIONS:
        op.execute(f"DROP FUNCTION {function} CASCADE")
