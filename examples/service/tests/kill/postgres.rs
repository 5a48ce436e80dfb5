//! A Postgres server of the test's own, on a free port of this machine.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use sqlx::{AnyConnection, Connection, any::install_default_drivers};
use tempfile::TempDir;

use super::instance::until;

/// The folder of Postgres's programs. Two tests must not install them at the same time.
static BINARIES: LazyLock<Option<PathBuf>> = LazyLock::new(|| installed().or_else(install));

pub(crate) struct Postgres {
    process: Child,
    pub(crate) url: String,
    /// Deleted last.
    _directory: TempDir,
}

impl Postgres {
    /// Starts a server. In CI, installs it if it is missing. Elsewhere returns `None` then, and says
    /// what to install.
    pub(crate) async fn start() -> Option<Self> {
        let Some(binaries) = &*BINARIES else {
            // The test harness shows what `eprintln!` prints only if the test fails.
            let message = "SKIPPED, since Postgres is missing: apt-get install postgresql";
            let _ = writeln!(std::io::stderr(), "{message}");
            return None;
        };
        let directory = tempfile::tempdir().expect("a directory");
        let user = unprivileged_user();
        if let Some((user, group)) = user {
            chown(directory.path(), Some(user), Some(group)).expect("its owner");
        }
        let command = |program: &str| {
            let mut command = Command::new(binaries.join(program));
            command.current_dir(directory.path()).stdout(Stdio::null());
            if let Some((user, group)) = user {
                command.uid(user).gid(group);
            }
            command
        };
        let data = directory.path().join("data");
        let created = command("initdb")
            .args(["--no-sync", "--auth=trust", "--username=test", "--pgdata"])
            .arg(&data)
            .status();
        assert!(created.expect("initdb").success());

        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        let process = command("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-F", "-k"])
            .arg(directory.path())
            .stderr(Stdio::null())
            .spawn()
            .expect("postgres");
        let server = Self {
            process,
            url: format!("postgres://test@127.0.0.1:{port}/postgres"),
            _directory: directory,
        };
        install_default_drivers();
        until("Postgres serves", async || server.try_connect().await).await;
        Some(server)
    }

    async fn try_connect(&self) -> Option<AnyConnection> {
        AnyConnection::connect(&self.url).await.ok()
    }

    /// Ends the session of the instance with this number, as a restart of the server would.
    pub(crate) async fn end_session(&self, instance: &str) {
        let mut connection = self.try_connect().await.expect("a connection");
        let ended: Vec<(bool,)> = sqlx::query_as(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
             AND (classid::bigint << 32) | objid::bigint = $1",
        )
        .bind(i64::from_str_radix(instance, 16).expect("a number"))
        .fetch_all(&mut connection)
        .await
        .expect("a row");
        assert_eq!(ended, [(true,)]);
    }
}

/// Stops the server at once, without a checkpoint.
impl Drop for Postgres {
    fn drop(&mut self) {
        let mut kill = Command::new("kill");
        let _ = kill
            .args(["-QUIT", &self.process.id().to_string()])
            .status();
        let _ = self.process.wait();
    }
}

/// Finds Postgres. Debian puts only the programs of the client into the PATH.
fn installed() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let debian = debian.filter_map(|version| Some(version.ok()?.path().join("bin")));
    std::env::split_paths(&path).chain(debian).find(|folder| {
        ["initdb", "postgres"]
            .iter()
            .all(|program| folder.join(program).exists())
    })
}

/// Installs Debian's package in CI, and fails if that is not possible. Does nothing elsewhere.
fn install() -> Option<PathBuf> {
    std::env::var_os("CI")?;
    for arguments in [
        ["update", "--quiet", "--quiet"].as_slice(),
        &["install", "--yes", "--no-install-recommends", "postgresql"],
    ] {
        let status = Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null())
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "Postgres is missing and cannot be installed (apt-get needs root and a network): \
             install Debian's package `postgresql`"
        );
    }
    let folder = installed();
    assert!(
        folder.is_some(),
        "the package is installed, and lacks the server"
    );
    folder
}

/// Returns the user and group to run as if this is root, which Postgres rejects.
fn unprivileged_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let of = |name| Some((id(&["-u", name])?, id(&["-g", name])?));
    of("postgres").or_else(|| of("nobody"))
}
