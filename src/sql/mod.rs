//! What SQL sees: functions, their arguments, aggregates and the report.

pub mod aggregates;
pub mod args;
pub mod functions;
pub mod report;
