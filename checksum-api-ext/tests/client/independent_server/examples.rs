//! The examples of the API's description, letter for letter.

pub(super) const NAME: &str = r#"{ "name": "job-name-12345" }"#;

pub(super) const RUNNING: &str = r#"{ "status": "running" }"#;

pub(super) const COMPLETE_V1: &str = r#"{
    "status": "passed", "passed": 45, "failed": 2, "recovered": 1, "bug": 0
}"#;

pub(super) const COMPLETE_V2: &str = r#"{
    "testRunId": "00000000-0000-0000-0000-000000000000",
    "status": "passed", "passed": 45, "failed": 2, "recovered": 1, "bug": 0
}"#;

pub(super) const RESULTS: &str = r#"{
    "id": "run-id", "status": "failed", "branch": "main",
    "passed": 45, "failed": 2, "recovered": 1, "bug": 0,
    "tests": [
        {
            "checksumTestId": "test-abc-123",
            "testTitle": "User can add item to cart",
            "testFilePath": "checksum/tests/cart.spec.ts",
            "status": "passed",
            "errorMessage": null,
            "healthStatus": "healthy",
            "tags": ["smoke", "cart"]
        },
        {
            "checksumTestId": "test-def-456",
            "testTitle": "User can complete checkout",
            "testFilePath": "checksum/tests/checkout.spec.ts",
            "status": "failed",
            "errorMessage": "Timeout waiting for selector #pay-button",
            "healthStatus": "flaky",
            "tags": ["checkout"]
        }
    ]
}"#;

pub(super) const GENERATION: &str = r#"{
    "batchId": "batch-abc",
    "sessionId": "sess-xyz",
    "links": { "session": "https://app.checksum.ai/..." }
}"#;

pub(super) const HEALING: &str = r#"{
    "batchId": "batch-xyz-789",
    "sessionIds": ["sess-1", "sess-2", "sess-3"],
    "failureCount": 3,
    "testIds": ["test-abc-123", "test-def-456", "test-ghi-789"]
}"#;

pub(super) const BATCH: &str = r#"{
    "batchId": "batch-xyz-789",
    "status": "in_progress",
    "testRunId": "run-id",
    "totalSessions": 3,
    "completedCount": 1,
    "failedCount": 0,
    "allTerminal": false,
    "sessions": [
        {
            "sessionId": "sess-1",
            "checksumTestId": "test-abc-123",
            "status": "completed",
            "prUrl": "https://github.com/org/repo/pull/42"
        },
        {
            "sessionId": "sess-2",
            "checksumTestId": "test-def-456",
            "status": "running",
            "prUrl": null
        },
        {
            "sessionId": "sess-3",
            "checksumTestId": "test-ghi-789",
            "status": "running",
            "prUrl": null
        }
    ]
}"#;

pub(super) const PROJECT: &str = r#"{ "id": "project-abc-123", "name": "My Project" }"#;
