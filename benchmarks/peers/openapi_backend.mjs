// openapi-backend on node's http: mocks with validation. Arguments: description, port, "quick" or nothing.
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const need = createRequire(pathToFileURL(process.cwd() + "/"));
const { OpenAPIBackend } = need("openapi-backend");
const addFormats = need("ajv-formats").default;

const [description, port, mode] = process.argv.slice(2);
const api = new OpenAPIBackend({
  definition: description,
  quick: mode === "quick",
  ajvOpts: { strict: false },
  customizeAjv: (ajv) => addFormats(ajv) && ajv,
  handlers: {
    notFound: () => ({ status: 404, mock: { message: "not found" } }),
    validationFail: (context) => ({ status: 422, mock: { message: "invalid", errors: context.validation.errors } }),
    notImplemented: (context) => context.api.mockResponseForOperation(context.operation.operationId),
  },
});
await api.init();

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const [path, query] = request.url.split("?");
  const { status, mock } = await api.handleRequest({
    method: request.method, path, query, headers: request.headers, body: Buffer.concat(chunks).toString() || undefined,
  });
  const body = mock === undefined ? "" : JSON.stringify(mock);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}).listen(Number(port), "127.0.0.1");
