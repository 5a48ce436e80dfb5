//! The rows in SQLite or Postgres: each method is one step of the state machine.

use std::sync::Arc;

use checksum_api_ext::{Checksum, Grep, Handle, StartRun};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, query, query_as, raw_sql};
use tokio::sync::Mutex;

use crate::Error;

/// `run` is the key of the handle, which identifies the run for as long as it goes on.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS runs (
    commit_id TEXT PRIMARY KEY,
    requested_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    request TEXT NOT NULL,
    state TEXT NOT NULL,
    instance BIGINT NOT NULL DEFAULT 0,
    intent TEXT,
    handle TEXT,
    run TEXT UNIQUE,
    event TEXT)";

/// What SQLite and Postgres say differently.
struct Dialect {
    /// Begins a transaction, and takes the lock of the instance, which lasts as long as the
    /// connection.
    begin: fn(i64) -> String,
    /// Whether the instance of a row, which is not this one, is dead.
    is_dead: &'static str,
    skip_locked: &'static str,
}

const SQLITE: Dialect = Dialect {
    begin: |_| "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE".to_owned(),
    is_dead: "TRUE",
    skip_locked: "",
};

/// The settings end the connection of an instance whose machine is gone, within 25 s. The lock on 0
/// is for instances that create the table at the same moment.
const POSTGRES: Dialect = Dialect {
    begin: |instance| {
        format!(
            "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;
             SET tcp_keepalives_count = 3; SET tcp_user_timeout = 25000; BEGIN;
             SELECT 1 FROM pg_advisory_xact_lock(0), pg_advisory_lock({instance})"
        )
    },
    is_dead: "pg_try_advisory_xact_lock(instance)",
    skip_locked: "FOR UPDATE SKIP LOCKED",
};

/// What is to be run.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    grep: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
}

/// A row, as people see it.
#[derive(Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) commit: String,
    pub(crate) state: String,
    pub(crate) request: Request,
    instance: String,
    intent: Option<Value>,
    run: Option<String>,
    event: Option<Value>,
}

/// The connection to the database. Clones share it.
#[derive(Clone)]
pub(crate) struct Store {
    instance: i64,
    dialect: &'static Dialect,
    connection: Arc<Mutex<AnyConnection>>,
}

impl Request {
    /// Prepares the run. Its tests get the commit as a variable.
    pub(crate) fn start(&self, checksum: &Checksum, commit: &str) -> StartRun {
        let grep = Grep::new(&self.grep).env("COMMIT", commit);
        checksum.run_grep(match &self.branch {
            None => grep,
            Some(branch) => grep.branch(branch),
        })
    }
}

impl Row {
    /// Returns whether nothing more can happen to it, unless somebody asks again.
    pub(crate) fn is_settled(&self) -> bool {
        ["finished", "may-have-started", "rejected"].contains(&self.state.as_str())
    }
}

impl Store {
    /// Connects, and creates the table if need be. Fails if the database is SQLite and another
    /// instance has it open.
    pub(crate) async fn connect(url: &str) -> Result<Self, Error> {
        install_default_drivers();
        let dialect = match url.starts_with("sqlite:") {
            true => &SQLITE,
            false => &POSTGRES,
        };
        let instance = rand::random_range(1..=i64::MAX);
        let mut connection = AnyConnection::connect(url).await?;
        let begin = (dialect.begin)(instance);
        raw_sql(AssertSqlSafe(format!("{begin}; {TABLE}; COMMIT")))
            .execute(&mut connection)
            .await
            .map_err(|error| format!("cannot prepare the database: {error}"))?;
        Ok(Self {
            instance,
            dialect,
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    /// Returns the number of this instance, in hexadecimal.
    pub(crate) fn instance(&self) -> String {
        format!("{:x}", self.instance)
    }

    pub(crate) async fn row(&self, commit: &str) -> Result<Option<Row>, Error> {
        type Text = Option<String>;
        let row: Option<(String, String, i64, Text, Text, Text)> = query_as(
            "SELECT state, request, instance, intent, run, event FROM runs WHERE commit_id = $1",
        )
        .bind(commit)
        .fetch_optional(&mut *self.connection.lock().await)
        .await?;
        let Some((state, request, instance, intent, run, event)) = row else {
            return Ok(None);
        };
        let json = |text: Option<String>| text.map(|text| serde_json::from_str(&text)).transpose();
        Ok(Some(Row {
            commit: commit.to_owned(),
            state,
            request: serde_json::from_str(&request)?,
            instance: format!("{instance:x}"),
            intent: json(intent)?,
            run,
            event: json(event)?,
        }))
    }

    /// Adds a row, or asks again for a run that was rejected.
    pub(crate) async fn request(&self, commit: &str, request: &Request) -> Result<(), Error> {
        query(
            "INSERT INTO runs (commit_id, request, state) VALUES ($1, $2, 'requested')
             ON CONFLICT (commit_id) DO UPDATE
             SET request = excluded.request, state = 'requested', event = NULL
             WHERE runs.state = 'rejected'",
        )
        .bind(commit)
        .bind(serde_json::to_string(request)?)
        .execute(&mut *self.connection.lock().await)
        .await?;
        Ok(())
    }

    /// `requested` → `starting`: claims the oldest row, and stores the intent.
    pub(crate) async fn claim(
        &self,
        checksum: &Checksum,
    ) -> Result<Option<(String, StartRun)>, Error> {
        let mut connection = self.connection.lock().await;
        let mut transaction = connection.begin().await?;
        let oldest: Option<(String, String)> = query_as(AssertSqlSafe(format!(
            "SELECT commit_id, request FROM runs WHERE state = 'requested'
             ORDER BY requested_at LIMIT 1 {}",
            self.dialect.skip_locked
        )))
        .fetch_optional(&mut *transaction)
        .await?;
        let Some((commit, request)) = oldest else {
            return Ok(None);
        };
        let start = serde_json::from_str::<Request>(&request)?.start(checksum, &commit);
        query(
            "UPDATE runs SET state = 'starting', instance = $1, intent = $2 WHERE commit_id = $3",
        )
        .bind(self.instance)
        .bind(serde_json::to_string(&start.intent()?)?)
        .bind(&commit)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some((commit, start)))
    }

    /// `starting` → `running`: stores the handle.
    pub(crate) async fn started(&self, commit: &str, handle: &Handle) -> Result<(), Error> {
        query("UPDATE runs SET state = 'running', run = $1, handle = $2, event = NULL WHERE commit_id = $3")
            .bind(handle.to_string())
            .bind(serde_json::to_string(handle)?)
            .bind(commit)
            .execute(&mut *self.connection.lock().await)
            .await?;
        Ok(())
    }

    /// `starting` → `requested`, `rejected` or `may-have-started`, with the reason.
    pub(crate) async fn not_started(
        &self,
        commit: &str,
        state: &str,
        reason: &Value,
    ) -> Result<(), Error> {
        query("UPDATE runs SET state = $1, event = $2 WHERE commit_id = $3")
            .bind(state)
            .bind(reason.to_string())
            .bind(commit)
            .execute(&mut *self.connection.lock().await)
            .await?;
        Ok(())
    }

    /// Stores what happened to a run; with the last event, `running` → `finished`.
    pub(crate) async fn record(
        &self,
        handle: &Handle,
        state: &str,
        event: &Value,
    ) -> Result<(), Error> {
        query("UPDATE runs SET state = $1, event = $2 WHERE run = $3")
            .bind(state)
            .bind(event.to_string())
            .bind(handle.to_string())
            .execute(&mut *self.connection.lock().await)
            .await?;
        Ok(())
    }

    /// Takes over the rows of dead instances, and returns the handles of the runs to watch. A row
    /// that is `starting` becomes `may-have-started`.
    pub(crate) async fn take_over(&self) -> Result<Vec<Handle>, Error> {
        let handles: Vec<(Option<String>,)> = query_as(AssertSqlSafe(format!(
            "UPDATE runs SET instance = $1,
                 state = CASE state WHEN 'starting' THEN 'may-have-started' ELSE state END
             WHERE commit_id IN (
                 SELECT commit_id FROM runs
                 WHERE state IN ('starting', 'running') AND instance <> $1 AND {} {})
             RETURNING handle",
            self.dialect.is_dead, self.dialect.skip_locked
        )))
        .bind(self.instance)
        .fetch_all(&mut *self.connection.lock().await)
        .await?;
        let handles = handles.iter().filter_map(|(handle,)| handle.as_deref());
        Ok(handles
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?)
    }
}
