// What every client program shares: its orders come on standard input, what went over the wire is written down, and
// one line of JSON on standard output says what was seen.
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";

const DOCUMENTS = new URL("../../graphql_api/documents/", import.meta.url);

let exchanges = [];

// The text of a document of the front end.
export const document = (name) => readFileSync(new URL(`${name}.graphql`, DOCUMENTS), "utf8");

// `fetch`, with every request and its answer written down.
export async function recordedFetch(url, init) {
  const sent = new Request(url, init);
  const body = await sent.clone().text();
  const response = await fetch(sent);
  exchanges.push({
    method: sent.method,
    url: sent.url,
    sent_headers: Object.fromEntries(sent.headers),
    parameters: body ? JSON.parse(body) : parametersOf(new URL(sent.url)),
    status: response.status,
    headers: Object.fromEntries(response.headers),
    answer: await response.clone().json(),
  });
  return response;
}

// Runs the operations `[{name, variables}]` of standard input, one after the other, and prints what each led to.
// `run({name, variables})` gives the data that the client hands to its caller, and throws what it throws there.
export async function visit(run) {
  const operations = JSON.parse(await text(process.stdin));
  const seen = [];
  for (const operation of operations) {
    exchanges = [];
    let data = null;
    let error = null;
    try {
      data = await run(operation);
    } catch (thrown) {
      error = String(thrown);
    }
    seen.push({ name: operation.name, exchanges, data, error });
  }
  console.log(JSON.stringify(seen));
}

function parametersOf(url) {
  const parameters = Object.fromEntries(url.searchParams);
  for (const name of ["variables", "extensions"]) {
    if (name in parameters) parameters[name] = JSON.parse(parameters[name]);
  }
  return parameters;
}
