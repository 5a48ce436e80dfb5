//! Runs the command as a process against the mock server, and against a server that shares no code with
//! it.

mod affected;
mod attachments;
mod bugs;
mod dry_run;
mod exit_codes;
mod generate;
mod handle_file;
mod heal;
mod help;
mod independent_server;
mod invocation;
mod mock;
mod output_formats;
mod proxies;
mod readme;
mod redirects;
mod report;
mod run;
mod secrets;
mod signals;
mod tls;
mod transcript;
mod untrusted_text;
mod verdicts;
mod wait;
