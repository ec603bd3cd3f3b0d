//! What is asked for: texts, examples, filters, and what else can be done.

use maud::{Markup, html};

use crate::app::App;
use crate::search::{Item, Page};
use crate::state::{Like, Method, Reason, Rejection, State};

use super::{method_name, tiles};

/// The state as hidden fields, but for those that the form has itself.
fn hidden(state: &State, without: &[&str]) -> Markup {
    html! {
        @for (name, value) in state.with(|_| ()).pairs() {
            @if !without.contains(&name) { input type="hidden" name=(name) value=(value); }
        }
    }
}

/// The fields of texts.
pub fn form(app: &App, state: &State) -> Markup {
    let encoder = &app.encoder;
    let placeholder = match (encoder.takes_any_text(), encoder.vocabulary().texts().first()) {
        (true, _) => "what you want to see, in words".to_owned(),
        (false, Some(_)) => "a text of the vocabulary: type to choose".to_owned(),
        (false, None) => "no texts here: click on rows".to_owned(),
    };
    html! {
        form.texts action="/" method="get" role="search" data-go {
            (hidden(state, &["text", "avoid"]))
            @if encoder.takes_texts() {
                label { span { "wanted" } input #text dir="auto" name="text" value=(state.text) placeholder=(placeholder) list="vocabulary" autocomplete="off" maxlength="2000"; }
                label { span { "not wanted" } input #avoid dir="auto" name="avoid" value=(state.avoid) placeholder="optional; several with ;" list="vocabulary" autocomplete="off" maxlength="2000"; }
                datalist #vocabulary {}
                button type="submit" { "Search" }
                @if let Some(template) = encoder.template() { p.quiet { "encoded as “" (template) "”" } }
            } @else {
                p.quiet { "Texts cannot be used here: start the page with --vocabulary, --embed-sql or --embed-url." }
            }
        }
    }
}

/// The strips of liked and rejected rows.
pub fn examples(app: &App, state: &State, page: &Page) -> Markup {
    html! {
        @if !state.likes.is_empty() {
            section.strip aria-label="Liked rows" {
                h2 { "like" }
                div.list { @for like in &state.likes { (liked(app, state, page, like)) } }
            }
        }
        @if !state.rejections.is_empty() {
            section.strip.rejected aria-label="Rejected rows" {
                h2 { "not this" }
                div.list { @for rejection in &state.rejections { (rejected(app, state, page, rejection)) } }
            }
        }
    }
}

fn unknown(key: &str) -> Item {
    Item { key: key.into(), ..Item::default() }
}

fn forget(state: &State, item: &Item) -> Markup {
    let url = state.with(|state| state.forget(&item.key)).url("/");
    html! { a.forget href=(url) data-go aria-label=(format!("Forget {}", item.title())) title="forget it" { "×" } }
}

fn liked(app: &App, state: &State, page: &Page, like: &Like) -> Markup {
    let fallback = unknown(&like.key);
    let item = page.examples.get(&like.key).unwrap_or(&fallback);
    let heavier = like.weight % 3 + 1;
    let url = state.with(|state| state.like(Like { weight: heavier, ..like.clone() })).url("/");
    let number = state.likes.iter().position(|other| other == like).unwrap_or_default();
    let margin = page.report.as_ref().and_then(|report| report.exemplar_margins.get(number));
    html! {
        div.example data-key=(like.key) {
            (tiles::face(app, item))
            span.name dir="auto" title=(item.title()) { (item.title()) }
            a.weight href=(url) data-go title="how much it counts: click for more"
                aria-label=(format!("{} counts {}; make it {heavier}", item.title(), like.weight)) { "×" (like.weight) }
            @if let Some(margin) = margin { span.margin title="its margin" { (super::margin(*margin)) } }
            (forget(state, item))
        }
    }
}

fn rejected(app: &App, state: &State, page: &Page, rejection: &Rejection) -> Markup {
    let fallback = unknown(&rejection.key);
    let item = page.examples.get(&rejection.key).unwrap_or(&fallback);
    let explained = |reason: Reason| state.with(|state| state.explain(&rejection.key, reason)).url("/");
    let last = state.rejections.iter().rfind(|other| other.reason == Reason::Open) == Some(rejection);
    html! {
        div.example data-key=(rejection.key) {
            (tiles::face(app, item))
            span.name dir="auto" title=(item.title()) { (item.title()) }
            @match &rejection.reason {
                Reason::Text(text) => a.reason href=(explained(Reason::Open)) data-go title="change the reason" { "because: " (text) },
                Reason::None => a.reason href=(explained(Reason::Open)) data-go title="give a reason" { "no reason" },
                Reason::Open => {},
            }
            (forget(state, item))
            @if rejection.reason == Reason::Open { (ask_why(app, state, page, item, last)) }
        }
    }
}

/// Guessed reasons as chips, and a field for another one. `keys` says whether number keys choose them.
fn ask_why(app: &App, state: &State, page: &Page, item: &Item, keys: bool) -> Markup {
    let guesses = page.guesses.get(&item.key).map_or(&[][..], Vec::as_slice);
    let url = |reason: Reason| state.with(|state| state.explain(&item.key, reason)).url("/");
    let none = guesses.len() + 1;
    html! {
        div.why role="group" aria-label=(format!("Why not {}?", item.title())) data-keys=[keys.then_some("")] {
            span { "why?" }
            @for (i, guess) in guesses.iter().enumerate() {
                a.chip href=(url(Reason::Text(guess.clone()))) data-go data-number=(i + 1) { @if keys { kbd { (i + 1) } } bdi { (guess) } }
            }
            @if app.encoder.takes_texts() {
                form action="/" method="get" data-go {
                    (hidden(state, &[]))
                    input type="hidden" name="reason_of" value=(item.key);
                    input.reason dir="auto" name="reason" list="vocabulary" autocomplete="off" placeholder="another" maxlength="2000"
                        aria-label=(format!("Why not {}? In words", item.title()));
                }
            }
            a.chip.none href=(url(Reason::None)) data-go data-number=(none) { @if keys { kbd { (none) } } "no reason" }
        }
    }
}

/// Ranking, filters, what to do with the answer.
pub fn tools(app: &App, state: &State, saved: &[(String, String)]) -> Markup {
    let toggle = |name: &str, on: bool, title: &str, change: &dyn Fn(&mut State)| {
        html! { a.toggle href=(state.with(change).url("/")) data-go aria-current=[on.then_some("true")] title=(title) data-tool=(name) { (name) } }
    };
    html! {
        nav.tools aria-label="Ways to look" {
            @if state.wants_something() {
                span.group {
                    @for method in Method::ALL.into_iter().filter(|method| *method != Method::Text || app.encoder.takes_texts()) {
                        (toggle(method_name(method), state.method == method && !state.compare, "rank by this alone", &|state| { state.method = method; state.compare = false; }))
                    }
                    (toggle("compare", state.compare, "the methods side by side", &|state| { state.compare = !state.compare; state.method = Method::Hinted; }))
                }
                span.group {
                    (toggle("fold", !state.unfolded, "show near duplicates as one", &|state| state.unfolded = !state.unfolded))
                    (toggle("spread", state.diverse, "rows unlike one another out of the best", &|state| state.diverse = !state.diverse))
                }
            }
            (filters(app, state))
            @if state.wants_something() { (exports(app, state)) }
            (saved_searches(saved))
            a.toggle href=(State { shuffle: state.shuffle + 1, ..State::default() }.url("/")) data-go title="other random rows, and nothing else" {
                @if state.wants_something() { "start anew" } @else { "other random rows" }
            }
            button.toggle type="button" data-open="help" aria-haspopup="dialog" title="keys" { "?" }
        }
    }
}

fn filters(app: &App, state: &State) -> Markup {
    let chosen =
        |column: &str| state.filters.iter().find(|(name, _)| name == column).map(|(_, value)| value.as_str());
    if app.catalog.filters.is_empty() && !app.options.allow_where {
        return html! {};
    }
    html! {
        form.filters action="/" method="get" data-go data-change {
            @let without: &[&str] = if app.options.allow_where { &["sql"] } else { &[] };
            (hidden(state, without))
            @for filter in &app.catalog.filters {
                @let name = &filter.column.name;
                label { (name) " "
                    select name=(format!("where_{name}")) {
                        option value="" { "any" }
                        @for value in &filter.values { option value=(value) selected[chosen(name) == Some(value.as_str())] { (value) } }
                    }
                }
            }
            @if app.options.allow_where {
                label { "where " input name="sql" value=(state.condition) placeholder="a condition in SQL" autocomplete="off"; }
            }
            noscript { button type="submit" { "Filter" } }
        }
    }
}

fn exports(app: &App, state: &State) -> Markup {
    let plain = state.with(|_| ());
    html! {
        span.group {
            a.toggle href=(plain.url("/export.csv")) title="keys and margins" download { "csv" }
            a.toggle href=(plain.url("/export.json")) title="keys and margins" download { "json" }
            a.toggle href="#sql" data-tool="sql" { "sql" }
        }
        @if app.options.save_into.is_some() {
            form.save action="/save" method="post" {
                input type="hidden" name="search" value=(plain.query());
                input name="name" placeholder="name" aria-label="Name of the saved search" required maxlength="100";
                button type="submit" { "Save" }
            }
        }
    }
}

fn saved_searches(saved: &[(String, String)]) -> Markup {
    html! {
        @if !saved.is_empty() {
            details.saved {
                summary { "saved (" (saved.len()) ")" }
                ul { @for (name, query) in saved { li { a href=(format!("/?{query}")) data-go { (name) } } } }
            }
        }
    }
}
