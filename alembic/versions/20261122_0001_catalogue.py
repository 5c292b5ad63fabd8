"""The catalogue: products, characteristics, reviews, photos, ratings, and the words they are searched by."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# PostgreSQL's parser reads "fit/size" as a file name and "well-made" as one word and its parts. Signs that join
# words become blanks first, so that a word is what a shopper would call one. Typographic signs are in the list
# because a database whose locale is C takes every sign beyond ASCII for a letter.
SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡¿«»‘’‚“”„†‡•…‰‹›–—―·"

_CLASS = "".join(f"\\{sign}" if sign in "\\]^-[" else sign for sign in SIGNS).replace("'", "''")

FUNCTIONS = (
    # Nine times as fast as translate(), which looks every letter up in the whole list of signs.
    f"""
    CREATE FUNCTION search_words(content text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(content, '[{_CLASS}]+', ' ', 'g')
    """,
    # Every word must occur, the last one as the beginning of a word. The parser that splits texts splits the search
    # too (12 is its number for what lies between words). No word: a query that nothing matches.
    """
    CREATE FUNCTION search_query(search text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(
        (SELECT to_tsquery('simple',
                           string_agg('''' || token || '''' || CASE WHEN place = last THEN ':*' ELSE '' END, ' & '))
         FROM (SELECT token, place, max(place) OVER () AS last
               FROM ts_parse('default', search_words(search)) WITH ORDINALITY AS parsed (kind, token, place)
               WHERE kind <> 12) AS words),
        ''::tsquery)
    """,
    """
    CREATE FUNCTION product_words(name text, slogan text, description text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_tsvector('simple', search_words(name || ' ' || coalesce(slogan, '') || ' ' || coalesce(description, '')))
    """,
    # The product is a word of its own in the vector: one GIN index then finds the words of one product,
    # where PostgreSQL without extensions cannot put a number and a vector into the same GIN index.
    # No word of a text can be equal to it, for ':' is one of the signs.
    """
    CREATE FUNCTION review_words(product_id bigint, summary text, body text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_tsvector('simple', search_words(summary || ' ' || body))
        || array_to_tsvector(ARRAY['product:' || product_id::text])
    """,
    """
    CREATE FUNCTION review_query(product_id bigint, search text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN numnode(search_query(search)) = 0 THEN ''::tsquery
        ELSE ('''product:' || product_id::text || '''')::tsquery && search_query(search) END
    """,
)

TABLES = (
    """
    CREATE TABLE products (
        product_id bigint NOT NULL,
        name text NOT NULL,
        slogan text,
        description text,
        category text,
        default_price numeric(14, 2),
        CONSTRAINT pk_products PRIMARY KEY (product_id),
        CONSTRAINT ck_products_category_not_empty CHECK (category <> '')
    )
    """,
    """
    CREATE TABLE characteristics (
        product_id bigint NOT NULL,
        characteristic_id bigint NOT NULL,
        kind text NOT NULL,
        CONSTRAINT pk_characteristics PRIMARY KEY (product_id, characteristic_id),
        CONSTRAINT fk_characteristics_products FOREIGN KEY (product_id) REFERENCES products ON DELETE CASCADE,
        CONSTRAINT ck_characteristics_kind_known
            CHECK (kind IN ('SIZE', 'WIDTH', 'COMFORT', 'QUALITY', 'LENGTH', 'FIT'))
    )
    """,
    """
    CREATE TABLE reviews (
        product_id bigint NOT NULL,
        review_id bigint NOT NULL,
        rating smallint NOT NULL,
        created_at timestamptz NOT NULL,
        summary text NOT NULL,
        body text NOT NULL,
        recommended boolean NOT NULL,
        reported boolean DEFAULT false NOT NULL,
        reviewer_name text NOT NULL,
        reviewer_email text NOT NULL,
        response text,
        helpfulness integer DEFAULT 0 NOT NULL,
        photo_count integer DEFAULT 0 NOT NULL,
        relevance double precision NOT NULL GENERATED ALWAYS AS (
            (extract(epoch FROM created_at AT TIME ZONE 'UTC') / 86400)::double precision
            + 90 * ln(1 + helpfulness::double precision) / ln(2::double precision)) STORED,
        CONSTRAINT pk_reviews PRIMARY KEY (product_id, review_id),
        CONSTRAINT fk_reviews_products FOREIGN KEY (product_id) REFERENCES products ON DELETE CASCADE,
        CONSTRAINT ck_reviews_rating_1_to_5 CHECK (rating BETWEEN 1 AND 5),
        CONSTRAINT ck_reviews_helpfulness_not_negative CHECK (helpfulness >= 0)
    )
    """,
    """
    CREATE TABLE photos (
        product_id bigint NOT NULL,
        review_id bigint NOT NULL,
        photo_id bigint NOT NULL,
        url text NOT NULL,
        CONSTRAINT pk_photos PRIMARY KEY (product_id, review_id, photo_id),
        CONSTRAINT fk_photos_reviews FOREIGN KEY (product_id, review_id) REFERENCES reviews ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE ratings (
        product_id bigint NOT NULL,
        review_id bigint NOT NULL,
        characteristic_id bigint NOT NULL,
        rating_id bigint NOT NULL,
        value smallint NOT NULL,
        CONSTRAINT pk_ratings PRIMARY KEY (product_id, review_id, characteristic_id),
        CONSTRAINT fk_ratings_reviews FOREIGN KEY (product_id, review_id) REFERENCES reviews ON DELETE CASCADE,
        CONSTRAINT fk_ratings_characteristics FOREIGN KEY (product_id, characteristic_id)
            REFERENCES characteristics ON DELETE CASCADE,
        CONSTRAINT ck_ratings_value_1_to_5 CHECK (value BETWEEN 1 AND 5)
    )
    """,
)

# Every sort ends on the review's id, over visible reviews only, so that a page is a walk along one index.
INDEXES = (
    "CREATE INDEX ix_products_category ON products (category, product_id)",
    "CREATE INDEX ix_products_words ON products USING gin (product_words(name, slogan, description))",
    "CREATE INDEX ix_reviews_review_id ON reviews (review_id)",
    "CREATE INDEX ix_reviews_relevant ON reviews (product_id, relevance, review_id) WHERE NOT reported",
    "CREATE INDEX ix_reviews_newest ON reviews (product_id, created_at, review_id) WHERE NOT reported",
    "CREATE INDEX ix_reviews_helpful ON reviews (product_id, helpfulness, created_at, review_id) WHERE NOT reported",
    "CREATE INDEX ix_reviews_highest_rated ON reviews (product_id, rating, created_at, review_id) WHERE NOT reported",
    """
    CREATE INDEX ix_reviews_lowest_rated ON reviews (product_id, (- rating), created_at, review_id) WHERE NOT reported
    """,
    """
    CREATE INDEX ix_reviews_with_photos ON reviews (product_id, created_at, review_id)
    WHERE NOT reported AND photo_count > 0
    """,
    "CREATE INDEX ix_reviews_words ON reviews USING gin (review_words(product_id, summary, body))",
)

SEQUENCES = ("review_numbers", "photo_numbers", "rating_numbers")


def upgrade() -> None:
    for statement in (*FUNCTIONS, *TABLES, *INDEXES):
        op.execute(statement)
    for sequence in SEQUENCES:
        op.execute(f"CREATE SEQUENCE {sequence} START 1000000000")


def downgrade() -> None:
    for sequence in SEQUENCES:
        op.execute(f"DROP SEQUENCE {sequence}")
    for table in ("ratings", "photos", "reviews", "characteristics", "products"):
        op.execute(f"DROP TABLE {table}")
    for function in ("review_query", "review_words", "product_words", "search_query", "search_words"):
        op.execute(f"DROP FUNCTION {function}")
