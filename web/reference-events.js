// The part of the page that shows asyncapi.json: channels with what goes over them in both directions, and schemas.

import { element } from "./dom.js";
import { schemaSection } from "./reference-http.js";
import { memberRow, schemaView } from "./reference-schema.js";
import { examples, inline, paragraphs } from "./reference-text.js";

/** @returns the sections of the document, as those of httpSections */
export function eventSections(source) {
  const { channels } = source.document;
  const sections = Object.entries(channels).map(([name, channel]) => ({
    title: channel.title,
    about: channel.summary,
    entries: [
      {
        id: `channel-${name}`,
        label: channel.address,
        about: "Connecting",
        method: "get",
        words: channel.description,
        render: () => channelView(source, channel),
      },
      ...messages(source, name),
    ],
  }));
  return [...sections, schemaSection(source, "Schemas of events")];
}

function channelView(source, channel) {
  const query = channel.bindings?.ws?.query;
  const rows = Object.entries(query?.properties ?? {}).map(([name, schema]) =>
    memberRow(source, name, schema, query.required.includes(name)),
  );
  return [
    ...paragraphs(channel.description),
    ...(rows.length ? [element("h4", {}, "Parameters in the query"), element("ul", { class: "members" }, ...rows)] : []),
  ];
}

/** The messages of a channel: what the hub says first, then what it hears. */
function messages(source, channelName) {
  const operations = Object.values(source.document.operations).filter(({ channel }) => channel.$ref.endsWith(`/${channelName}`));
  const said = new Map();
  const heard = new Map();
  for (const operation of operations) {
    const direction = operation.action === "send" ? said : heard;
    for (const reference of operation.messages) direction.set(reference.$ref, operation);
    for (const reference of operation.reply?.messages ?? []) {
      if (!said.has(reference.$ref)) said.set(reference.$ref, undefined);
    }
  }
  const entry = (reference, direction, operation) => {
    const message = source.resolve({ $ref: reference });
    return {
      id: `${channelName}-${reference.split("/").pop()}`,
      label: message.name,
      about: message.summary,
      tag: direction,
      words: "",
      render: () => messageView(source, message, operation?.reply),
    };
  };
  return [
    ...[...said].map(([reference]) => entry(reference, "from hub", undefined)),
    ...[...heard].map(([reference, operation]) => entry(reference, "to hub", operation)),
  ];
}

function messageView(source, message, reply) {
  const names = reply?.messages.map((reference) => source.resolve(reference).name);
  const fields = message.headers && Object.entries(message.headers.properties);
  // Over a WebSocket the data has its type beside it, which is the name of the message.
  const data = fields ? message.payload : message.payload.properties.data;
  return [
    names && element("p", {}, "Answered by ", ...inline(names.map((name) => `\`${name}\``).join(" or ")), "."),
    ...(fields
      ? [
          element("h4", {}, "Fields of the event"),
          element("ul", { class: "members" }, ...fields.map(([name, schema]) => memberRow(source, name, schema, true))),
        ]
      : []),
    element("h4", {}, "Data"),
    element("div", {}, ...schemaView(source, data)),
    ...examples(
      message.examples.map(({ payload }) => ({ value: payload })),
      message.name,
    ),
  ].filter(Boolean);
}
