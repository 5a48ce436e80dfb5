// The page on `/docs`: shows the API's description.

import { element } from "/mock/element.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
const api = await (await fetch("/openapi.json")).json();
const nameOf = part => part.$ref?.split("/").pop();
const resolved = part => part.$ref
  ? part.$ref.slice(2).split("/").reduce((at, key) => at[key.replaceAll("~1", "/").replaceAll("~0", "~")], api)
  : part;

// Renders the Markdown that the descriptions use: paragraphs, lists and code.
function prose(text = "") {
  const inline = line => line.split("`").map((part, index) => index % 2 ? element("code", null, part) : part);
  return text.trim().split(/\n\s*\n/).filter(Boolean).map(block => {
    const [first, ...items] = block.split(/(?:^|\n)\s*- /);
    const paragraph = first ? [element("p", null, inline(first.replaceAll("\n", " ")))] : [];
    return items.length
      ? [...paragraph, element("ul", null, items.map(item => element("li", null, inline(item.replaceAll("\n", " ")))))]
      : paragraph;
  }).flat();
}

const badge = part => part["x-provenance"] ? element("i", { title: "how well this part is known" }, part["x-provenance"]) : null;

function typeOf(schema) {
  const own = resolved(schema);
  const name = nameOf(schema);
  if (own.enum) return own.enum.map(value => JSON.stringify(value)).join(" | ");
  const choices = own.anyOf ?? own.oneOf;
  if (choices) return [...new Set(choices.map(typeOf))].join(" or ");
  if (own.allOf) return own.allOf.map(typeOf).join(" and ");
  const type = own.type === "array" ? `list of ${typeOf(own.items)}` : own.type ?? "any value";
  const nullable = own.nullable ? ", or null" : "";
  return type + (name ? ` (${name})` : "") + nullable;
}

// Returns the fields of a schema, also of the items of a list and of each choice.
function fields(schema, depth = 0) {
  const own = resolved(schema);
  if (depth > 8) return [];
  const inner = [own.items, ...(own.anyOf ?? []), ...(own.oneOf ?? []), ...(own.allOf ?? [])].filter(Boolean);
  const rows = Object.entries(own.properties ?? {}).map(([name, field]) =>
    row(name, field, field, own.required?.includes(name), depth));
  return [...(rows.length ? [element("ul", { className: "fields" }, rows)] : []), ...inner.flatMap(part => fields(part, depth + 1))];
}

function row(name, part, schema, isRequired, depth) {
  const { description } = { ...resolved(schema), ...part };
  return element("li", null, element("code", null, name), element("small", null, ` ${typeOf(schema)}${isRequired ? ", required" : ""} `),
    badge(part), prose(description), fields(schema, depth + 1));
}

function content(part) {
  return Object.entries(part.content ?? {}).map(([type, media]) => [
    element("p", null, element("small", null, `${type}: ${typeOf(media.schema ?? {})}`)),
    fields(media.schema ?? {}),
    Object.values(media.examples ?? {}).map(resolved).map(example => element("details", null,
      element("summary", null, `Example: ${example.summary ?? ""} `, badge(example)),
      element("pre", { tabIndex: 0 }, typeof example.value === "string" ? example.value : JSON.stringify(example.value, null, 2)))),
  ]);
}

function response([status, given]) {
  const own = resolved(given);
  const headers = Object.entries(own.headers ?? {}).map(([name, header]) => [name, resolved(header)]);
  return element("details", null,
    element("summary", null, element("b", { className: `state ${status < "400" ? "passed" : "failed"}` }, status), ` ${own.description?.trim().split("\n\n")[0] ?? ""} `, badge(own)),
    prose(own.description?.trim().split("\n\n").slice(1).join("\n\n")),
    headers.length ? element("ul", { className: "fields" }, headers.map(([name, header]) => row(name, header, header.schema ?? {}, header.required, 0))) : null,
    content(own));
}

function operation(path, shared, method, own) {
  const parameters = [...(shared.parameters ?? []), ...(own.parameters ?? [])].map(resolved);
  const body = own.requestBody && resolved(own.requestBody);
  return element("article", { id: own.operationId, "data-operation": own.operationId },
    element("h3", null, own.summary, " ", badge(own)),
    element("p", { className: "route" }, element("b", null, method.toUpperCase()), ` ${path}`, element("small", null, own.operationId)),
    prose(own.description),
    parameters.length ? [element("h4", null, "Parameters"), element("ul", { className: "fields" },
      parameters.map(one => row(`${one.name} (${one.in})`, one, one.schema ?? {}, one.required, 0)))] : [],
    body ? [element("h4", null, `Request body${body.required ? "" : ", optional"}`), prose(body.description), content(body)] : [],
    element("h4", null, "Responses"), Object.entries(own.responses).map(response));
}

const reference = document.getElementById("reference");
const contents = document.querySelector("#contents details");
contents.open = !matchMedia("(max-width: 52rem)").matches;
const all = Object.entries(api.paths).flatMap(([path, item]) =>
  METHODS.filter(method => item[method]).map(method => ({ path, item, method, own: item[method] })));
const parts = [];
const tagged = new Set(api.tags.map(tag => tag.name));
const tags = [...api.tags, ...new Set(all.map(one => one.own.tags?.[0] ?? "Other").filter(name => !tagged.has(name)))];
const [summary, ...about] = prose(api.info.description);
reference.append(element("section", null, summary, element("details", null, element("summary", null, "About the document"), about)));
for (const tag of tags.map(tag => typeof tag === "string" ? { name: tag } : tag)) {
  const section = element("section", null, element("h2", null, tag.name), prose(tag.description));
  const links = element("ul");
  for (const { path, item, method, own } of all.filter(one => (one.own.tags?.[0] ?? "Other") === tag.name)) {
    const article = operation(path, item, method, own);
    const link = element("li", null, element("a", { href: `#${own.operationId}` }, own.summary));
    section.append(article);
    links.append(link);
    parts.push({ article, link, text: `${path} ${article.textContent}`.toLowerCase() });
  }
  reference.append(section);
  contents.append(element("h2", null, tag.name), links);
}

document.getElementById("filter").addEventListener("input", event => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const { article, link, text } of parts) {
    article.hidden = link.hidden = !words.every(word => text.includes(word));
  }
  for (const section of document.querySelectorAll("#reference section, #contents ul")) {
    const inner = [...section.querySelectorAll("article, li:has(> a)")];
    section.hidden = inner.length > 0 ? inner.every(one => one.hidden) : words.length > 0;
    if (section.previousElementSibling?.matches("#contents h2")) section.previousElementSibling.hidden = section.hidden;
  }
});
// The target of the address did not exist when the browser looked for it.
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
