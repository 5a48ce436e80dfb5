// The page on `/`: shows the mock server's state, starts runs, and sends scripts and faults.

import { element } from "/mock/element.js";

const BASE = "/public-api";
const byId = id => document.getElementById(id);
const [start, fault] = [byId("start"), byId("fault")];
// The paths of the statuses that the page polls until they are final, as a client does.
const polled = new Set();
let filled = false;

fault.querySelector("details").open = !matchMedia("(max-width: 52rem)").matches;
byId("url").textContent = location.origin + BASE;

// An error stays until the next message.
let expiry;
function say(text, isError = false) {
  byId("message").textContent = text;
  byId("message").className = isError ? "bad" : "";
  clearTimeout(expiry);
  if (!isError) expiry = setTimeout(() => say(""), 8000);
}

async function send(method, path, body) {
  const isApi = path.startsWith(BASE);
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  if (isApi) headers.authorization = `Bearer ${start.elements.key.value}`;
  const response = await fetch(path, {
    method, headers, body: JSON.stringify(body), signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  let json = {};
  try { json = JSON.parse(text); } catch { /* A fault may respond with anything. */ }
  if (!response.ok) {
    const error = new Error(`status ${response.status}${json.message ? `: ${json.message}` : ""}`);
    error.status = response.status;
    throw error;
  }
  return json;
}

// Runs an action of the person, and shows how it fails.
async function act(what, action) {
  try {
    say(await action() ?? "");
  } catch (error) {
    say(`${what}: ${error.message}`, true);
  }
  await refresh();
}

const list = text => text.split(",").map(id => id.trim()).filter(Boolean);
const checked = name => [...start.querySelectorAll(`[name=${name}]:checked`)].map(box => box.value);

function script() {
  const value = name => start.elements[name].value;
  const script = {};
  const fails = [...checked("fail"), ...list(value("fails"))];
  if (fails.length) script.failTests = fails;
  if (value("endState")) script.endState = value("endState");
  if (value("pace") === "polls") script.runningPolls = Math.round(Number(value("amount")));
  if (value("pace") === "seconds") script.runningSeconds = Number(value("amount"));
  if (value("pace") === "forever") script.neverFinishes = true;
  return script;
}

function startRequest() {
  const value = name => start.elements[name].value;
  const body = {};
  if (start.elements.heal.checked) {
    const repoName = value("repository").trim();
    body.autoHeal = repoName ? { autoCreatePR: true, repoName } : { autoCreatePR: false };
  }
  switch (value("selection")) {
    case "collection":
      return [`/v1/execution/collection/${encodeURIComponent(value("collection"))}`, body];
    case "tests":
      return ["/v1/execution/tests", { testIds: [...checked("test"), ...list(value("tests"))], ...body }];
    case "grep": {
      const lines = value("env").split("\n").filter(line => line.includes("="));
      const env = lines.map(line => [line.slice(0, line.indexOf("=")).trim(), line.slice(line.indexOf("=") + 1)]);
      if (env.length) body.envOverrides = Object.fromEntries(env);
      if (value("branch")) body.branch = value("branch");
      if (value("shards")) body.shardCount = Number(value("shards"));
      return ["/v2/execution/grep", { grep: value("grep"), ...body }];
    }
    default:
      if (value("suites")) body.suiteIds = list(value("suites"));
      return ["/v1/execution/suite", body];
  }
}

const statusOfRun = run => run.jobName
  ? `${BASE}/v2/execution/status/${encodeURIComponent(run.jobName)}`
  : `${BASE}/v1/execution/status/run/${encodeURIComponent(run.testRunId)}`;
const statusOfBatch = batch =>
  `${BASE}/v1/auto-${batch.kind === "healing" ? "heal" : "generate"}/batch/${encodeURIComponent(batch.batchId)}`;

start.addEventListener("submit", event => {
  event.preventDefault();
  const onlyScript = event.submitter?.value === "script";
  act(onlyScript ? "The script was rejected" : "The run did not start", async () => {
    const scripted = script();
    if (onlyScript || Object.keys(scripted).length) await send("POST", "/mock/next-runs", scripted);
    if (onlyScript) return "The next run follows the script.";
    const [path, body] = startRequest();
    const run = await send("POST", BASE + path, body);
    const id = run.name ?? run.runId;
    if (!id) throw new Error("the response names no run");
    polled.add(statusOfRun({ jobName: run.name, testRunId: run.runId }));
    return `Started ${id}.`;
  });
});

// Returns the fields that are shown and filled. Each has the name that the control route reads.
function faultBody() {
  const body = {};
  for (const { name, type, value, checked } of fault.querySelectorAll("[name]:enabled")) {
    if (name === "times" && value === "") body.always = true;
    if (type === "checkbox" ? !checked : value === "") continue;
    if (name === "retryAfter") body.headers = { "retry-after": value };
    else if (name === "fields") body.fields = JSON.parse(value);
    else body[name] = type === "checkbox" || (type === "number" ? Number(value) : value);
  }
  return body;
}

fault.addEventListener("submit", event => {
  event.preventDefault();
  const kind = fault.elements.kind.value;
  act("The fault was rejected", async () => {
    if (kind === "outage") await send("POST", "/mock/outage", { seconds: Number(fault.elements.seconds.value) });
    else await send("POST", "/mock/faults", faultBody());
    return "The fault is injected.";
  });
});

byId("clear").addEventListener("click", () => act("The faults remain", () => send("DELETE", "/mock/faults").then(() => "")));
byId("scripts").querySelector("button").addEventListener("click", () => act("The scripts remain", () => send("DELETE", "/mock/next-runs").then(() => "")));

// Shows the fields that belong to what is selected. Hidden fields are disabled, so that they need no value.
function adapt(form, state) {
  const show = (part, isShown) => {
    part.hidden = !isShown;
    for (const field of part.querySelectorAll("input, select, textarea")) field.disabled = !isShown;
  };
  if (form === fault) {
    const kind = state.faultKinds.find(kind => kind.name === form.elements.kind.value);
    // Every kind has these; refused connections are no fault of a request.
    const fields = kind ? ["kind", ...kind.fields] : ["seconds"];
    for (const part of form.querySelectorAll("[data-field]")) show(part, fields.includes(part.dataset.field));
    return;
  }
  for (const part of form.querySelectorAll("[data-for]")) {
    show(part, part.dataset.for === form.elements.selection.value && (state.isObserved || !("observed" in part.dataset)));
  }
  show(form.querySelector("[data-heal]"), form.elements.heal.checked);
  show(form.querySelector("[data-pace]"), ["seconds", "polls"].includes(form.elements.pace.value));
}

function fill(state) {
  filled = true;
  const option = ([value, label]) => element("option", { value }, label);
  start.elements.collection.append(...state.collections.map(([id, name]) => option([id, `${name} (${id})`])));
  fault.elements.kind.prepend(...state.faultKinds.map(({ name, label }) => option([name, label])));
  fault.elements.kind.value = "status";
  fault.elements.operationId.append(...state.operations.map(id => option([id, id])));
  for (const box of start.querySelectorAll("[data-tests]")) {
    box.append(...state.tests.map(([value, title]) =>
      element("label", { className: "check" }, element("input", { type: "checkbox", name: box.dataset.tests, value }), ` ${title}`)));
  }
  for (const form of [start, fault]) {
    form.addEventListener("change", () => adapt(form, state));
    adapt(form, state);
  }
}

// Makes the list show the items. Items that are the same keep their elements, so that what is open stays open.
function update(parent, items, key, render, empty) {
  const before = new Map([...parent.children].map(row => [row.dataset.key, row]));
  const rows = items.map(item => {
    const [id, text] = [String(key(item)), JSON.stringify(item)];
    const known = before.get(id);
    if (known?.json === text) return known;
    const row = render(item);
    Object.assign(row, { json: text }).dataset.key = id;
    if (known?.querySelector("details")?.open) row.querySelector("details").open = true;
    if (known?.contains(document.activeElement)) row.focusNext = true;
    return row;
  });
  if (!rows.length) rows.push(before.get("none") ?? element("li", { className: "empty", "data-key": "none" }, empty));
  for (const row of [...parent.children]) if (!rows.includes(row)) row.remove();
  rows.forEach((row, index) => {
    if (parent.children[index] !== row) parent.insertBefore(row, parent.children[index] ?? null);
    if (row.focusNext) row.querySelector("button, summary, a")?.focus();
    row.focusNext = false;
  });
}

const state = text => element("b", { className: `state ${text}` }, text);
const counts = of => ["passed", "failed", "recovered", "bug"].filter(name => of[name] !== undefined).map(name => `${of[name]} ${name}`).join(", ");

function pollButton(path, name) {
  const isPolled = polled.has(path);
  return element("button", {
    type: "button", "aria-pressed": String(isPolled), "aria-label": `Poll ${name} until it finishes`,
    onclick: () => { if (!polled.delete(path)) polled.add(path); refresh(); },
  }, "Poll");
}

function renderRun(run) {
  const name = run.jobName ?? run.testRunId;
  const actions = [];
  if (!run.isFinished) actions.push(pollButton(statusOfRun(run), name));
  else {
    actions.push(element("a", { href: `/files/${run.testRunId}/report.html` }, "Report"));
    if (run.failed > 0) actions.push(element("button", { type: "button", "aria-label": `Heal ${name}`, onclick: () => act("Healing did not start", async () => {
      const batch = await send("POST", `${BASE}/v1/auto-heal`, { testRunId: run.testRunId, autoCreatePR: false });
      polled.add(statusOfBatch({ ...batch, kind: "healing" }));
      return `Started ${batch.batchId}.`;
    }) }, "Heal"));
  }
  return element("li", null, state(run.status), element("div", null, element("b", null, name), element("small", null, counts(run)), element("small", null, run.testRunId)), element("div", { className: "actions" }, actions));
}

function renderBatch(batch) {
  const done = `${batch.kind}, ${batch.completedCount} of ${batch.totalSessions} sessions completed, ${batch.failedCount} failed`;
  const sessions = batch.sessions.map(one => element("small", null, `${one.sessionId} ${one.status} ${one.checksumTestId ?? ""} ${one.prUrl ?? ""}`));
  return element("li", null, state(batch.status), element("div", null, element("b", null, batch.batchId), element("small", null, done), sessions),
    element("div", { className: "actions" }, batch.allTerminal ? [] : pollButton(statusOfBatch(batch), batch.batchId)));
}

function renderRequest(request) {
  const status = request.status ?? "…";
  const kind = !request.status ? "" : request.status < 400 ? "passed" : "failed";
  const target = request.path + (request.query === null ? "" : `?${request.query}`);
  const lines = request.headers.map(([name, value]) => `${name}: ${value}`);
  if (request.body !== null) lines.unshift(typeof request.body === "string" ? request.body : JSON.stringify(request.body, null, 2), "");
  return element("li", null, element("details", null,
    element("summary", null, element("b", { className: `state ${kind}` }, String(status)), element("span", null, element("b", null, request.method), ` ${target}`),
      element("small", null, `${request.operationId ?? "no operation"}, ${request.at.toFixed(1)} s`)),
    element("pre", { tabIndex: 0 }, lines.join("\n"))));
}

function show(state) {
  if (!filled) fill(state);
  // The button says whether the page polls, so that it is a part of what is shown.
  const polls = path => ({ isPolled: polled.has(path) });
  update(byId("runs"), state.runs.map(run => ({ ...run, ...polls(statusOfRun(run)) })), run => run.testRunId, renderRun, "No run has been started.");
  update(byId("batches"), state.batches.map(batch => ({ ...batch, ...polls(statusOfBatch(batch)) })), batch => batch.batchId, renderBatch, "Nothing has been healed or generated.");
  const isPoll = request => /^get_(run_status|\w+_batch)/.test(request.operationId ?? "") && request.status < 400;
  update(byId("requests"), state.requests.filter(request => byId("polls").checked || !isPoll(request)), request => request.number, renderRequest, "No request has been received.");
  update(byId("faults"), state.faults.map((text, index) => [index, text]), ([index]) => index, ([, text]) => element("li", null, text), "No fault is active.");
  byId("clear").hidden = !state.faults.length;
  byId("scripts").hidden = !state.nextRuns;
  byId("scripts").firstElementChild.textContent = `Scripts that wait for a run: ${state.nextRuns}`;
  byId("count").textContent = state.requestCount > state.requests.length ? `latest ${state.requests.length} of ${state.requestCount}` : String(state.requestCount);
}

async function refresh() {
  const connection = byId("connection");
  const report = (text, kind) => { if (connection.textContent !== text) Object.assign(connection, { textContent: text, className: kind }); };
  try {
    const response = await fetch("/mock/state", { signal: AbortSignal.timeout(5_000) });
    show(await response.json());
    report("connected", "good");
  } catch {
    report("not reachable, trying again", "bad");
  }
}

// Polls each status once. It stops where the work has ended, or is not known any more.
async function pollAll() {
  await Promise.all([...polled].map(async path => {
    try {
      const status = await send("GET", path);
      const isFinal = status.isTerminal ?? status.allTerminal ?? !["queued", "running"].includes(status.status);
      // A fault may respond without a status.
      if (status.status && isFinal) {
        polled.delete(path);
        say(`${decodeURIComponent(path.split("/").pop())}: ${status.status}`, !["passed", "healed", "completed"].includes(status.status));
      }
    } catch (error) {
      if (error.status === 404 || error.status === 401) polled.delete(path);
    }
  }));
}

async function every(milliseconds, action) {
  for (;;) {
    await action();
    await new Promise(resolve => setTimeout(resolve, milliseconds));
  }
}

byId("polls").addEventListener("change", refresh);
every(700, refresh);
every(1000, pollAll);
