// Apollo Client with its persisted-query link: node apollo.mjs URL
import { createHash } from "node:crypto";
import { ApolloClient, HttpLink, InMemoryCache } from "@apollo/client";
import { createPersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { Kind, parse } from "graphql";
import { document, recordedFetch, visit } from "./wire.mjs";

const persisted = createPersistedQueryLink({
  sha256: (query) => createHash("sha256").update(query).digest("hex"),
  useGETForHashedQueries: true,
});
const client = new ApolloClient({
  link: persisted.concat(new HttpLink({ uri: process.argv[2], fetch: recordedFetch })),
  cache: new InMemoryCache(),
});

const isMutation = ({ definitions }) =>
  definitions.some(({ kind, operation }) => kind === Kind.OPERATION_DEFINITION && operation === "mutation");

await visit(async ({ name, variables }) => {
  const asked = parse(document(name));
  const { data } = isMutation(asked)
    ? await client.mutate({ mutation: asked, variables })
    : await client.query({ query: asked, variables });
  return data;
});
client.stop();
