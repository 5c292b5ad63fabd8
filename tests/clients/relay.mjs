// Relay's runtime on compiled documents: node relay.mjs URL FOLDER WAY
// FOLDER is what relay_compile.mjs made. WAY is the parameter that names the document, `doc_id`, `id` or `documentId`,
// or `query`, which sends the text that the map has under that id.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import relay from "relay-runtime";
import { recordedFetch, visit } from "./wire.mjs";

const { Environment, Network, RecordSource, Store, commitMutation, fetchQuery } = relay;
const [url, folder, way] = process.argv.slice(2);
const texts = JSON.parse(readFileSync(join(folder, "persisted.json"), "utf8"));

async function network({ id }, variables) {
  const response = await recordedFetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ [way]: way === "query" ? texts[id] : id, variables }),
  });
  return response.json();
}

const environment = new Environment({ network: Network.create(network), store: new Store(new RecordSource()) });

await visit(async ({ name, variables }) => {
  const artifact = pathToFileURL(join(folder, "artifacts", `${name}.graphql.js`));
  const { default: operation } = await import(artifact.href);
  if (operation.params.operationKind === "query") {
    return fetchQuery(environment, operation, variables).toPromise();
  }
  return new Promise((onCompleted, onError) => {
    commitMutation(environment, { mutation: operation, variables, onCompleted, onError });
  });
});
