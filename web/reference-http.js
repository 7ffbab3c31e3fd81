// The part of the page that shows openapi.json: operations by tag, error codes, schemas.

import { element } from "./dom.js";
import { memberRow, schemaView } from "./reference-schema.js";
import { codeBlock, curlLine, examples, inline, paragraphs } from "./reference-text.js";

const methods = ["get", "put", "post", "delete"];

/**
 * @returns {{title: string, about: string, entries: {id, label, title?, about, words, method?, tag?, render}[]}[]} the sections
 *   of the document; `render` makes what an entry shows when it is opened, `words` it can be found by
 */
export function httpSections(source) {
  const { tags, paths } = source.document;
  const sections = tags.map(({ name, description }) => ({ title: name, about: description, entries: [] }));
  for (const [path, item] of Object.entries(paths)) {
    for (const method of methods.filter((name) => item[name])) {
      const operation = item[method];
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((one) => source.resolve(one));
      sections.find(({ title }) => title === operation.tags[0]).entries.push({
        id: operation.operationId,
        label: path,
        title: operation.summary,
        about: operation.summary,
        method,
        words: Object.keys(operation.responses).join(" "),
        render: () => operationView(source, path, method, operation, parameters),
      });
    }
  }
  sections.push(errorSection(source), schemaSection(source, "Schemas of HTTP"));
  return sections;
}

function operationView(source, path, method, operation, parameters) {
  const content = operation.requestBody && source.resolve(operation.requestBody).content["application/json"];
  const bodies = content && exampleList(source, content);
  return [
    ...paragraphs(operation.description),
    codeBlock(curlLine(path, method, parameters, bodies?.[0].value), `curl for ${operation.summary}`),
    ...parameterList(source, parameters),
    ...(content
      ? [
          element("h4", {}, operation.requestBody.required ? "Body" : "Body, optional"),
          element("div", {}, ...schemaView(source, content.schema)),
          ...examples(bodies, "Body"),
        ]
      : []),
    element("h4", {}, "Answers"),
    ...Object.entries(operation.responses).map(([status, answer]) => answerView(source, status, source.resolve(answer))),
  ];
}

function parameterList(source, parameters) {
  if (!parameters.length) return [];
  const rows = parameters.map((one) => {
    const row = memberRow(source, one.name, one.schema, one.required, one.description ?? source.resolve(one.schema).description);
    row.querySelector(".name").append(element("span", { class: "place" }, one.in));
    return row;
  });
  return [element("h4", {}, "Parameters"), element("ul", { class: "members" }, ...rows)];
}

function answerView(source, status, answer) {
  const kind = status === "default" ? "other" : `s${status[0]}`;
  const inside = [];
  for (const [media, content] of Object.entries(answer.content ?? {})) {
    inside.push(element("p", { class: "quiet" }, element("code", {}, media)));
    if (content.schema && !media.startsWith("text/")) inside.push(element("div", {}, ...schemaView(source, content.schema)));
    inside.push(...examples(exampleList(source, content), `Answer ${status}`));
  }
  const headers = Object.entries(answer.headers ?? {}).map(([name, header]) => {
    const { schema, description } = source.resolve(header);
    return memberRow(source, name, schema, false, description);
  });
  if (headers.length) inside.unshift(element("ul", { class: "members" }, ...headers));
  const head = [
    element("span", { class: `status ${kind}` }, status === "default" ? "other" : status),
    element("span", {}, ...inline(answer.description)),
  ];
  if (!inside.length) return element("div", { class: "answer" }, element("p", { class: "line" }, ...head));
  return element("details", { class: "answer" }, element("summary", {}, ...head), ...inside);
}

function exampleList(source, content) {
  return Object.values(content.examples ?? {}).map((example) => source.resolve(example));
}

function errorSection(source) {
  const { examples: known, schemas } = source.document.components;
  const codes = schemas.ErrorCode.anyOf[0].enum;
  return {
    title: "Errors",
    about:
      "Every error is `application/problem+json` (RFC 9457). Decide by `error`, show people `detail`, and wait as `Retry-After` " +
      "says.",
    entries: codes.map((code) => ({
      id: `error-${code}`,
      label: code,
      about: known[code].summary,
      tag: String(known[code].value.status),
      words: "",
      render: () => examples([{ value: known[code].value }], code),
    })),
  };
}

export function schemaSection(source, title) {
  return {
    title,
    about: "",
    entries: source.schemas.map(([name, schema]) => ({
      id: source.anchor(name),
      label: name,
      about: "",
      words: Object.keys(schema.properties ?? {}).join(" "),
      render: () => schemaView(source, schema),
    })),
  };
}
