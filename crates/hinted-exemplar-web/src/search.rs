//! From what a person asks for to what the page shows.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use tokio_postgres::Row;

use crate::app::App;
use crate::client::{self, Given};
use crate::database::Transaction;
use crate::encoder::{TextVector, negates};
use crate::report::{Report, Sentence, Tone};
use crate::sample;
use crate::shape;
use crate::sql::{Sql, Value};
use crate::state::{After, Method, Reason, State};
use crate::statement::{ALSO_WANTED, Looks, Texts, Writer};
use crate::trouble::Trouble;
use crate::vector::{from_bytes, mean, unit};

/// How many reasons are guessed.
const GUESSES: usize = 5;
/// Rows of each column of a comparison.
const COMPARED: usize = 12;

/// A row as the page shows it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Item {
    pub key: String,
    pub texts: Vec<String>,
    pub margin: Option<f64>,
    pub cosine: f64,
    pub distance: f64,
    /// Keys of its near duplicates.
    pub alike: Vec<String>,
    /// As it is stored for an example, else of unit length; empty where it was not read.
    pub vector: Vec<f32>,
}

impl Item {
    /// What it is called.
    pub fn title(&self) -> &str {
        self.texts.first().filter(|text| !text.trim().is_empty()).unwrap_or(&self.key)
    }
}

/// Where wanted rows end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Rows with a margin above 0, the pages before included.
    pub above: usize,
    /// Whether there may be more than were looked at.
    pub more: bool,
}

/// How long things took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    pub fit: Duration,
    pub search: Duration,
    pub text: Duration,
}

/// The SQL of a page.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// The search as one would write it by hand.
    pub search: String,
    /// The statement that ran, with parameters, and their values.
    pub ran: String,
    pub values: Vec<String>,
}

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Rows of the likes and rejections, by key.
    pub examples: HashMap<String, Item>,
    pub items: Vec<Item>,
    /// Rows of other rankings, beside these.
    pub columns: Vec<(Method, Result<Vec<Item>, String>)>,
    pub also: Vec<Item>,
    pub line: Option<Line>,
    /// Guessed reasons of rejected rows.
    pub guesses: HashMap<String, Vec<String>>,
    pub said: Vec<Sentence>,
    pub report: Option<Report>,
    pub next: Option<After>,
    pub random: bool,
    pub timing: Timing,
    pub sql: Shown,
}

/// Answers a search in one transaction.
///
/// # Errors
/// See [`Trouble`].
pub async fn find(app: &App, state: &State) -> Result<Page, Trouble> {
    let transaction = app.database.read().await?;
    let mut search = Search::prepare(app, state, &transaction).await?;
    if search.state.wants_something() {
        search.rank().await.map_err(|trouble| search.explained(trouble))?;
        if state.compare {
            search.compare().await?;
        }
    } else {
        search.show_random().await?;
    }
    search.guess_reasons();
    Ok(search.page)
}

/// The keys in order, with cosines, and the report of the fit: for an export.
///
/// # Errors
/// See [`Trouble`].
pub async fn export(app: &App, state: &State, limit: usize) -> Result<Vec<(String, Option<f64>)>, Trouble> {
    let transaction = app.database.read().await?;
    let mut search = Search::prepare(app, state, &transaction).await?;
    search.state.after = None;
    if !search.state.wants_something() {
        return Err(Trouble::bad_request("There is nothing to export yet: say what is wanted."));
    }
    // An index answers with its best guess; an export is to be complete.
    transaction.run("SET LOCAL enable_indexscan = off").await?;
    let (fit, given) = search.direction().await?;
    let rows = transaction.rows(&search.writer().export(fit, &search.state, limit)).await?;
    let mut report = given;
    let mut found = Vec::new();
    for row in &rows {
        match row.get::<_, Option<String>>(0) {
            None => report = report.or_else(|| row.get::<_, Option<&str>>(2).map(read_report)),
            Some(key) => {
                let cosine: f64 = row.get(1);
                let margin = report.as_ref().map_or(Some(cosine), |report| report.margin(cosine));
                found.push((key, margin));
            }
        }
    }
    // Where the wanted rows end, the export does.
    if report.as_ref().is_some_and(|report| report.margin(0.0).is_some()) {
        found.retain(|(_, margin)| margin.is_some_and(|margin| margin > 0.0));
    }
    Ok(found)
}

fn read_report(json: &str) -> Report {
    Report::read(&serde_json::from_str(json).unwrap_or_default())
}

struct Search<'a> {
    app: &'a App,
    transaction: &'a Transaction,
    /// As far as its rows and texts are there.
    state: State,
    texts: Texts,
    page: Page,
}

impl<'a> Search<'a> {
    /// Reads the examples and encodes the texts.
    async fn prepare(app: &'a App, state: &State, transaction: &'a Transaction) -> Result<Self, Trouble> {
        let mut search =
            Search { app, transaction, state: state.clone(), texts: Texts::default(), page: Page::default() };
        search.read_examples().await?;
        search.encode().await;
        Ok(search)
    }

    fn writer(&self) -> Writer<'a> {
        self.app.writer()
    }

    fn warn(&mut self, text: impl Into<String>) {
        self.page.said.push(Sentence { tone: Tone::Warning, text: text.into() });
    }

    async fn read_examples(&mut self) -> Result<(), Trouble> {
        let likes = self.state.likes.iter().map(|like| like.key.clone());
        let keys: Vec<_> = likes.chain(self.state.rejections.iter().map(|r| r.key.clone())).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let read = self.transaction.rows(&self.writer().examples(&keys)).await;
        let rows = read.map_err(|trouble| match trouble.code.as_deref() {
            // A key that cannot be one, as a word among numbers.
            Some("22P02" | "22003" | "22007" | "22008") => Trouble {
                message: "An example in the address is no key of this table.".into(),
                detail: Some(trouble.message.clone()),
                ..trouble
            }
            .with_hint("Take it out by its ×, or start anew."),
            _ => trouble,
        })?;
        for row in &rows {
            let vector = row.get::<_, Option<&[u8]>>(2).and_then(from_bytes);
            let item = Item {
                key: row.get(0),
                texts: texts_of(row.get(1)),
                vector: vector.unwrap_or_default(),
                ..Item::default()
            };
            self.page.examples.insert(item.key.clone(), item);
        }
        for key in keys {
            match self.page.examples.get(&key) {
                None => self.warn(format!("Row {key} is no longer there, or not for this role.")),
                Some(item) if item.vector.is_empty() => self.warn(format!("Row {key} has no vector.")),
                Some(_) => continue,
            }
            self.state.forget_quietly(&key);
        }
        Ok(())
    }

    async fn encode(&mut self) {
        let encoder = &self.app.encoder;
        let wanted = encoder.encode(State::texts(&self.state.text), self.transaction).await;
        let unwanted = encoder.encode(State::texts(&self.state.avoid), self.transaction).await;
        self.page.timing.text = wanted.took + unwanted.took;
        for text in State::texts(&self.state.text).filter(|text| negates(text)) {
            let said =
                format!("“{text}”: encoders read “no ...” as what it names. Say it under “not wanted”.");
            self.page.said.push(Sentence { tone: Tone::Warning, text: said });
        }
        let mut failed = [wanted.failed, unwanted.failed].concat();
        for rejection in self.state.rejections.clone() {
            let Reason::Text(text) = &rejection.reason else {
                self.texts.reasons.push(None);
                continue;
            };
            let mut encoded = encoder.encode([text.as_str()], self.transaction).await;
            self.page.timing.text += encoded.took;
            self.texts.reasons.push(encoded.vectors.pop());
            failed.extend(encoded.failed);
        }
        if wanted.vectors.is_empty() {
            self.state.text.clear();
        }
        (self.texts.wanted, self.texts.unwanted) = (wanted.vectors, unwanted.vectors);
        for (text, trouble) in failed {
            let more = [trouble.detail, trouble.hint]
                .into_iter()
                .flatten()
                .fold(String::new(), |all, s| all + " " + &s);
            let about = if trouble.message.contains(&text) {
                String::new()
            } else {
                format!(" (“{text}” is left out.)")
            };
            self.warn(format!("{}{more}{about}", trouble.message));
        }
    }

    /// What gives the columns of `fit`, and its report where it is known already.
    async fn direction(&mut self) -> Result<(Sql, Option<Report>), Trouble> {
        match self.state.method {
            Method::Hinted if self.app.fits_here() => {
                let fitted = self.fit_here().await?;
                let mut sql = Sql::new("SELECT ");
                sql.value(Value::Vector { values: fitted.0, written: None }).push("::vector AS weights");
                Ok((sql, Some(fitted.1)))
            }
            Method::Hinted => Ok((self.writer().fit(&self.state, &self.texts), None)),
            method => {
                let mut sql = Sql::new("SELECT ");
                let vector = self.plain(method).map_err(Trouble::bad_request)?;
                sql.value(vector).push("::vector AS weights");
                Ok((sql, None))
            }
        }
    }

    /// Draws rows and fits here; likely false negatives among them go to the page.
    async fn fit_here(&mut self) -> Result<(Vec<f32>, Report), Trouble> {
        let started = Instant::now();
        let (state, texts) = (&self.state, &self.texts);
        let vector =
            |key: &str| self.page.examples.get(key).map(|item| item.vector.clone()).unwrap_or_default();
        let values = |texts: &[TextVector]| texts.iter().map(|text| text.values.clone()).collect::<Vec<_>>();
        let reasons = texts.reasons.iter().map(|reason| reason.as_ref().map(|text| text.values.clone()));
        let some_text = !texts.wanted.is_empty()
            || !texts.unwanted.is_empty()
            || texts.reasons.iter().any(Option::is_some);
        let neutral = self.app.encoder.vocabulary().neutral().filter(|_| some_text);
        // A text alone has nothing to be told apart from.
        let alone = state.likes.is_empty() && state.rejections.is_empty() && texts.unwanted.is_empty();
        let sample_size = if alone { 1 } else { self.app.options.sample_size };
        let cut = self.writer().texts("");
        let rows = sample::rows(self.transaction, &self.app.catalog, sample_size, 0, &cut, &[]).await?;
        let given = Given {
            exemplars: state.likes.iter().map(|like| (vector(&like.key), f64::from(like.weight))).collect(),
            counter_exemplars: state.rejections.iter().map(|r| vector(&r.key)).zip(reasons).collect(),
            hints: values(&texts.wanted),
            counter_hints: values(&texts.unwanted),
            neutral_hints: neutral.map(|(mean, _)| mean.to_vec()).into_iter().collect(),
            negatives: rows.iter().map(|(_, _, vector)| vector.clone()).collect(),
        };
        let fitted = tokio::task::spawn_blocking(move || client::fit(&given))
            .await
            .map_err(|_| Trouble::new(StatusCode::INTERNAL_SERVER_ERROR, "The fit broke off."))??;
        let likely = |&(row, margin): &(usize, f64)| {
            let (key, texts, _) = &rows[row];
            Item { key: key.clone(), texts: texts.clone(), margin: Some(margin), ..Item::default() }
        };
        self.page.also = fitted.false_negatives.iter().take(ALSO_WANTED * 3).map(likely).collect();
        self.page.timing.fit = started.elapsed();
        Ok((fitted.weights, fitted.report))
    }

    /// Directions of the liked rows, and how much each counts.
    fn liked(&self) -> Vec<(Vec<f32>, f64)> {
        let vector = |key: &str| self.page.examples.get(key).map(|item| unit(&item.vector));
        self.state
            .likes
            .iter()
            .filter_map(|like| Some((vector(&like.key)?, f64::from(like.weight))))
            .collect()
    }

    /// The vector of a search without a fit.
    fn plain(&self, method: Method) -> Result<Value, &'static str> {
        let units = match method {
            Method::Text => self.texts.wanted.iter().map(|text| (unit(&text.values), 1.0)).collect(),
            _ => self.liked(),
        };
        if units.is_empty() {
            return Err(match method {
                Method::Text => "There is no text to rank by.",
                _ => "There is no liked row to find neighbours of.",
            });
        }
        let written = match (method, self.texts.wanted.as_slice()) {
            (Method::Text, [TextVector { written, .. }]) => written.clone(),
            _ => None,
        };
        Ok(Value::Vector {
            values: mean(units.iter().map(|(vector, weight)| (&vector[..], *weight))),
            written,
        })
    }

    async fn rank(&mut self) -> Result<(), Trouble> {
        let (fit, given) = self.direction().await?;
        let size = self.app.options.page_size;
        let reported = self.state.method == Method::Hinted && given.is_none();
        if !(reported && self.writer().can_search(&self.state)) {
            self.transaction.run(self.app.database.ranking()).await?;
        }
        let mut looks = self.writer().looks_at(&self.state, size, reported, false);
        while !self.look(fit.clone(), given.clone(), looks, reported).await? && !looks.most {
            looks = self.writer().looks_at(&self.state, size, reported, true);
        }
        if let Some(report) = &self.page.report {
            self.page.said.extend(report.sentences(!self.texts.wanted.is_empty()));
        }
        Ok(())
    }

    /// Asks for the best rows and lays them out; whether they fill the page, or there are no others.
    async fn look(
        &mut self,
        fit: Sql,
        given: Option<Report>,
        looks: Looks,
        reported: bool,
    ) -> Result<bool, Trouble> {
        let statement = self.writer().page(fit, &self.state, looks, reported);
        let started = Instant::now();
        let rows = self.transaction.rows(&statement).await?;
        let took = started.elapsed();
        let of_kind = |kind: &'static str| rows.iter().filter(move |row| row.get::<_, &str>(0) == kind);
        let report = given.or_else(|| of_kind("report").next().map(|row| read_report(row.get(7))));
        let report = report.map(|mut report| {
            report.conflicts = report.conflicts.iter().map(|said| self.by_titles(said)).collect();
            report
        });
        if let Some(report) = report.as_ref().filter(|_| reported) {
            let in_database = Duration::from_secs_f64((report.sampling_ms + report.solving_ms) / 1000.0);
            self.page.timing.fit = in_database.min(took);
            self.page.timing.search += took - self.page.timing.fit;
        } else {
            self.page.timing.search += took;
        }
        let mut candidates: Vec<(i64, Item)> =
            of_kind("row").map(|row| (row.get(1), item(row, report.as_ref()))).collect();
        candidates.sort_by_key(|(place, _)| *place);
        let full = self.lay_out(candidates.into_iter().map(|(_, item)| item).collect(), looks);
        let mut also: Vec<(i64, Item)> = of_kind("also").map(|row| (row.get(1), likely(row))).collect();
        also.sort_by_key(|(place, _)| *place);
        // A fit that was made here has told of them already.
        let fitted_here = if reported { Vec::new() } else { std::mem::take(&mut self.page.also) };
        let also = fitted_here.into_iter().chain(also.into_iter().map(|(_, item)| item));
        let shown =
            |key: &String| self.page.items.iter().any(|item| item.key == *key || item.alike.contains(key));
        let known = |key: &String| self.page.examples.contains_key(key);
        self.page.also =
            also.filter(|item| !shown(&item.key) && !known(&item.key)).take(ALSO_WANTED).collect();
        self.page.report = report;
        self.page.sql = self.shown_sql(&statement);
        Ok(full)
    }

    /// What a fit says, with rows called by their titles and not by the arguments that they were.
    fn by_titles(&self, said: &str) -> String {
        let title = |key: &str| format!("“{}”", self.page.examples.get(key).map_or(key, Item::title));
        let mut said = said.to_owned();
        for (i, rejection) in self.state.rejections.iter().enumerate() {
            said = said.replace(&format!("counter_exemplars[{}]", i + 1), &title(&rejection.key));
        }
        for (i, like) in self.state.likes.iter().enumerate() {
            said = said.replace(&format!("exemplars[{}]", i + 1), &title(&like.key));
        }
        said.replace("the hint", "the text").replace("the exemplars", "what you like")
    }

    /// A fit's error in the words of the page.
    fn explained(&self, mut trouble: Trouble) -> Trouble {
        trouble.message = self.by_titles(&trouble.message);
        trouble.detail = trouble.detail.map(|detail| self.by_titles(&detail));
        trouble
    }

    /// Chooses the rows of this page, and finds the line where wanted ones end; whether more rows would not change the page.
    fn lay_out(&mut self, candidates: Vec<Item>, looks: Looks) -> bool {
        let size = self.app.options.page_size;
        let above = candidates.iter().filter(|item| item.margin.is_some_and(|margin| margin > 0.0)).count();
        // Rows unlike one another are many beyond the line, and none of them is wanted.
        let full = if self.state.diverse && above >= size { looks.full.min(above) } else { looks.full };
        let window: Vec<_> = candidates.iter().take(full).map(|item| item.vector.clone()).collect();
        let (shown, used) = shape::page(&window, size, !self.state.unfolded, self.state.diverse);
        let before = self.state.after.as_ref().map_or(0, |after| after.seen);
        // Behind the page with the line nobody knows how many rows stood before it.
        if candidates.first().is_some_and(|item| item.margin.is_some()) && (above > 0 || before == 0) {
            let more = above == candidates.len() && candidates.len() >= looks.rows;
            self.page.line = Some(Line { above: before + above, more });
        }
        if used < candidates.len()
            && let Some(last) = used.checked_sub(1).map(|last| &candidates[last])
        {
            let (distance, key) = (last.distance, last.key.clone());
            self.page.next = Some(After { distance, key, seen: before + used });
        }
        self.page.items = folded(&candidates, &shown);
        self.page.items.len() >= size || candidates.len() < looks.rows
    }

    async fn compare(&mut self) -> Result<(), Trouble> {
        self.transaction.run(self.app.database.ranking()).await?;
        // A method that nothing was given for has no column.
        let given = |method: &Method| *method == Method::Hinted || self.plain(*method).is_ok();
        let others: Vec<_> =
            Method::ALL.into_iter().filter(|method| *method != self.state.method && given(method)).collect();
        for method in others {
            let column = match method {
                Method::Hinted => {
                    let state = State { method, after: None, ..self.state.clone() };
                    let fit = if self.app.fits_here() {
                        None
                    } else {
                        Some(self.writer().fit(&state, &self.texts))
                    };
                    match fit {
                        Some(fit) => {
                            let looks = self.writer().looks_at(&state, COMPARED, false, false);
                            Ok(self.writer().page(fit, &state, looks, false))
                        }
                        None => Err("Fits are made here: choose “ours” to see them."),
                    }
                }
                method => {
                    let state = State { after: None, ..self.state.clone() };
                    self.plain(method).map(|vector| self.writer().ranking(vector, &state, COMPARED * 3))
                }
            };
            let items = match column {
                Err(said) => Err(said.to_owned()),
                Ok(statement) => {
                    let rows = self.transaction.rows(&statement).await?;
                    let mut items: Vec<(i64, Item)> =
                        rows.iter().map(|row| (row.get(1), item(row, None))).collect();
                    items.sort_by_key(|(place, _)| *place);
                    let items: Vec<_> = items.into_iter().map(|(_, item)| item).collect();
                    let vectors: Vec<_> = items.iter().map(|item| item.vector.clone()).collect();
                    let (shown, _) = shape::page(&vectors, COMPARED, !self.state.unfolded, false);
                    Ok(folded(&items, &shown))
                }
            };
            self.page.columns.push((method, items));
        }
        Ok(())
    }

    async fn show_random(&mut self) -> Result<(), Trouble> {
        let texts = self.writer().texts("");
        let excluded: Vec<_> = self.state.rejections.iter().map(|rejection| rejection.key.clone()).collect();
        let (size, seed) = (self.app.options.page_size, u64::from(self.state.shuffle));
        let started = Instant::now();
        let rows = sample::rows(self.transaction, &self.app.catalog, size, seed, &texts, &excluded).await?;
        self.page.timing.search = started.elapsed();
        let item = |(key, texts, vector): sample::SampledRow| Item {
            key,
            texts,
            vector: unit(&vector),
            ..Item::default()
        };
        self.page.items = rows.into_iter().map(item).collect();
        self.page.random = true;
        if !self.state.rejections.is_empty() || !self.texts.unwanted.is_empty() {
            self.warn("So far you only said what is not wanted. Like a row or type a text: then it counts.");
        }
        Ok(())
    }

    fn guess_reasons(&mut self) {
        let open = |reason: &Reason| *reason == Reason::Open;
        let liked = self.liked();
        let wanted = mean(liked.iter().map(|(vector, weight)| (&vector[..], *weight)));
        for rejection in self.state.rejections.iter().filter(|rejection| open(&rejection.reason)) {
            if let Some(item) = self.page.examples.get(&rejection.key) {
                let guesses =
                    self.app.encoder.vocabulary().reasons(&item.vector, &wanted, &self.app.middle, GUESSES);
                let wanted =
                    |text: &&str| !State::texts(&self.state.text).any(|own| own.eq_ignore_ascii_case(text));
                let guesses = guesses.into_iter().filter(wanted).map(str::to_owned).collect();
                self.page.guesses.insert(rejection.key.clone(), guesses);
            }
        }
    }

    fn shown_sql(&self, statement: &Sql) -> Shown {
        let (writer, size) = (self.writer(), self.app.options.page_size);
        let state = State { after: None, ..self.state.clone() };
        let search = match state.method {
            Method::Hinted if !self.app.fits_here() && writer.can_search(&state) => {
                writer.written_search(&state, &self.texts, size)
            }
            Method::Hinted => writer.written(writer.weights_call(&state, &self.texts), &state, size),
            method => {
                let mut direction = Sql::default();
                if let Ok(vector) = self.plain(method) {
                    direction.value(vector);
                }
                writer.written(direction, &state, size)
            }
        };
        Shown {
            search: search.with_literals(),
            ran: statement.with_parameters(),
            values: statement.literals(),
        }
    }
}

/// The rows that are shown, each with the keys of its near duplicates.
fn folded(candidates: &[Item], shown: &[shape::Shown]) -> Vec<Item> {
    let alike = |rows: &[usize]| rows.iter().map(|&row| candidates[row].key.clone()).collect();
    shown.iter().map(|shown| Item { alike: alike(&shown.alike), ..candidates[shown.row].clone() }).collect()
}

fn texts_of(texts: Vec<Option<String>>) -> Vec<String> {
    texts.into_iter().map(Option::unwrap_or_default).collect()
}

fn item(row: &Row, report: Option<&Report>) -> Item {
    let cosine: f64 = row.get::<_, Option<f64>>(4).unwrap_or_default();
    let vector = row.get::<_, Option<&[u8]>>(6).and_then(from_bytes);
    Item {
        key: row.get(2),
        texts: texts_of(row.get::<_, Option<_>>(5).unwrap_or_default()),
        margin: report.and_then(|report| report.margin(cosine)),
        cosine,
        distance: row.get::<_, Option<f64>>(3).unwrap_or_default(),
        alike: Vec::new(),
        vector: vector.map(|vector| unit(&vector)).unwrap_or_default(),
    }
}

/// A sampled row that scores as if it were wanted: its margin stands where the others' cosine does.
fn likely(row: &Row) -> Item {
    Item { margin: row.get(4), ..item(row, None) }
}
