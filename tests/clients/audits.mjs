// Runs the audits of graphql-http against an endpoint: node audits.mjs URL
import { auditServer } from "graphql-http";

const results = await auditServer({ url: process.argv[2] });
const plain = results.map(async ({ id, name, status, reason, response }) => ({
  id,
  name,
  status,
  reason: reason ?? null,
  answer: response ? `${response.status} ${await response.text().catch(() => "(body was read)")}` : null,
}));
console.log(JSON.stringify(await Promise.all(plain)));
