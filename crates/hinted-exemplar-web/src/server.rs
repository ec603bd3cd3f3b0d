//! The routes, and what every request and answer must be.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State as Shared};
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use maud::Markup;

use crate::app::App;
use crate::state::State;
use crate::statement;
use crate::trouble::Trouble;
use crate::{connections, page, pictures, search};

/// The longest URL.
const MOST_URI: usize = 64 << 10;
/// The longest form that is posted.
const MOST_FORM: usize = 64 << 10;
/// The most rows of an export.
const MOST_EXPORTED: usize = 10_000;
const MOST_SUGGESTIONS: usize = 20;

type Web = Shared<Arc<App>>;

/// All that the program answers.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(main_page))
        .route("/picture", get(picture))
        .route("/suggest", get(suggest))
        .route("/export.csv", get(export_csv))
        .route("/export.json", get(export_json))
        .route("/save", post(save))
        .route("/app.js", get(|| asset("text/javascript", include_str!("../assets/app.js"))))
        .route("/app.css", get(|| asset("text/css", include_str!("../assets/app.css"))))
        .route("/icon.svg", get(|| asset("image/svg+xml", include_str!("../assets/icon.svg"))))
        .route("/health", get(health))
        .fallback(|| async { plain(StatusCode::NOT_FOUND, "There is no such page.\n") })
        .layer(middleware::from_fn_with_state(app.clone(), guard))
        .with_state(app)
}

/// Serves until the process is told to end.
///
/// # Errors
/// What listening fails with.
pub async fn serve(app: Arc<App>, listen: SocketAddr) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(listen).await?;
    println!("http://{}/", listener.local_addr()?);
    connections::serve(listener, router(app), ended()).await;
    Ok(())
}

async fn ended() {
    let interrupt = tokio::signal::ctrl_c();
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .expect("signals can be awaited");
    tokio::select! {
        _ = interrupt => {}
        _ = terminate.recv() => {}
    }
}

/// Refuses what another site may have sent, and says what a browser may do with the answer.
async fn guard(Shared(app): Web, request: Request, next: Next) -> Response {
    let mut response = match refusal(&app, &request) {
        Some((status, said)) => plain(status, said),
        None => next.run(request).await,
    };
    let origin = app.options.image_url.as_deref().and_then(origin_of).unwrap_or_default();
    let policy = format!(
        "default-src 'self'; img-src 'self' {origin}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    );
    let headers = response.headers_mut();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.entry(name).or_insert(value);
        }
    };
    set(header::CONTENT_SECURITY_POLICY, &policy);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::CACHE_CONTROL, "no-store");
    set(header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    response
}

fn refusal(app: &App, request: &Request) -> Option<(StatusCode, &'static str)> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(|host| is_ours(app, host)) {
        return Some((
            StatusCode::MISDIRECTED_REQUEST,
            "This page does not answer to this name; --allow-host adds names.\n",
        ));
    }
    if request.uri().to_string().len() > MOST_URI {
        return Some((StatusCode::URI_TOO_LONG, "The address is too long.\n"));
    }
    if !request.method().is_safe() && !same_origin(request.headers(), host.unwrap_or_default()) {
        return Some((StatusCode::FORBIDDEN, "Another site's form was refused.\n"));
    }
    None
}

/// Whether a Host header names this machine or a name that was allowed: a foreign name may point here by DNS alone.
fn is_ours(app: &App, host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|c| c.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    };
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "localhost" | "127.0.0.1" | "[::1]")
        || name == app.options.listen.ip().to_string()
        || app.options.allow_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(&name))
}

fn same_origin(headers: &HeaderMap, host: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        return false;
    }
    text("origin").is_some_and(|origin| {
        origin.split_once("://").is_some_and(|(_, name)| name.eq_ignore_ascii_case(host))
    })
}

fn origin_of(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}

async fn main_page(Shared(app): Web, uri: Uri) -> Response {
    let started = Instant::now();
    let (state, changed) = match State::parse(uri.query().unwrap_or_default()) {
        Ok(parsed) => parsed,
        Err(bad) => {
            let trouble = Trouble::bad_request("This address cannot be understood.").with_hint(bad.0);
            return answer(trouble.status, page::error(&app, &State::default(), &trouble));
        }
    };
    if changed {
        return (StatusCode::SEE_OTHER, [(header::LOCATION, state.url("/"))]).into_response();
    }
    let saved = saved_searches(&app).await;
    match search::find(&app, &state).await {
        Ok(found) => {
            let took = started.elapsed();
            let mut response = answer(StatusCode::OK, page::results(&app, &state, &found, &saved, took));
            let timing = found.timing;
            let ms = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
            let timing = format!(
                "fit;dur={:.1}, search;dur={:.1}, text;dur={:.1}, total;dur={:.1}",
                ms(timing.fit),
                ms(timing.search),
                ms(timing.text),
                ms(took)
            );
            if let Ok(value) = HeaderValue::from_str(&timing) {
                response.headers_mut().insert("server-timing", value);
            }
            response
        }
        Err(trouble) => answer(trouble.status, page::error(&app, &state, &trouble)),
    }
}

fn answer(status: StatusCode, markup: Markup) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], markup.into_string()).into_response()
}

fn plain(status: StatusCode, said: impl Into<String>) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], said.into()).into_response()
}

async fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")];
    (headers, text).into_response()
}

/// The value of a field of the URL, without what no text of Postgres can hold.
fn field(query: Option<&str>, name: &str) -> String {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(other, _)| other == name).map(|(_, value)| value.replace('\0', "")).unwrap_or_default()
}

async fn picture(Shared(app): Web, uri: Uri) -> Response {
    match pictures::find(&app, &field(uri.query(), "key")).await {
        Ok(found) => {
            let headers =
                [(header::CONTENT_TYPE, found.kind), (header::CACHE_CONTROL, "private, max-age=3600")];
            (headers, Bytes::from(found.bytes)).into_response()
        }
        Err(trouble) => plain(trouble.status, trouble.message + "\n"),
    }
}

async fn suggest(Shared(app): Web, uri: Uri) -> Response {
    let typed = field(uri.query(), "q");
    let found = app.encoder.vocabulary().suggest(&typed, MOST_SUGGESTIONS);
    let body = serde_json::to_string(&found).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn exported(app: &App, uri: &Uri) -> Result<Vec<(String, Option<f64>)>, Trouble> {
    let (state, _) =
        State::parse(uri.query().unwrap_or_default()).map_err(|bad| Trouble::bad_request(bad.0))?;
    search::export(app, &state, MOST_EXPORTED).await
}

fn download(kind: &str, name: &str, body: String) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, &disposition)], body).into_response()
}

async fn export_csv(Shared(app): Web, uri: Uri) -> Response {
    match exported(&app, &uri).await {
        Ok(rows) => {
            let mut body = String::from("key,margin\r\n");
            for (key, margin) in rows {
                let margin = margin.map(|margin| margin.to_string()).unwrap_or_default();
                body.push_str(&format!("\"{}\",{margin}\r\n", key.replace('"', "\"\"")));
            }
            download("text/csv; charset=utf-8", "search.csv", body)
        }
        Err(trouble) => plain(trouble.status, trouble.message + "\n"),
    }
}

async fn export_json(Shared(app): Web, uri: Uri) -> Response {
    match exported(&app, &uri).await {
        Ok(rows) => {
            let rows: Vec<_> = rows
                .into_iter()
                .map(|(key, margin)| serde_json::json!({ "key": key, "margin": margin }))
                .collect();
            download("application/json", "search.json", serde_json::Value::from(rows).to_string())
        }
        Err(trouble) => plain(trouble.status, trouble.message + "\n"),
    }
}

/// Names and addresses of the saved searches; none where that is off or cannot be read.
async fn saved_searches(app: &App) -> Vec<(String, String)> {
    let Some(table) = &app.options.save_into else { return Vec::new() };
    let Ok(transaction) = app.database.read().await else { return Vec::new() };
    let rows = transaction.rows(&statement::saved(&statement::table_name(table))).await.unwrap_or_default();
    transaction.end().await;
    rows.iter().filter_map(|row| Some((row.get::<_, Option<_>>(0)?, row.get::<_, Option<_>>(1)?))).collect()
}

async fn save(Shared(app): Web, request: Request) -> Response {
    match keep(&app, request).await {
        Ok(url) => (StatusCode::SEE_OTHER, [(header::LOCATION, url)]).into_response(),
        Err(trouble) => answer(trouble.status, page::error(&app, &State::default(), &trouble)),
    }
}

async fn keep(app: &App, request: Request) -> Result<String, Trouble> {
    let table = app.options.save_into.as_ref().ok_or_else(|| {
        Trouble::new(StatusCode::FORBIDDEN, "Searches are not saved here.")
            .with_hint("Start the page with --save-into.")
    })?;
    let body = axum::body::to_bytes(request.into_body(), MOST_FORM);
    let body = tokio::time::timeout(connections::BODY, body)
        .await
        .map_err(|_| Trouble::new(StatusCode::REQUEST_TIMEOUT, "The form did not arrive."))?
        .map_err(|_| Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, "The form is too large."))?;
    let body = String::from_utf8_lossy(&body);
    let (name, query) = (field(Some(&body), "name"), field(Some(&body), "search"));
    let name = name.trim();
    if name.is_empty() || name.len() > 200 {
        return Err(Trouble::bad_request("A saved search needs a name of up to 200 bytes."));
    }
    let (state, _) = State::parse(&query).map_err(|bad| Trouble::bad_request(bad.0))?;
    let state = state.with(|_| ());
    let transaction = app.database.write().await?;
    transaction.rows(&statement::save(&statement::table_name(table), name, &state.query())).await.map_err(
        |trouble| {
            trouble.with_hint(format!(
                "The table is made with: CREATE TABLE {table} (name text PRIMARY KEY, search text NOT NULL)"
            ))
        },
    )?;
    transaction.commit().await?;
    Ok(state.url("/"))
}

async fn health(Shared(app): Web) -> Response {
    match app.database.read().await {
        Ok(_) => plain(StatusCode::OK, "ok\n"),
        Err(trouble) => plain(trouble.status, trouble.message + "\n"),
    }
}
