// urql with its exchange for persisted operations: node urql.mjs URL
import { cacheExchange, createClient, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { document, recordedFetch, visit } from "./wire.mjs";

const client = createClient({
  url: process.argv[2],
  fetch: recordedFetch,
  preferGetMethod: false,
  exchanges: [
    cacheExchange,
    persistedExchange({ preferGetForPersistedQueries: true, enableForMutation: true }),
    fetchExchange,
  ],
});

await visit(async ({ name, variables }) => {
  const asked = document(name);
  const isMutation = /^mutation /m.test(asked);
  const { data, error } = isMutation
    ? await client.mutation(asked, variables).toPromise()
    : await client.query(asked, variables).toPromise();
  if (error) throw error;
  return data;
});
