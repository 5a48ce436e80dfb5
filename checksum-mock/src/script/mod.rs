//! Scripts, by which a test decides how runs, their tests and batches proceed and end.

mod batch;
mod phase;
mod run;
mod test;

pub use batch::BatchScript;
pub use phase::Phase;
pub use run::RunScript;
pub use test::TestScript;
