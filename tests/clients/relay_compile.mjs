// Compiles the front end's documents with Relay's compiler: node relay_compile.mjs FOLDER
// FOLDER then holds the artifacts, and persisted.json, Relay's map of ids and texts.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, print } from "graphql";
import { document } from "./wire.mjs";

const folder = process.argv[2];
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const names = readdirSync(here("../../graphql_api/documents"))
  .filter((file) => file.endsWith(".graphql"))
  .map((file) => file.slice(0, -".graphql".length));

// A fragment has one module in a Relay front end, so one that two documents share is written once.
const definitions = new Map();
for (const definition of names.flatMap((name) => parse(document(name)).definitions)) {
  definitions.set(definition.name.value, print(definition));
}

mkdirSync(join(folder, "src"), { recursive: true });
for (const [name, text] of definitions) {
  writeFileSync(join(folder, "src", `${name}.js`), `import { graphql } from "relay-runtime";\n\ngraphql\`\n${text}\n\`;\n`);
}
copyFileSync(here("../../graphql_api/schema/schema.graphql"), join(folder, "schema.graphql"));
writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
writeFileSync(
  join(folder, "relay.config.json"),
  JSON.stringify({
    src: "src",
    schema: "schema.graphql",
    language: "javascript",
    artifactDirectory: "artifacts",
    eagerEsModules: true,
    persistConfig: { file: "persisted.json" },
  }),
);
mkdirSync(join(folder, "artifacts"), { recursive: true });
writeFileSync(join(folder, "persisted.json"), "{}");

const compiler = createRequire(import.meta.url)("relay-compiler");
execFileSync(compiler, ["relay.config.json", "--noWatchman", "--output", "quiet-with-errors"], { cwd: folder, stdio: "inherit" });
