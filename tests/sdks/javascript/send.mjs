// Sends events and asks for access with the SDKs of CloudEvents and OpenMeter, and prints what was answered.
//
//     node send.mjs URL KEY
//
// The wallet `sdk-openmeter-javascript` is to have credits for the feature `calls`, and `sdk.call` a price.

import { OpenMeter, isHTTPError } from "@openmeter/sdk";
import { CloudEvent, HTTP, Mode, emitterFor, httpTransport } from "cloudevents";

const [url, key] = [process.argv[2].replace(/\/$/, ""), process.argv[3]];
const at = "2026-01-02T03:04:05.678+02:00";
const data = { tokens: 3, model: "small", note: "Zoë 😀" };
const saw = [];

async function cloudevents() {
  const headers = { Authorization: `Bearer ${key}` };
  const event = (id, others) => {
    const must = { id, source: "/sdk/cloudevents", type: "sdk.call", wallet: "sdk-cloudevents-javascript" };
    return new CloudEvent({ ...must, subject: "Zoë", time: at, data, ...others });
  };
  const post = async (step, message) => {
    const request = { method: "POST", headers: { ...message.headers, ...headers }, body: message.body };
    const answer = await fetch(`${url}/v1/events`, request);
    saw.push({ step, status: answer.status, body: await answer.json() });
  };
  await post("1, binary", HTTP.binary(event("1")));
  await post("1, binary", HTTP.binary(event("1")));
  await post("2, structured", HTTP.structured(event("2")));
  await post("3, binary", HTTP.binary(event("3", { datacontenttype: "text/plain", data: "seven" })));
  await post("4, binary", HTTP.binary(event("4", { datacontenttype: "text/plain", data: new Uint8Array([0, 255]) })));
  const octets = { datacontenttype: "application/octet-stream", data: undefined, data_base64: "AP8=" };
  await post("5, structured", HTTP.structured(event("5", octets)));
  const [first, second] = ["6-0", "6-1"].map((id) => HTTP.structured(event(id)).body);
  const batch = { "content-type": "application/cloudevents-batch+json; charset=utf-8" };
  await post("6, batched", { headers: batch, body: `[${first},{"specversion":"1.0","id":"bad"},${second}]` });

  // What the SDK sends by itself, of whose answers it gives no status.
  for (const mode of [Mode.BINARY, Mode.STRUCTURED]) {
    const emit = emitterFor(httpTransport(`${url}/v1/events`), { mode });
    const answer = await emit(event(`7-${mode}`), { headers });
    saw.push({ step: `7, ${mode}, emitted`, body: JSON.parse(answer.body) });
  }
}

async function openmeter() {
  const payer = "sdk-openmeter-javascript";
  const see = async (step, call) => {
    try {
      saw.push({ step, answer: (await call()) ?? null });
    } catch (error) {
      if (!isHTTPError(error)) throw error;
      const { message, type, title, status } = error;
      saw.push({ step, error: { message: message.replaceAll(url, ""), type, title, status } });
    }
  };
  const event = (id, others) => ({ id, type: "sdk.call", subject: payer, time: new Date(at), data, ...others });
  const client = new OpenMeter({ baseUrl: url, apiKey: key });
  await see("event", () => client.events.ingest(event("1")));
  await see("again", () => client.events.ingest(event("1")));
  await see("with defaults", () => client.events.ingest({ type: "sdk.call", subject: payer, data }));
  await see("nothing but null", () => client.events.ingest(event("2", { time: null, data: null, dataschema: null })));
  await see("batch", () => client.events.ingest([event("3"), event("4")]));
  await see("bad", () => client.events.ingest(event("bad", { specversion: "0.3" })));
  await see("one bad", () => client.events.ingest([event("5"), event("bad", { specversion: "0.3" })]));
  const { entitlements, entitlementsV1 } = client.customers;
  await see("value", () => entitlements.value(payer, "calls"));
  await see("value, version 1", () => entitlementsV1.value(payer, "calls"));
  await see("value of no feature", () => entitlements.value(payer, "no such feature"));
  await see("value of nobody", () => entitlements.value("nobody/at all", "calls"));
  await see("access", () => client.customers.getAccess(payer));
  await see("access of nobody", () => client.customers.getAccess("nobody"));
  const other = new OpenMeter({ baseUrl: url, apiKey: `${key}x` });
  await see("another key", () => other.events.ingest(event("6")));
  await see("access with another key", () => other.customers.getAccess(payer));
}

await cloudevents();
await openmeter();
console.log(JSON.stringify(saw, null, 1));
