//! A page on which a person searches a table of vectors by example and by words, and sees why.
//!
//! [`state`] is what is asked for, read from the URL; [`search`] answers it in one transaction that can only read;
//! [`page`] shows the answer; [`server`] decides what may be asked at all.

pub mod app;
pub mod catalog;
pub mod client;
pub mod connections;
pub mod database;
pub mod encoder;
pub mod options;
pub mod page;
pub mod pictures;
pub mod report;
pub mod sample;
pub mod search;
pub mod server;
pub mod shape;
pub mod sql;
pub mod state;
pub mod statement;
pub mod tls;
pub mod trouble;
pub mod vector;
pub mod vocabulary;
