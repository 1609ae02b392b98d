// @scalar/mock-server on @hono/node-server. Arguments: description, port.
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const need = createRequire(pathToFileURL(process.cwd() + "/"));
const { serve } = await import(pathToFileURL(need.resolve("@hono/node-server")));
const { createMockServer } = await import(pathToFileURL(need.resolve("@scalar/mock-server")));

const [description, port] = process.argv.slice(2);
const app = await createMockServer({ document: description });
serve({ fetch: app.fetch, port: Number(port), hostname: "127.0.0.1" });
