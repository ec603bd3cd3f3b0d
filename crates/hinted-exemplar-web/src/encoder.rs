//! Vectors of texts that were typed: from the vocabulary, by SQL, or from a server of an encoder.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_native_tls::TlsConnector;

use crate::database::Transaction;
use crate::options::Options;
use crate::sql::{Sql, Value, literal};
use crate::trouble::Trouble;
use crate::vector::from_bytes;
use crate::vocabulary::Vocabulary;

/// The longest answer of an encoder.
const MOST_BYTES: usize = 4 << 20;
/// How long an encoder may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many texts are remembered.
const REMEMBERED: usize = 10_000;

/// What makes vectors of texts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Sql(String),
    Http { url: String, model: Option<String> },
}

/// The vector of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct TextVector {
    pub text: String,
    pub values: Vec<f32>,
    /// SQL that gives it, if there is any.
    pub written: Option<String>,
}

/// The texts of a search.
#[derive(Debug, Clone, Default)]
pub struct Encoded {
    pub vectors: Vec<TextVector>,
    /// What could not be encoded, and why.
    pub failed: Vec<(String, Trouble)>,
    pub took: Duration,
}

/// All ways to a text's vector.
pub struct Encoder {
    vocabulary: Vocabulary,
    source: Option<Source>,
    template: String,
    dimensions: Option<usize>,
    remembered: Mutex<HashMap<String, Vec<f32>>>,
}

impl Encoder {
    pub fn new(options: &Options, vocabulary: Vocabulary, dimensions: Option<usize>) -> Self {
        let sql = options.embed_sql.clone().map(Source::Sql);
        let http =
            options.embed_url.clone().map(|url| Source::Http { url, model: options.embed_model.clone() });
        Encoder {
            vocabulary,
            source: sql.or(http),
            template: options.template.clone(),
            dimensions,
            remembered: Mutex::default(),
        }
    }

    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Whether any text at all can be used.
    pub fn takes_texts(&self) -> bool {
        self.source.is_some() || !self.vocabulary.is_empty()
    }

    /// Whether texts beside the vocabulary can be used.
    pub fn takes_any_text(&self) -> bool {
        self.source.is_some()
    }

    /// What texts are put into, if that is more than the text.
    pub fn template(&self) -> Option<&str> {
        (self.source.is_some() && self.template != "{}").then_some(&self.template)
    }

    /// The vectors of texts. One that fails is told, and the search goes on with the others.
    pub async fn encode(&self, texts: impl IntoIterator<Item = &str>, transaction: &Transaction) -> Encoded {
        let started = Instant::now();
        let mut encoded = Encoded::default();
        for text in texts {
            match self.vector(text, transaction).await {
                Ok((values, written)) => {
                    encoded.vectors.push(TextVector { text: text.into(), values, written });
                }
                Err(trouble) => encoded.failed.push((text.into(), trouble)),
            }
        }
        encoded.took = started.elapsed();
        encoded
    }

    /// A text of the vocabulary has its vector there: it costs nothing, and works when an encoder is down.
    async fn vector(
        &self,
        text: &str,
        transaction: &Transaction,
    ) -> Result<(Vec<f32>, Option<String>), Trouble> {
        if let Some((values, sql)) = self.vocabulary.find(text) {
            return self.checked(values).map(|values| (values, Some(sql)));
        }
        let Some(source) = &self.source else { return Err(self.unknown(text)) };
        let prompt = self.template.replace("{}", text);
        let written = match source {
            Source::Sql(sql) => Some(format!("({})", sql.replace("$1", &literal(&prompt)))),
            Source::Http { .. } => None,
        };
        let known = self.remembered.lock().ok().and_then(|known| known.get(&prompt).cloned());
        if let Some(values) = known {
            return Ok((values, written));
        }
        let values = match source {
            Source::Sql(sql) => by_sql(sql, &prompt, transaction).await,
            Source::Http { url, model } => by_http(url, model.as_deref(), &prompt).await,
        };
        let values = self.checked(values?)?;
        if let Ok(mut known) = self.remembered.lock() {
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(prompt, values.clone());
        }
        Ok((values, written))
    }

    fn checked(&self, values: Vec<f32>) -> Result<Vec<f32>, Trouble> {
        match self.dimensions {
            Some(expected) if expected != values.len() => {
                let found = values.len();
                let said = format!("The text's vector has {found} dimensions, the table's have {expected}.");
                Err(Trouble::new(StatusCode::BAD_GATEWAY, said).with_hint(
                    "The texts must come from the encoder of the model that made the table's vectors.",
                ))
            }
            _ if values.iter().any(|value| !value.is_finite()) => Err(Trouble::new(
                StatusCode::BAD_GATEWAY,
                "The text's vector has values that are not finite.",
            )),
            _ => Ok(values),
        }
    }

    fn unknown(&self, text: &str) -> Trouble {
        if self.vocabulary.is_empty() {
            return Trouble::bad_request("Texts cannot be used here.")
                .with_hint("Start the page with --vocabulary, --embed-sql or --embed-url.");
        }
        let trouble = Trouble::bad_request(format!("“{text}” is not in the vocabulary."));
        match self.vocabulary.similar(text, 5) {
            similar if similar.is_empty() => {
                trouble.with_hint("Without an encoder only its texts can be used: type a letter to see some.")
            }
            similar => trouble.with_hint(format!("It has: {}.", similar.join(", "))),
        }
    }
}

async fn by_sql(sql: &str, prompt: &str, transaction: &Transaction) -> Result<Vec<f32>, Trouble> {
    let mut statement = Sql::new("SELECT vector_send((");
    for (i, piece) in sql.split("$1").enumerate() {
        if i > 0 {
            statement.value(Value::Text(prompt.into()));
        }
        statement.push(piece);
    }
    statement.push(")::vector)");
    // The search goes on if this fails.
    transaction.run("SAVEPOINT text").await?;
    let row = match transaction.row(&statement).await {
        Ok(row) => row,
        Err(trouble) => {
            transaction.run("ROLLBACK TO text").await?;
            return Err(trouble);
        }
    };
    row.and_then(|row| row.get::<_, Option<&[u8]>>(0).and_then(from_bytes))
        .ok_or_else(|| Trouble::new(StatusCode::BAD_GATEWAY, "--embed-sql gave no vector for this text."))
}

async fn by_http(url: &str, model: Option<&str>, prompt: &str) -> Result<Vec<f32>, Trouble> {
    match tokio::time::timeout(PATIENCE, ask(url, model, prompt)).await {
        Ok(Ok(values)) => Ok(values),
        Ok(Err(reason)) => Err(encoder_trouble(&reason)),
        Err(_) => Err(encoder_trouble(&format!("It did not answer within {} s.", PATIENCE.as_secs()))),
    }
}

fn encoder_trouble(reason: &str) -> Trouble {
    let mut trouble = Trouble::new(StatusCode::BAD_GATEWAY, "The text encoder gave no vector.")
        .with_hint("Examples work without it, and so do the texts of the vocabulary.");
    trouble.detail = Some(reason.into());
    trouble
}

async fn ask(url: &str, model: Option<&str>, prompt: &str) -> Result<Vec<f32>, String> {
    let uri: hyper::Uri = url.parse().map_err(|_| "Its URL is not one.".to_owned())?;
    let authority = uri.authority().ok_or("Its URL has no host.")?.clone();
    let is_secret = uri.scheme_str() == Some("https");
    let port = authority.port_u16().unwrap_or(if is_secret { 443 } else { 80 });
    let host = authority.host().trim_matches(['[', ']']);
    let stream =
        TcpStream::connect((host, port)).await.map_err(|error| format!("It cannot be reached: {error}."))?;
    let (mut sender, connection) = if is_secret {
        let wrong = |error: native_tls::Error| format!("It cannot be trusted: {error}.");
        let connector: TlsConnector = native_tls::TlsConnector::new().map_err(wrong)?.into();
        begin(connector.connect(host, stream).await.map_err(wrong)?).await?
    } else {
        begin(stream).await?
    };
    let mut body = json!({ "input": prompt });
    if let Some(model) = model {
        body["model"] = model.into();
    }
    let mut request = Request::post(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header("host", authority.as_str())
        .header("content-type", "application/json");
    if let Ok(secret) = std::env::var("EMBED_API_KEY") {
        request = request.header("authorization", format!("Bearer {secret}"));
    }
    let request =
        request.body(Full::new(Bytes::from(body.to_string()))).map_err(|error| error.to_string())?;
    let answer = sender.send_request(request).await.map_err(|error| format!("It failed: {error}."))?;
    let status = answer.status();
    let bytes = Limited::new(answer.into_body(), MOST_BYTES).collect().await;
    connection.abort();
    let bytes = bytes.map_err(|error| format!("Its answer broke off: {error}."))?.to_bytes();
    if !status.is_success() {
        return Err(format!("It answered {status}."));
    }
    let answer: Json = serde_json::from_slice(&bytes).map_err(|_| "Its answer is not JSON.".to_owned())?;
    let values = answer["data"][0]["embedding"].as_array().ok_or("Its answer has no data[0].embedding.")?;
    let number = |value: &Json| value.as_f64().map(|value| value as f32);
    values
        .iter()
        .map(|value| number(value).ok_or_else(|| "Its vector has something else than numbers.".into()))
        .collect()
}

/// Begins to speak HTTP; the task ends with the connection.
async fn begin<S>(stream: S) -> Result<(SendRequest<Full<Bytes>>, JoinHandle<()>), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("It does not speak HTTP: {error}."))?;
    // What the connection fails with, the request fails with.
    Ok((sender, tokio::spawn(async { drop(connection.await) })))
}

/// Whether a text says what should not be there, which encoders read as its opposite.
pub fn negates(text: &str) -> bool {
    let mut words = text.split_whitespace().map(str::to_lowercase);
    words.any(|word| {
        matches!(word.as_str(), "no" | "not" | "without" | "except" | "non" | "kein" | "ohne" | "sans")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negations_are_noticed() {
        assert!(negates("a street with No people"));
        assert!(negates("without a hat"));
        assert!(!negates("a notebook"));
    }
}
