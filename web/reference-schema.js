// JSON schemas as lists of members that people can read. Named schemas are linked to their own place on the page.

import { element } from "./dom.js";
import { inline, paragraphs } from "./reference-text.js";

/** A document with its references. */
export class Source {
  constructor(name, document) {
    this.name = name;
    this.document = document;
  }

  resolve(node) {
    while (node?.$ref) {
      const steps = node.$ref.replace(/^#\//, "").split("/");
      node = steps.reduce((part, step) => part[step.replaceAll("~1", "/").replaceAll("~0", "~")], this.document);
    }
    return node;
  }

  /** Where a named schema stands on the page. */
  anchor(schemaName) {
    return `${this.name}-schema-${schemaName}`;
  }

  get schemas() {
    return Object.entries(this.document.components.schemas);
  }
}

const written = (value) => element("code", {}, typeof value === "string" ? `"${value}"` : String(value));

const or = () => element("p", { class: "quiet" }, "or");
const required = () => element("span", { class: "required" }, "required");

function between(nodes, separator) {
  return nodes.flatMap((node, index) => (index ? [separator, ...[node].flat()] : [node].flat()));
}

/** The type of a schema in words: a list of nodes. */
function typeWords(source, schema) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return [element("a", { href: `#${source.anchor(name)}` }, name)];
  }
  if ("const" in schema) return [written(schema.const)];
  if (schema.enum) return between(schema.enum.map(written), " or ");
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices && !schema.properties) return between(choices.map((choice) => typeWords(source, choice)), " or ");
  if (schema.allOf && !schema.type) return typeWords(source, schema.allOf[0]);
  if (schema.type === "array") return ["array of ", ...typeWords(source, schema.items)];
  if (!schema.type) return ["anything"];
  return [[schema.type].flat().join(" or "), ...limits(schema)];
}

function limits(schema) {
  const words = [];
  if (schema.format) words.push(schema.format);
  const range = (least, most, unit) => {
    if (least === undefined && most === undefined) return;
    if (least === undefined) words.push(`at most ${most}${unit}`);
    else if (most === undefined) words.push(`at least ${least}${unit}`);
    else words.push(`${least} to ${most}${unit}`);
  };
  range(schema.minimum, schema.maximum, "");
  range(schema.minLength, schema.maxLength, " characters");
  if (schema.default !== undefined) words.push(`by default ${schema.default}`);
  return words.length ? [`, ${words.join(", ")}`] : [];
}

function counts(schema) {
  if (schema.minItems === undefined && schema.maxItems === undefined) return [];
  const [least, most] = [schema.minItems ?? 0, schema.maxItems];
  return [most === undefined ? `, at least ${least}` : `, ${least} to ${most}`];
}

/** The members of an object, or of the objects in an array; nothing for what has none of its own. */
function members(source, schema) {
  if (schema.$ref) return undefined;
  if (schema.type === "array") return members(source, schema.items);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices && !schema.properties) {
    const lists = choices.map((choice) => members(source, choice)).filter(Boolean);
    if (!lists.length) return undefined;
    return element("div", { class: "choices" }, ...lists.flatMap((list, index) => (index ? [or(), list] : [list])));
  }
  const inner = schema.properties ? Object.entries(schema.properties) : [];
  const others = schema.additionalProperties;
  if (!inner.length && typeof others === "object") inner.push(["<any name>", others]);
  if (!inner.length) return undefined;
  const rows = inner.map(([name, member]) => memberRow(source, name, member, schema.required?.includes(name)));
  return element("ul", { class: "members" }, ...rows);
}

/** A member, parameter or header: its name, type and description, with its own members below it. */
export function memberRow(source, name, schema, isRequired, description = schema.description) {
  return element(
    "li",
    {},
    element("span", { class: "name" }, element("code", {}, name), isRequired ? required() : undefined),
    element("span", { class: "type" }, ...typeWords(source, schema), ...counts(schema)),
    description && element("div", { class: "about" }, ...paragraphs(description)),
    members(source, schema),
  );
}

/** A whole schema: its type in a line, its description, its members; those of a named one, too. */
export function schemaView(source, named) {
  const schema = source.resolve(named);
  const list = members(source, schema);
  return [
    element("p", { class: "type" }, ...typeWords(source, named), ...counts(schema)),
    ...paragraphs(schema.description),
    schema.pattern && element("p", { class: "quiet" }, "Pattern: ", element("code", {}, schema.pattern)),
    list,
    ...requirements(schema),
  ];
}

/** What `allOf` and `anyOf` beside members ask for, where they do nothing but that. */
function requirements(schema) {
  return (schema.allOf ?? []).flatMap((part) => {
    const choices = (part.anyOf ?? part.oneOf ?? []).map((choice) => choice.required?.join(", ")).filter(Boolean);
    if (!choices.length) return [];
    return [element("p", { class: "about" }, ...inline(`Needs one of ${choices.map((name) => `\`${name}\``).join(", ")}.`))];
  });
}
