// Uses the mock server's page and API reference in Chromium. Arguments: the origin of the mock
// server, its API key, the path of Chromium, and the operationIds of the document. Prints what was
// seen, and exits with 1 if anything was wrong.
"use strict";
const assert = require("node:assert/strict");
const { chromium } = require("playwright-core");

const [origin, key, executablePath, ...operations] = process.argv.slice(2);
const LIMIT = 60_000;

// Opens a page with `use`, and returns what went wrong on it: errors of the console and of scripts,
// and requests to another origin.
async function problemsOf(browser, path, use, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(LIMIT);
  const page = await context.newPage();
  const problems = [];
  page.on("console", message => {
    if (["error", "warning"].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on("pageerror", error => problems.push(`script: ${error.message}`));
  page.on("request", request => {
    if (new URL(request.url()).origin !== origin) problems.push(`request to ${request.url()}`);
  });
  try {
    await page.goto(origin + path);
    await use(page);
  } finally {
    await context.close();
  }
  return problems;
}

const row = (page, list, text) => page.locator(`#${list} > li`).filter({ hasText: text });

async function usePage(page) {
  const start = page.getByRole("form", { name: "Start a run" });
  const startRun = start.getByRole("button", { name: "Start the run", exact: true });
  await page.getByText("connected", { exact: true }).waitFor();
  await start.getByText("API key").click();
  await start.getByLabel("Any key").fill(key);

  // By the keyboard alone.
  await startRun.focus();
  await page.keyboard.press("Enter");
  await row(page, "runs", "job-name-12345").getByText("passed", { exact: true }).waitFor();

  const selections = [
    ["a collection", () => start.locator("[name=collection]").selectOption("collection-def-456"), "2 passed"],
    ["certain tests", () => start.getByRole("checkbox", { name: "User can sign in" }).first().check(), "1 passed"],
    ["tests by name", () => start.getByLabel("Environment").fill("PASSWORD=s3cret"), "2 passed"],
  ];
  let number = 12345;
  for (const [label, fill, counts] of selections) {
    await start.getByLabel("Selection").selectOption({ label });
    await fill();
    await startRun.click();
    await row(page, "runs", `job-name-${++number}`).getByText(counts).waitFor();
  }
  const sent = row(page, "requests", "run_grep_v2");
  await sent.locator("summary").click();
  await sent.getByText('"PASSWORD": "***"').waitFor();

  await start.getByLabel("Selection").selectOption({ label: "the whole suite" });
  await start.getByText("Script how it goes").click();
  await start.getByRole("group", { name: "Tests that fail" }).getByLabel("User can complete checkout").check();
  await startRun.click();
  const failed = row(page, "runs", `job-name-${++number}`);
  await failed.getByText("5 passed, 1 failed").waitFor();
  await failed.getByRole("button", { name: "Heal" }).click();
  await row(page, "batches", "batch-xyz-789").getByText("completed", { exact: true }).waitFor();
  await start.getByLabel("It runs").selectOption({ label: "and never finishes" });
  await startRun.click();
  await row(page, "runs", `job-name-${++number}`).getByText("running", { exact: true }).waitFor();

  const fault = page.getByRole("form", { name: "Inject a fault" });
  await fault.getByLabel("Operation").selectOption("get_project");
  await fault.getByRole("button", { name: "Inject the fault" }).click();
  await fault.getByText("status 503, get_project, once").waitFor();
  const response = await fetch(`${origin}/public-api/v1/me`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal(response.status, 503);
  await row(page, "requests", "/public-api/v1/me").getByText("503").waitFor();
  await fault.getByText("No fault is active.").waitFor();

  // Every kind can be injected as the form is, and what belongs to a kind can be set.
  const inject = async (kind, described) => {
    await fault.locator("[name=kind]").selectOption(kind);
    await fault.getByRole("button", { name: "Inject the fault" }).click();
    await row(page, "faults", described).waitFor();
  };
  const { faultKinds } = await (await fetch(`${origin}/mock/state`)).json();
  const offered = await fault.locator("[name=kind] option").evaluateAll(all => all.map(one => one.value));
  assert.deepEqual(offered, [...faultKinds.map(kind => kind.name), "outage"]);
  const begins = { "reset-in-body": "reset in the body", "slow-body": "slow body", raw: "0 raw bytes", delay: "delay of 5s" };
  for (const { name } of faultKinds) await inject(name, begins[name] ?? name.replaceAll("-", " "));
  await fault.getByLabel("At byte").fill("7");
  await fault.getByLabel("Probability").fill("0.5");
  await inject("truncated", "truncated at byte 7, get_project, once, with probability 0.5");
  await fault.getByLabel("Times").fill("");
  await inject("fields", 'fields {"status":"queued"}, get_project, always, with probability 0.5');
  await fault.getByRole("button", { name: "Remove all faults" }).click();
  await fault.getByText("No fault is active.").waitFor();

  const text = await page.content();
  assert(!text.includes("s3cret") && !text.includes(key), "the page shows a secret");
}

// A restart of the mock server, as the page sees it.
async function loseServer(page) {
  await page.getByText("connected", { exact: true }).waitFor();
  await page.route("**/mock/state", route => route.abort());
  await page.getByText("not reachable").waitFor();
  await page.unroute("**/mock/state");
  await page.getByText("connected", { exact: true }).waitFor();
}

const listOperations = expected => async page => {
  await page.locator("[data-operation]").first().waitFor();
  const listed = await page.locator("[data-operation]").evaluateAll(all => all.map(one => one.dataset.operation));
  assert.deepEqual(listed.toSorted(), expected.toSorted());
  const text = await page.locator("main").textContent();
  assert(!/\[object |undefined/.test(text) && text.includes("envOverrides"), "a part of the document is not rendered");
  await page.getByLabel("Filter").fill("get_project");
  await page.waitForFunction(() => document.querySelectorAll("article:not([hidden])").length === 1);
};

// Negative control: `use` has to fail, or to cause a problem, with this text.
async function rejects(browser, path, use, text, options) {
  let found;
  try {
    found = (await problemsOf(browser, path, use, options)).join("\n");
  } catch (error) {
    found = error.message;
  }
  assert(found.includes(text), `negative control: no "${text}" in "${found}"`);
}

async function main() {
  // Chromium's sandbox does not work for root. Nothing here is foreign.
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"], timeout: 60_000 });
  try {
    assert.deepEqual(await problemsOf(browser, "/", usePage), []);
    assert.deepEqual(await problemsOf(browser, "/docs", listOperations(operations)), []);
    const lost = await problemsOf(browser, "/", loseServer);
    assert(lost.length > 0 && lost.every(problem => problem.includes("net::ERR_FAILED")), String(lost));
    await rejects(browser, "/docs", listOperations([...operations, "unlisted"]), "unlisted");
    await rejects(browser, "/", page => page.evaluate(() => console.error("planted")), "planted");
    const elsewhere = page => page.evaluate(() => fetch("http://127.0.0.1:9/").catch(() => {}));
    await rejects(browser, "/", elsewhere, "Content Security Policy");
    await rejects(browser, "/", elsewhere, "request to http://127.0.0.1:9/", { bypassCSP: true });
  } finally {
    await browser.close();
  }
  console.log(`${operations.length} operations listed; 6 runs started; 4 mistakes found`);
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
