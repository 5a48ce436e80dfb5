//! The command as a process, against the stand-in and against a server that shares no code with it.

mod affected;
mod after_the_verdict;
mod dispatch;
mod exit_codes;
mod hostile_text;
mod interruption;
mod invocation;
mod outputs;
mod proxies;
mod readme;
mod redirects;
mod second_server;
mod secrets;
mod starts;
mod tls;
mod verdicts;
