//! How the search was understood, and its SQL.

use maud::{Markup, html};

use crate::app::App;
use crate::report::Tone;
use crate::search::{Item, Page};
use crate::state::{Like, State};

use super::{margin, tiles};

/// The report in words, and what may be wanted too.
pub fn aside(app: &App, state: &State, page: &Page) -> Markup {
    html! {
        aside #understood aria-label="How the search was understood" {
            @if !page.random { h2 { "understood as" } }
            @if !page.said.is_empty() {
                ul.said {
                    @for sentence in &page.said {
                        li.warning[sentence.tone == Tone::Warning].good[sentence.tone == Tone::Good] { (sentence.text) }
                    }
                }
            }
            @if page.random { (start(app)) }
            @if let Some(report) = &page.report {
                @if !report.counter_exemplar_margins.is_empty() {
                    dl.margins {
                        @for (rejection, value) in state.rejections.iter().zip(&report.counter_exemplar_margins) {
                            div { dt { "not " (title(page, &rejection.key)) } dd { (margin(*value)) } }
                        }
                    }
                }
                @if report.sampled > 1 { p.quiet { "Told apart from " (report.sampled) " random rows" (above(report.false_negatives)) } }
            }
            @if !page.also.is_empty() { (also(app, state, &page.also)) }
        }
    }
}

fn above(count: u64) -> String {
    match count {
        0 => ", none of which scores above your lowest example.".into(),
        1 => ", one of which scores above your lowest example.".into(),
        n => format!(", of which {n} score above your lowest example."),
    }
}

fn title<'a>(page: &'a Page, key: &'a str) -> &'a str {
    page.examples.get(key).map_or(key, Item::title)
}

fn also(app: &App, state: &State, items: &[Item]) -> Markup {
    html! {
        section.also {
            h2 { "also wanted?" }
            p.quiet { "Random rows that score as if they were." }
            ul {
                @for item in items {
                    @let url = state.with(|state| state.like(Like { key: item.key.clone(), weight: 1 })).url("/");
                    li { a href=(url) data-go aria-label=(format!("Like {} too", item.title())) { (tiles::face(app, item)) span.name dir="auto" { (item.title()) } } }
                }
            }
        }
    }
}

/// What the program found out, and what can be typed.
fn start(app: &App) -> Markup {
    let vocabulary = app.encoder.vocabulary();
    let mut texts: Vec<_> = vocabulary.texts().iter().take(300).collect();
    texts.sort_by_key(|text| text.to_lowercase());
    html! {
        h2 { "how it works" }
        p { "Click a row for more like it. Click “not” on what is wrong and say why. Type what you want. All of it counts at once, and all of it is in the address: back is undo, a bookmark keeps the search." }
        @if !vocabulary.is_empty() {
            details.vocabulary open[vocabulary.len() <= 60] {
                summary { "vocabulary: " (vocabulary.len()) " texts" }
                ul {
                    @for text in texts {
                        li { a href=(State { text: text.to_owned(), ..State::default() }.url("/")) data-go dir="auto" { (text) } }
                    }
                }
            }
        }
        @if !app.catalog.guessed.is_empty() {
            details { summary { "what was guessed" } ul { @for guess in &app.catalog.guessed { li { (guess) } } } }
        }
        @if app.fits_here() {
            p { @if app.catalog.extension.is_none() { "The extension is not installed in this database, so the page fits outside of it. " } "Each search reads its sample of rows over the connection." }
        }
    }
}

/// The SQL, to copy.
pub fn sql(page: &Page) -> Markup {
    html! {
        @if !page.sql.search.is_empty() {
            details.sql #sql {
                summary { "SQL" }
                h3 { "The search, to copy" }
                button type="button" data-copy="sql-search" { "Copy" }
                pre #sql-search tabindex="0" { (page.sql.search) }
                h3 { "What ran, with parameters" }
                button type="button" data-copy="sql-ran" { "Copy" }
                pre #sql-ran tabindex="0" { (page.sql.ran) }
                ol.values { @for value in &page.sql.values { li { code { (shortened(value)) } } } }
            }
        }
    }
}

/// Long values are vectors; a copy of the search has them in full.
fn shortened(value: &str) -> String {
    match value.char_indices().nth(200) {
        Some((end, _)) => format!("{} ...", &value[..end]),
        None => value.into(),
    }
}
