//! The page, as HTML. It works without scripts: every action is a link or a form.

mod aside;
mod controls;
mod tiles;

use std::time::Duration;

use maud::{DOCTYPE, Markup, html};

use crate::app::App;
use crate::search::{Page, Timing};
use crate::state::{Method, State};
use crate::trouble::Trouble;

/// The page of a search.
pub fn results(app: &App, state: &State, page: &Page, saved: &[(String, String)], took: Duration) -> Markup {
    let main = html! {
        (controls::form(app, state))
        (controls::examples(app, state, page))
        (controls::tools(app, state, saved))
        div.columns {
            section.results aria-label="Results" {
                @if state.compare && !page.random {
                    (tiles::compared(app, state, page))
                } @else {
                    (tiles::results(app, state, page))
                }
            }
            (aside::aside(app, state, page))
        }
        (aside::sql(page))
    };
    shell(app, state, Some((page.timing, took)), main)
}

/// The page of a search that failed: what was asked for stays, so that it can be changed.
pub fn error(app: &App, state: &State, trouble: &Trouble) -> Markup {
    let main = html! {
        (controls::form(app, state))
        (controls::examples(app, state, &Page::default()))
        (controls::tools(app, state, &[]))
        section.trouble role="alert" {
            h2 #results tabindex="-1" { (crate::report::sentence(&trouble.message)) }
            @if let Some(detail) = &trouble.detail { p { (crate::report::sentence(detail)) } }
            @if let Some(hint) = &trouble.hint { p { (crate::report::sentence(hint)) } }
            @if let Some(code) = &trouble.code { p.quiet { "SQLSTATE " (code) } }
            p {
                @if trouble.status.is_server_error() { a href=(state.url("/")) data-go { "Try again" } " · " }
                a href="/" { "Start anew" }
            }
        }
    };
    shell(app, state, None, main)
}

fn shell(app: &App, state: &State, times: Option<(Timing, Duration)>, main: Markup) -> Markup {
    let catalog = &app.catalog;
    let title = match (state.text.as_str(), state.likes.len()) {
        ("", 0) => catalog.relation.clone(),
        ("", n) => format!("like {n} of {}", catalog.relation),
        (text, _) => format!("{text} · {}", catalog.relation),
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href="/icon.svg";
                link rel="stylesheet" href="/app.css";
                script src="/app.js" defer {}
            }
            body {
                a.skip href="#results" { "Skip to the results" }
                header {
                    h1 { a href="/" { "hinted_exemplar" } }
                    span.table { (catalog.relation) @if let Some(rows) = catalog.rows { " · " (count(rows)) @if rows == 1.0 { " row" } @else { " rows" } } }
                    span.who { "as " (catalog.role) ", read only" @if catalog.standby { ", standby" } }
                    @if app.fits_here() { span.who { "fits outside the database" } }
                    @if let Some((timing, took)) = times { (latencies(&timing, took)) }
                }
                main #main { (main) }
                div.help #help role="dialog" aria-labelledby="keys" hidden {
                    h2 #keys { "Keys" }
                    dl {
                        @for (key, what) in KEYS { div { dt { kbd { (key) } } dd { (what) } } }
                    }
                    button type="button" data-close="help" { "Close" }
                }
                div #live.visually-hidden role="status" aria-live="polite" {}
            }
        }
    }
}

const KEYS: [(&str, &str); 10] = [
    ("arrows", "from tile to tile"),
    ("Enter", "more like this"),
    ("N", "not this; so does a click with Alt"),
    ("1 to 6", "choose a reason for the row rejected last"),
    ("R", "type a reason"),
    ("U", "undo: the browser's back"),
    ("/", "type what is wanted"),
    ("C", "compare the methods"),
    ("S", "show the SQL"),
    ("?", "this list"),
];

fn latencies(timing: &Timing, took: Duration) -> Markup {
    let ms = |time: Duration| match time.as_secs_f64() * 1000.0 {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms => format!("{ms:.0} ms"),
    };
    html! {
        span.times {
            @if !timing.fit.is_zero() { span { "fit " (ms(timing.fit)) } " " }
            span { "search " (ms(timing.search)) } " "
            @if timing.text > Duration::from_micros(50) { span { "text " (ms(timing.text)) } " " }
            span { "page " (ms(took)) }
        }
    }
}

/// 8145 as "8,145", 1234567 as "1.2 M".
fn count(number: f64) -> String {
    match number {
        n if n >= 1e6 => format!("{:.1} M", n / 1e6),
        n if n >= 1e3 => format!("{},{:03}", (n / 1e3) as u64, n as u64 % 1000),
        n => format!("{n:.0}"),
    }
}

/// How a method is called.
fn method_name(method: Method) -> &'static str {
    match method {
        Method::Hinted => "ours",
        Method::Neighbour => "neighbour",
        Method::Text => "text",
    }
}

/// A margin as it stands on a tile: two decimals, a real minus.
fn margin(value: f64) -> String {
    format!("{value:.2}").replace('-', "−")
}
