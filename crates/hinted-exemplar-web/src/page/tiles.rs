//! Rows as tiles, with what can be said about each.

use maud::{Markup, html};

use crate::app::App;
use crate::report::Tone;
use crate::search::{Item, Page};
use crate::state::{Like, Reason, Rejection, State};

use super::{margin, method_name};

/// The URL of a row's picture.
fn picture_url(app: &App, key: &str) -> Option<String> {
    app.catalog.picture.as_ref()?;
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("key", key).finish();
    Some(format!("/picture?{query}"))
}

/// The picture of a row, small, if the table has pictures.
pub fn face(app: &App, item: &Item) -> Markup {
    html! { @if let Some(url) = picture_url(app, &item.key) { img.face src=(url) alt="" loading="lazy" width="48" height="48"; } }
}

fn like_url(state: &State, key: &str) -> String {
    state.with(|state| state.like(Like { key: key.into(), weight: 1 })).url("/")
}

fn reject_url(state: &State, key: &str) -> String {
    state.with(|state| state.reject(Rejection { key: key.into(), reason: Reason::Open })).url("/")
}

/// `dim` is for rows beyond the line; where no row is on this side of it, all are to be looked at.
fn tile(app: &App, state: &State, item: &Item, mark: Option<&str>, dim: bool) -> Markup {
    let title = item.title();
    html! {
        li.tile .beyond[dim] data-key=(item.key) {
            a.more href=(like_url(state, &item.key)) data-go title="more like this" aria-label=(format!("More like {title}")) {
                @match picture_url(app, &item.key) {
                    Some(url) => img src=(url) alt=(title) loading="lazy";
                    None => {
                        strong dir="auto" { (title) }
                        @for text in item.texts.iter().skip(1) { span.text dir="auto" { (text) } }
                    }
                }
            }
            @if let Some(mark) = mark { span.mark { (mark) } }
            div.bar {
                @if let Some(value) = item.margin { span.margin title="margin: 1 is clearly wanted, below 0 not" { (margin(value)) } }
                @if !item.alike.is_empty() {
                    a.alike href=(state.with(|state| state.unfolded = true).url("/")) data-go title="near duplicates: show them one by one" { "+" (item.alike.len()) }
                }
                @if picture_url(app, &item.key).is_some() { span.caption dir="auto" title=(title) { (title) } }
                a.not href=(reject_url(state, &item.key)) data-go title="not this" aria-label=(format!("Not {title}")) { "not" }
            }
        }
    }
}

/// The rows of the page, with the line where wanted ones end.
pub fn results(app: &App, state: &State, page: &Page) -> Markup {
    let above = page.items.iter().take_while(|item| item.margin.is_some_and(|margin| margin > 0.0)).count();
    // Above all rows a line would say nothing.
    let line = page.line.filter(|line| line.above > 0 && (above < page.items.len() || page.next.is_none()));
    // A later page may hold nothing but rows that are beyond it.
    let behind = state.after.is_some() && above == 0;
    let said = heading(app, state, page);
    let warnings = page.said.iter().filter(|sentence| sentence.tone == Tone::Warning).count();
    html! {
        h2 #results tabindex="-1" { (said) }
        @if warnings > 0 && !page.random {
            // Where the report comes after the rows it is easily missed.
            p.jump { a href="#understood" { @if warnings == 1 { "1 warning" } @else { (warnings) " warnings" } " below the rows" } }
        }
        @if page.items.is_empty() { (nothing(state, page)) }
        @match line {
            Some(line) => {
                ul.tiles { @for item in &page.items[..above] { (tile(app, state, item, None, false)) } }
                p.line role="separator" { span { "about here it ends: " (rows(line.above)) } }
                ul.tiles { @for item in &page.items[above..] { (tile(app, state, item, None, true)) } }
            }
            None => ul.tiles { @for item in &page.items { (tile(app, state, item, None, behind)) } }
        }
        @if let Some(next) = &page.next {
            @let url = State { after: Some(next.clone()), ..state.clone() }.url("/");
            p.pages {
                @if state.after.is_some() { a href=(state.with(|_| ()).url("/")) data-go { "First page" } " " }
                a.next rel="next" href=(url) data-go { "Next page" }
                @if state.diverse { span.quiet { " (rows in between are left out by “spread”)" } }
            }
        } @else if state.after.is_some() {
            p.pages { a href=(state.with(|_| ()).url("/")) data-go { "First page" } }
        }
    }
}

fn rows(count: usize) -> String {
    match count {
        1 => "1 row".into(),
        n => format!("{n} rows"),
    }
}

fn heading(app: &App, state: &State, page: &Page) -> String {
    if page.random {
        let typed = if app.encoder.takes_texts() { ", or type what you want" } else { "" };
        return format!("Random rows: click what you like{typed}");
    }
    if page.items.is_empty() {
        return "No rows".into();
    }
    let whole = match page.line {
        Some(line) if line.more => format!("More than {} rows look wanted", line.above),
        Some(line) if line.above == 0 => "No row surely looks wanted: like one or two of these".into(),
        Some(line) if line.above == 1 => "About 1 row looks wanted".into(),
        Some(line) => format!("About {} rows look wanted", line.above),
        None => "The best rows".into(),
    };
    match state.after.as_ref().map_or(0, |after| after.seen) {
        0 => whole,
        seen if page.line.is_none() => format!("From row {}", seen + 1),
        seen => format!("{whole}; from row {}", seen + 1),
    }
}

fn nothing(state: &State, page: &Page) -> Markup {
    html! {
        p.nothing {
            @if !state.filters.is_empty() || !state.condition.is_empty() { "No row is left under this filter." }
            @else if state.after.is_some() { "These were all rows." }
            @else if page.random { "The table has no rows with a vector that this role may see." }
            @else { "There is no other row than your examples." }
        }
    }
}

/// This ranking and the others, a column each. Rows that are in no other column are marked.
pub fn compared(app: &App, state: &State, page: &Page) -> Markup {
    let shown =
        page.columns.iter().filter_map(|(_, items)| items.as_ref().ok()).map(Vec::len).max().unwrap_or(12);
    let first: Vec<Item> = page.items.iter().take(shown).cloned().collect();
    let mut columns = vec![(state.method, Ok(first))];
    columns.extend(page.columns.iter().cloned());
    let elsewhere = |own: usize, key: &str| {
        columns.iter().enumerate().any(|(i, (_, items))| {
            let has = |item: &Item| item.key == key || item.alike.iter().any(|alike| alike == key);
            i != own && items.as_ref().is_ok_and(|items| items.iter().any(has))
        })
    };
    html! {
        h2 #results tabindex="-1" { "The same search by each method" }
        div.compared {
            @for (i, (method, items)) in columns.iter().enumerate() {
                section aria-label=(method_name(*method)) {
                    h3 { (method_name(*method)) }
                    @match items {
                        Ok(items) => ul.tiles { @for item in items {
                            @let mark = (!elsewhere(i, &item.key)).then_some("only here");
                            (tile(app, state, item, mark, item.margin.is_some_and(|margin| margin <= 0.0)))
                        } },
                        Err(said) => p.nothing { (said) },
                    }
                }
            }
        }
    }
}
