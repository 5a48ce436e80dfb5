// Calls operations through the client that OpenAPI Generator makes (typescript-fetch).
//
// usage: node drive.js BASE_URL OPERATION...
//
// The generated client has to be in `./client`. It decodes a response without a check, so each
// response is passed to the generated function that looks for the required fields. What a response
// names is used in later requests, so the operations come in the order of the document.

import * as api from "./client";

declare const process: { argv: string[]; exitCode?: number };

const [, , basePath = "", ...wanted] = process.argv;
const configuration = new api.Configuration({ basePath, accessToken: "conformance-key" });
const execution = new api.ExecutionApi(configuration);
const results = new api.ResultsApi(configuration);
const healing = new api.HealingApi(configuration);
const generation = new api.GenerationApi(configuration);
const dashboard = new api.HealthDashboardApi(configuration);

const named = { v1: "", v2: "", run: "", test: "", heal: "", generation: "" };
const autoHeal: api.AutoHeal = {
  autoCreatePR: true,
  branch: "main",
  repoName: "acme-co/my-tests",
  prNumber: 42,
};

/** Returns the response, or fails if a required field is missing. */
function decoded<T extends object>(response: T, isComplete: (value: object) => boolean): T {
  if (!isComplete(response)) {
    throw new Error(`a required field is missing: ${JSON.stringify(response)}`);
  }
  return response;
}

async function started(response: Promise<api.DispatchedRun>): Promise<string> {
  const run = decoded(await response, api.instanceOfDispatchedRun);
  named.run = run.runId ?? named.run;
  return run.name ?? "";
}

/** The operations that take something. */
const calls: Record<string, () => Promise<unknown>> = {
  run_suite: async () => {
    named.v1 = await started(execution.runSuite({ runSuiteRequest: { autoHeal } }));
  },
  run_collection: () =>
    started(
      execution.runCollection({ id: "collection-abc-123", runCollectionRequest: { autoHeal } }),
    ),
  run_tests: () =>
    started(execution.runTests({ runTestsRequest: { testIds: ["id1", "id2"], autoHeal } })),
  find_affected_tests: async () =>
    decoded(
      await execution.findAffectedTests({
        findAffectedTestsRequest: { changedFiles: ["src/cart.ts"] },
      }),
      api.instanceOfAffectedTests,
    ),
  run_grep_v2: async () => {
    named.v2 = await started(
      execution.runGrepV2({
        runGrepV2Request: {
          grep: "checkout",
          branch: "feature/preview",
          envOverrides: { BASE_URL: "https://preview.example.com" },
          autoHeal,
        },
      }),
    );
  },
  run_grep: () => started(execution.runGrep({ runGrepRequest: { grep: "checkout" } })),
  get_run_status: async () =>
    decoded(await execution.getRunStatus({ jobName: named.v1 }), api.instanceOfRunStatus),
  get_run_status_v2: async () => {
    const status = await execution.getRunStatusV2({ jobName: named.v2 });
    decoded(status, api.instanceOfRunStatusV2);
    named.run = status.testRunId ?? named.run;
  },
  get_run_status_by_run_id: async () =>
    decoded(
      await execution.getRunStatusByRunId({ runId: named.run }),
      api.instanceOfRunStatusByRunId,
    ),
  get_test_run_results: async () => {
    const found = await results.getTestRunResults({ id: named.run, status: "failed" });
    decoded(found, api.instanceOfTestRunResults);
    for (const test of found.tests) {
      named.test = decoded(test, api.instanceOfTestResult).checksumTestId;
    }
  },
  get_test_run_report: async () =>
    decoded(await results.getTestRunReport({ id: named.run }), api.instanceOfHtmlReport),
  get_test_attachments: async () =>
    decoded(
      await results.getTestAttachments({ runId: named.run, testId: named.test }),
      api.instanceOfTestAttachments,
    ),
  trigger_auto_heal: async () => {
    const batch = await healing.triggerAutoHeal({
      healRequest: {
        testRunId: named.run,
        autoCreatePR: true,
        branch: "main",
        prNumber: 42,
        repoName: "acme-co/my-tests",
        metadata: { by: "drive" },
      },
    });
    named.heal = decoded(batch, api.instanceOfHealBatchStarted).batchId;
  },
  get_heal_batch: async () =>
    decoded(await healing.getHealBatch({ batchId: named.heal }), api.instanceOfBatch),
  trigger_auto_generate: async () => {
    const batch = await generation.triggerAutoGenerate({
      generateRequest: {
        prNumber: 42,
        repoName: "acme-co/webapp",
        branch: "feature/checkout-redesign",
        envOverrides: { BASE_URL: "https://preview.example.com" },
      },
    });
    named.generation = decoded(batch, api.instanceOfGenerationStarted).batchId;
  },
  get_generation_batch: async () =>
    decoded(
      await generation.getGenerationBatch({ batchId: named.generation }),
      api.instanceOfBatch,
    ),
  list_bugs: async () =>
    decoded(
      await dashboard.listBugs({
        status: "confirmed",
        severity: "critical",
        search: "pay",
        limit: 20,
        offset: 0,
        tags: ["smoke", "checkout"],
        project: "project-abc-123",
        collectionName: "Checkout",
      }),
      api.instanceOfBugPage,
    ),
};

/** The call of an operation that takes nothing. */
function plain(operation: string): () => Promise<unknown> {
  const name = operation.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  for (const group of Object.values(api)) {
    if (typeof group === "function" && name in (group.prototype ?? {})) {
      const client = Reflect.construct(group, [configuration]);
      return async () => {
        const response: unknown = await Reflect.apply(Reflect.get(client, name), client, []);
        if (typeof response !== "object" || response === null) {
          throw new Error(`${operation}: the response is no object`);
        }
      };
    }
  }
  throw new Error(`the generated client has no ${name}`);
}

async function main(): Promise<void> {
  for (const operation of wanted) {
    const call = calls[operation] ?? plain(operation);
    await call();
    console.log(operation);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
