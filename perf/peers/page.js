// What both peers share: where they listen, what they read, and what the page works out of kept figures.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export const port = Number(process.env.PORT);
export const connections = Number(process.env.CONNECTIONS);
/** What 1 to 5 mean, by kind of characteristic. */
export const labels = JSON.parse(process.env.LABELS);

/** The text of a file, by its address relative to this one. */
export const textOf = (place) => readFileSync(new URL(place, import.meta.url), "utf8");

/** The hash under which a document is persisted. */
export const hashOf = (text) => createHash("sha256").update(text).digest("hex");

/** A global id as the gateway spells it. */
export const globalId = (...parts) => Buffer.from(parts.join(":")).toString("base64url");

const sum = (counts) => counts.reduce((total, count) => total + count, 0);

/** The mean of the values 1, 2 … that occur `counts` times. */
export const mean = (counts) => {
  const total = sum(counts);
  return total ? counts.reduce((all, count, place) => all + (place + 1) * count, 0) / total : null;
};

/** A product's `RatingSummary`, of its 20 cells: (stars - 1) * 4 + recommended * 2 + with photos. */
export const ratingSummary = (cells) => {
  const stars = [0, 0, 0, 0, 0];
  let recommendedCount = 0;
  for (let cell = 0; cell < 20; cell += 1) {
    stars[cell >> 2] += cells[cell];
    if (cell & 2) recommendedCount += cells[cell];
  }
  const count = sum(stars);
  return {
    average: mean(stars),
    count,
    histogram: stars.map((count, place) => ({ rating: place + 1, count })),
    recommendedCount,
    recommendedRatio: count ? recommendedCount / count : null,
  };
};

/** How often a characteristic was rated. */
export const rated = sum;
