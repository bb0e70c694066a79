// Lays out an OpenAPI description. Everything is set as text, never as markup; nothing but the
// description is fetched.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function make(tag, text, parent) {
  const node = document.createElement(tag);
  if (text) node.textContent = text;
  if (parent) parent.append(node);
  return node;
}

function resolve(spec, schema, depth) {
  if (!schema || depth > 5) return schema ? "…" : null;
  if (schema.$ref) {
    const found = schema.$ref.slice(2).split("/").reduce((at, key) => (at ? at[key] : undefined), spec);
    return resolve(spec, found, depth + 1);
  }
  if (schema.properties) {
    const shape = {};
    const required = schema.required || [];
    for (const [name, inner] of Object.entries(schema.properties)) {
      shape[name + (required.includes(name) ? " *" : "")] = resolve(spec, inner, depth + 1);
    }
    return shape;
  }
  if (schema.items) return [resolve(spec, schema.items, depth + 1)];
  if (schema.enum) return schema.enum.join(" | ");
  const kind = [].concat(schema.type || "any").join(" | ");
  return schema.format ? kind + " (" + schema.format + ")" : kind;
}

function showContent(spec, title, content, parent) {
  for (const [media, body] of Object.entries(content || {})) {
    make("h4", title + " (" + media + ")", parent);
    make("pre", JSON.stringify(resolve(spec, body.schema, 0), null, 2), parent);
  }
}

function showParameters(spec, parameters, parent) {
  if (!parameters.length) return;
  make("h4", "Parameters", parent);
  const table = make("table", "", parent);
  const head = make("tr", "", make("thead", "", table));
  for (const title of ["name", "in", "type", "about"]) make("th", title, head).scope = "col";
  const rows = make("tbody", "", table);
  for (const parameter of parameters) {
    const row = make("tr", "", rows);
    make("td", parameter.name + (parameter.required ? " *" : ""), row);
    make("td", parameter.in, row);
    make("td", JSON.stringify(resolve(spec, parameter.schema, 0)), row);
    make("td", parameter.description || "", row);
  }
}

function showResponses(spec, responses, parent) {
  make("h4", "Answers", parent);
  const list = make("ul", "", parent);
  for (const [status, said] of Object.entries(responses)) {
    const answer = said.$ref ? spec.components.responses[said.$ref.split("/").pop()] : said;
    const item = make("li", "", list);
    make("code", status, item);
    item.append(" " + (answer.description || ""));
    if (/^2/.test(status)) showContent(spec, "Body", answer.content, item);
  }
}

function showOperation(spec, path, method, item, parent) {
  const operation = item[method];
  const box = make("details", "", parent);
  const summary = make("summary", "", box);
  make("span", method.toUpperCase(), summary).className = "method";
  make("code", path, summary);
  summary.append(" " + (operation.summary || ""));
  make("p", operation.description || "", box);
  for (const need of operation.security || []) {
    make("p", "Scope: " + (Object.values(need).flat().join(", ") || "any client"), box);
  }
  showParameters(spec, (item.parameters || []).concat(operation.parameters || []), box);
  showContent(spec, "Body", (operation.requestBody || {}).content, box);
  showResponses(spec, operation.responses || {}, box);
}

function show(spec, parent) {
  make("p", spec.info.description, parent);
  for (const tag of spec.tags || []) {
    const section = make("section", "", parent);
    make("h2", tag.name, section);
    make("p", tag.description || "", section);
    for (const [path, item] of Object.entries(spec.paths)) {
      for (const method of METHODS) {
        if (item[method] && (item[method].tags || []).includes(tag.name)) {
          showOperation(spec, path, method, item, section);
        }
      }
    }
  }
}

async function main() {
  const parent = document.getElementById("docs");
  const state = document.getElementById("state");
  try {
    const answer = await fetch(parent.dataset.source);
    show(await answer.json(), parent);
    state.remove();
  } catch {
    state.textContent = "The description cannot be read now.";
  }
}

main();
