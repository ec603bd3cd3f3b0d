//! What is kept from one call to the next: a call site's answers, a connection's last sample.

pub mod call_site;
pub mod discard;
pub mod last_sample;
mod repeated;
