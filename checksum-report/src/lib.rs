#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod ctrf;
mod html;
mod junit;
mod markdown;
mod report;
pub mod text;

pub use markdown::{CHECK_BYTES, STEP_SUMMARY_BYTES};
pub use report::{Report, Status, Test};
