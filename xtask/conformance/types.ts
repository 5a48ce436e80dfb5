// What the types of openapi-typescript, in `./schema`, have to accept and to reject. A line below
// `@ts-expect-error` that compiles is an error.

import type { components, operations } from "./schema";

type Schemas = components["schemas"];
type Body<Id extends "run_tests" | "trigger_auto_generate"> =
  operations[Id]["requestBody"]["content"]["application/json"];

const tests: Body<"run_tests"> = { testIds: ["id1"] };
const generation: Body<"trigger_auto_generate"> = {
  prNumber: 42,
  repoName: "acme-co/webapp",
  branch: "feature/checkout-redesign",
};
const started: operations["trigger_auto_generate"]["responses"][202] extends {
  content: { "application/json": Schemas["GenerationStarted"] };
}
  ? true
  : false = true;
const newState: Schemas["RunState"] = "paused";

// @ts-expect-error A required field is missing.
const noTests: Body<"run_tests"> = {};
// @ts-expect-error The number of a pull request is not a string.
const textual: Body<"trigger_auto_generate"> = { ...generation, prNumber: "42" };
// @ts-expect-error A list is not a string.
const list: Schemas["TestRunResults"]["tests"] = "none";

export { generation, list, newState, noTests, started, tests, textual };
