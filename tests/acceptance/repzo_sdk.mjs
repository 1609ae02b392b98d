// Drives the vendor's own SDK against the server of the first argument, with the API key of the second; says what it
// got as JSON, one member for each service. Runs in a folder in which `repzo` is installed.
import Repzo from "repzo";

const [url, key] = process.argv.slice(2);
const repzo = new Repzo(key, { timeout: 10000, retryAttempts: 1 });
repzo.svAPIEndpoint = url;

const cycles = {
  client: [{ name: "Harbour Deli", city: "Aqaba", disabled: false }, { city: "Irbid" }],
  brand: [{ name: "Sun & Stone", company_namespace: ["cedarandsalt"] }, { local_name: "شمس" }],
  tag: [{ name: "Open late", disabled: false, company_namespace: ["cedarandsalt"] }, { disabled: true }],
  tax: [{ name: "Reduced", rate: 0.08, type: "additive", company_namespace: ["cedarandsalt"] }, { rate: 0.1 }],
  warehouse: [{ name: "Depot South", company_namespace: ["cedarandsalt"] }, { disabled: true }],
};

const refusal = async (promise) => {
  try {
    return { status: 200, data: await promise };
  } catch (error) {
    return { status: error.response?.status, data: error.response?.data };
  }
};

const told = {};
for (const [service, [body, changes]] of Object.entries(cycles)) {
  const created = await repzo[service].create(body);
  told[service] = {
    body,
    changes,
    created,
    found: await repzo[service].find({ name: body.name, per_page: 5 }),
    page: await repzo[service].find({ page: 1, per_page: 1, sort: "_id", sortPageOrder: "dsc" }),
    got: await repzo[service].get(created._id),
    updated: await repzo[service].update(created._id, changes),
    removed: await repzo[service].remove(created._id),
    left: await repzo[service].find({ name: body.name }),
    gone: await refusal(repzo[service].get(created._id)),
  };
}
const stranger = new Repzo("nobody's key", { retryAttempts: 1 });
stranger.svAPIEndpoint = url;
told.unknown = await refusal(stranger.client.find({}));
console.log(JSON.stringify(told));
