// Mercurius with its JIT and its loaders on the gateway's own SDL: the same document, the same rows, the same fields.
import Fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";

import { connections, globalId, hashOf, labels, mean, port, rated, ratingSummary, textOf } from "./page.js";

const pool = new pg.Pool({ max: connections });

/** The rows of a statement, which each connection prepares once. */
const rows = async (name, text, values) => (await pool.query({ name, text, values })).rows;

const PRODUCT = `SELECT product_id, name, slogan, description, category, default_price, counts
FROM products JOIN product_figures USING (product_id) WHERE product_id = $1`;

const CHARACTERISTICS = `SELECT product_id, characteristic_id, kind, counts
FROM characteristics JOIN characteristic_figures USING (product_id, characteristic_id)
WHERE product_id = ANY ($1::bigint[]) ORDER BY product_id, characteristic_id`;

// One more than asked for, which tells whether a page follows.
const REVIEWS = `SELECT page.* FROM unnest($1::bigint[]) AS k (product_id) CROSS JOIN LATERAL (
  SELECT product_id, review_id, rating, summary, body, recommended, reviewer_name, created_at, response, helpfulness,
    relevance
  FROM reviews WHERE product_id = k.product_id AND NOT reported
  ORDER BY relevance DESC, review_id DESC LIMIT $2
) AS page`;

const PHOTOS = `SELECT product_id, review_id, photo_id, url
FROM unnest($1::bigint[], $2::bigint[]) AS k (product_id, review_id) JOIN photos USING (product_id, review_id)
ORDER BY product_id, review_id, photo_id`;

const RATINGS = `SELECT product_id, review_id, value, kind
FROM unnest($1::bigint[], $2::bigint[]) AS k (product_id, review_id) JOIN ratings USING (product_id, review_id)
  JOIN characteristics USING (product_id, characteristic_id)
ORDER BY product_id, review_id, rating_id`;

/** The rows in groups, one for each of the keys in their order. */
const grouped = (keys, found, keyOf) => {
  const groups = new Map(keys.map((key) => [key, []]));
  for (const row of found) groups.get(keyOf(row)).push(row);
  return keys.map((key) => groups.get(key));
};

const ofReviews = async (name, text, queries, shown) => {
  const found = await rows(name, text, [
    queries.map(({ obj }) => obj.productId),
    queries.map(({ obj }) => obj.reviewId),
  ]);
  const groups = grouped(queries.map(({ obj }) => obj.reviewId), found, (row) => row.review_id);
  return groups.map((group) => group.map(shown));
};

const product = (row) => ({
  id: globalId("Product", row.product_id),
  productId: row.product_id,
  name: row.name,
  slogan: row.slogan,
  description: row.description,
  category: row.category,
  defaultPrice: row.default_price,
  ratingSummary: ratingSummary(row.counts),
});

const characteristic = (row) => ({
  id: globalId("Characteristic", row.product_id, row.characteristic_id),
  characteristicId: row.characteristic_id,
  kind: row.kind,
  average: mean(row.counts),
  count: rated(row.counts),
  distribution: row.counts,
  labels: labels[row.kind],
});

const cursor = (row) =>
  Buffer.from(`reviews:RELEVANT|${row.product_id}|${row.relevance}|${row.review_id}`).toString("base64url");

const review = (row) => ({
  id: globalId("Review", row.product_id, row.review_id),
  productId: row.product_id,
  reviewId: row.review_id,
  rating: row.rating,
  summary: row.summary,
  body: row.body,
  recommended: row.recommended,
  reviewerName: row.reviewer_name,
  createdAt: row.created_at.toISOString(),
  response: row.response,
  helpfulness: row.helpfulness,
});

const connection = (found, first, totalCount) => {
  const shown = found.slice(0, first);
  return {
    nodes: shown.map(review),
    pageInfo: {
      hasNextPage: found.length > first,
      hasPreviousPage: false,
      startCursor: shown.length ? cursor(shown[0]) : null,
      endCursor: shown.length ? cursor(shown.at(-1)) : null,
    },
    totalCount,
  };
};

// Without their cache: each key comes once a page, so remembering it would only cost.
const batched = (loader) => ({ loader, opts: { cache: false } });

const document = textOf(
  process.env.PAGE === "light"
    ? "../documents/LightPage.graphql"
    : "../../graphql_api/documents/ProductPage.graphql",
);
const app = Fastify({ logger: false });
app.register(mercurius, {
  schema: textOf("../../graphql_api/schema/schema.graphql"),
  resolvers: {
    Query: {
      product: async (_, { id }) => {
        const [row] = await rows("product", PRODUCT, [id]);
        return row ? product(row) : null;
      },
    },
  },
  loaders: {
    Product: {
      characteristics: batched(async (queries) => {
        const keys = queries.map(({ obj }) => obj.productId);
        const found = await rows("characteristics", CHARACTERISTICS, [keys]);
        return grouped(keys, found, (row) => row.product_id).map((group) => group.map(characteristic));
      }),
      reviews: batched(async (queries) => {
        const keys = queries.map(({ obj }) => obj.productId);
        const { first } = queries[0].params;
        const found = await rows("reviews", REVIEWS, [keys, first + 1]);
        const groups = grouped(keys, found, (row) => row.product_id);
        return queries.map(({ obj }, place) => connection(groups[place], first, obj.ratingSummary.count));
      }),
    },
    Review: {
      photos: batched((queries) =>
        ofReviews("photos", PHOTOS, queries, (row) => ({
          id: globalId("Photo", row.product_id, row.review_id, row.photo_id),
          photoId: row.photo_id,
          url: row.url,
        })),
      ),
      characteristicRatings: batched((queries) =>
        ofReviews("ratings", RATINGS, queries, (row) => ({
          value: row.value,
          label: labels[row.kind][row.value - 1],
          characteristic: { kind: row.kind },
        })),
      ),
    },
  },
  persistedQueries: { [hashOf(document)]: document },
  jit: 1,
  graphiql: false,
});

await app.listen({ host: "127.0.0.1", port });
