// PostGraphile on the views of postgraphile.sql, with what the page works out of kept figures as fields of its own.
import { createServer } from "node:http";

import { PersistedPlugin } from "@grafserv/persisted";
import { lambda } from "grafast";
import { extendSchema } from "graphile-utils";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { postgraphile } from "postgraphile";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

import { connections, hashOf, labels, mean, port, rated, ratingSummary, textOf } from "./page.js";

const document = textOf(
  process.env.PAGE === "light" ? "./postgraphile-light.graphql" : "./postgraphile.graphql",
);

/** What the page works out of columns: each a function of one value, which knows no other row. */
const derived = ($value, derive) => lambda($value, derive, true);

const figures = extendSchema({
  typeDefs: `
    type RatingCount { rating: Int! count: Int! }
    type RatingSummary {
      average: Float
      count: Int!
      histogram: [RatingCount!]!
      recommendedCount: Int!
      recommendedRatio: Float
    }
    type RatedCharacteristic { kind: String! }
    extend type Product { ratingSummary: RatingSummary! }
    extend type Characteristic {
      average: Float
      count: Int!
      distribution: [Int!]!
      labels: [String!]!
    }
    extend type Rating { label: String! characteristic: RatedCharacteristic! }
  `,
  objects: {
    Product: { plans: { ratingSummary: ($product) => derived($product.get("counts"), ratingSummary) } },
    Characteristic: {
      plans: {
        average: ($characteristic) => derived($characteristic.get("counts"), mean),
        count: ($characteristic) => derived($characteristic.get("counts"), rated),
        distribution: ($characteristic) => $characteristic.get("counts"),
        labels: ($characteristic) => derived($characteristic.get("kind"), (kind) => labels[kind]),
      },
    },
    Rating: {
      plans: {
        label: ($rating) =>
          lambda([$rating.get("kind"), $rating.get("value")], ([kind, value]) => labels[kind][value - 1], true),
        characteristic: ($rating) => $rating,
      },
    },
    RatedCharacteristic: { plans: { kind: ($rating) => $rating.get("kind") } },
  },
});

const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [PersistedPlugin, figures],
  disablePlugins: ["PgMutationCreatePlugin", "PgMutationUpdateDeletePlugin"],
  pgServices: [makePgService({ schemas: ["peers"], poolConfig: { max: connections } })],
  grafserv: {
    graphqlOverGET: true,
    graphiql: false,
    persistedOperations: { [hashOf(document)]: document },
    outputDataAsString: true,
  },
  grafast: { explain: false },
};

const instance = postgraphile(preset);
const server = createServer();
await instance.createServ(grafserv).addTo(server);
server.listen(port, "127.0.0.1");
