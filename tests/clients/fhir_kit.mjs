// What a JavaScript client finds at the gateway, as JSON: fhir-kit-client, asked for each thing once.
import { Client } from 'fhir-kit-client';

const [baseUrl, bearerToken, task] = process.argv.slice(2);
const client = new Client({ baseUrl, bearerToken });
const found = {};

const statement = await client.capabilityStatement();
found.version = statement.fhirVersion;
found.smart = Object.keys(await client.smartAuthMetadata());

found.pages = [];
let bundle = await client.search({ resourceType: 'Task', searchParams: { _count: 2 } });
while (bundle) {
  found.pages.push((bundle.entry ?? []).map((entry) => entry.resource.id));
  bundle = bundle.link.some((link) => link.relation === 'next') ? await client.nextPage({ bundle }) : null;
}

const read = await client.read({ resourceType: 'Task', id: task });
const patient = await client.resolve({ reference: read.for.reference });
found.patient = patient.resourceType;
found.named = patient.name.length > 0;

const included = await client.search({ resourceType: 'Task', searchParams: { _id: task, _include: 'Task:patient' } });
found.included = included.entry.map((entry) => entry.resource.resourceType);

const options = { headers: { 'If-Match': `W/"${read.meta.versionId}"` } };
const saved = await client.update({ resourceType: 'Task', id: task, body: { ...read, status: 'accepted' }, options });
found.status = saved.status;
try {
  await client.update({ resourceType: 'Task', id: task, body: { ...read, status: 'in-progress' }, options });
} catch (error) {
  found.refused = error.response.status;
}
const jsonPatch = [{ op: 'replace', path: '/status', value: 'in-progress' }];
const again = { headers: { 'If-Match': `W/"${saved.meta.versionId}"` } };
found.patched = (await client.patch({ resourceType: 'Task', id: task, jsonPatch, options: again })).status;

try {
  await client.read({ resourceType: 'Patient', id: 'none' });
} catch (error) {
  found.missing = [error.response.status, error.response.data.resourceType];
}
console.log(JSON.stringify(found));
