use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Mock {
    /// The port of the loopback interface; 0 for any free one
    #[arg(long, default_value_t = 4010)]
    pub(crate) port: u16,
    /// The state that runs end in
    #[arg(long, default_value = "passed", value_name = "STATE")]
    pub(crate) end: String,
    /// A test that fails in each run that has it, by its id; repeatable
    #[arg(long, value_name = "TEST")]
    pub(crate) failing: Vec<String>,
    /// Serve also what is known from the vendor's clients alone and is not documented
    ///
    /// Each response to the start of a run has `runId` and `sharded`. The status of a run by its
    /// test run id has `isTerminal`, `verdict` and `failureReason`. Affected tests can be found,
    /// runs can be sharded, and suites chosen by their ids. The key may come as `ChecksumAppCode`,
    /// so that the vendor's clients run against this service.
    #[arg(long)]
    pub(crate) observed: bool,
}
