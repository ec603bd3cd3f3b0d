//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Where fits are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FitWhere {
    /// In the database where the extension is, else here.
    #[default]
    Auto,
    Database,
    Client,
}

/// What the page serves and how.
#[derive(Debug, Clone)]
pub struct Options {
    pub connection: String,
    pub table: String,
    pub key: Option<String>,
    pub embedding: Option<String>,
    /// Columns with a picture: a path below `image_root`, behind `image_url`, or bytes.
    pub image: Option<String>,
    pub image_root: Option<PathBuf>,
    pub image_url: Option<String>,
    /// Columns that are shown as text, the first as a title.
    pub text: Vec<String>,
    pub filters: Vec<String>,
    pub vocabulary: Option<String>,
    pub embed_sql: Option<String>,
    pub embed_url: Option<String>,
    pub embed_model: Option<String>,
    pub template: String,
    pub role: Option<String>,
    pub save_into: Option<String>,
    pub allow_where: bool,
    pub allow_hosts: Vec<String>,
    pub listen: SocketAddr,
    pub timeout: Duration,
    pub connections: usize,
    pub most_picture_bytes: u64,
    pub sample_size: usize,
    pub page_size: usize,
    pub fit: FitWhere,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            connection: String::new(),
            table: String::new(),
            key: None,
            embedding: None,
            image: None,
            image_root: None,
            image_url: None,
            text: Vec::new(),
            filters: Vec::new(),
            vocabulary: None,
            embed_sql: None,
            embed_url: None,
            embed_model: None,
            template: "{}".into(),
            role: None,
            save_into: None,
            allow_where: false,
            allow_hosts: Vec::new(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            timeout: Duration::from_secs(5),
            connections: 8,
            most_picture_bytes: 20 << 20,
            sample_size: 1000,
            page_size: 24,
            fit: FitWhere::Auto,
        }
    }
}

pub const USAGE: &str = "\
usage: hinted-exemplar-web --table TABLE [OPTION...] [CONNECTION]

CONNECTION is what psql takes: 'host=... dbname=... user=...' or a postgresql:// URL, with its sslmode and sslrootcert. A password is best
left to PGPASSWORD.

what is searched
  --table TABLE             the table or view, with its schema if that is not on the search path
  --key COLUMN              its key (guessed: the primary key)
  --embedding COLUMN        its vectors (guessed: the only column of vectors)
  --image COLUMN            pictures: a path, or bytea
  --image-root DIRECTORY    the paths are below this directory; nothing outside is ever read
  --image-url PREFIX        or the paths are behind this URL
  --text COLUMN[,COLUMN]    texts to show, the first as a title (guessed: the columns of type text)
  --filter COLUMN[,COLUMN]  columns to choose values of (guessed: columns with few values)
  --allow-where             a field for a condition in SQL

texts
  --vocabulary TABLE(TEXT, EMBEDDING)   texts with their vectors: no model is needed for these
  --embed-sql SQL           as 'SELECT embed($1)'
  --embed-url URL           an OpenAI-compatible /v1/embeddings; a key for it is left in EMBED_API_KEY
  --embed-model NAME        the model it is asked for
  --template TEXT           what a text is put into, as 'a photo of {}'

how
  --listen ADDRESS:PORT     127.0.0.1:8080 unless given
  --allow-host NAME         answer requests to this name too, behind a proxy
  --role ROLE               SET ROLE to it
  --save-into TABLE         keep searches in this table (name text, search text)
  --timeout SECONDS         statement_timeout, 5 unless given
  --connections N           at most so many, 8 unless given
  --sample-size N           negatives of a fit, 1000 unless given
  --page-size N             24 unless given
  --max-picture BYTES       larger ones are not sent, 20 MiB unless given
  --fit database|client     where fits are made; without the extension it is the client
";

/// Reads the command line, without the program's name.
///
/// # Errors
/// Words for the person who typed it.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (name, inline) = match argument.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ => (argument.clone(), None),
        };
        if !name.starts_with('-') {
            if !options.connection.is_empty() {
                return Err(format!("a second connection string, \"{argument}\""));
            }
            options.connection = argument;
            continue;
        }
        let mut value =
            || inline.clone().or_else(|| arguments.next()).ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--allow-where" => options.allow_where = true,
            _ => set(&mut options, &name, &mut value)?,
        }
    }
    check(options)
}

fn set(
    options: &mut Options,
    name: &str,
    value: &mut dyn FnMut() -> Result<String, String>,
) -> Result<(), String> {
    match name {
        "--table" => options.table = value()?,
        "--key" => options.key = Some(value()?),
        "--embedding" => options.embedding = Some(value()?),
        "--image" => options.image = Some(value()?),
        "--image-root" => options.image_root = Some(value()?.into()),
        "--image-url" => options.image_url = Some(value()?),
        "--text" => options.text = list(&value()?),
        "--filter" => options.filters = list(&value()?),
        "--vocabulary" => options.vocabulary = Some(value()?),
        "--embed-sql" => options.embed_sql = Some(value()?),
        "--embed-url" => options.embed_url = Some(value()?),
        "--embed-model" => options.embed_model = Some(value()?),
        "--template" => options.template = value()?,
        "--role" => options.role = Some(value()?),
        "--save-into" => options.save_into = Some(value()?),
        "--allow-host" => options.allow_hosts.push(value()?),
        "--listen" => options.listen = number(name, &value()?)?,
        "--timeout" => options.timeout = seconds(&value()?)?,
        "--connections" => options.connections = at_least_one(name, &value()?)?,
        "--sample-size" => options.sample_size = at_least_one(name, &value()?)?,
        "--page-size" => options.page_size = at_least_one(name, &value()?)?.min(200),
        "--max-picture" => options.most_picture_bytes = number(name, &value()?)?,
        "--fit" => {
            options.fit = match value()?.as_str() {
                "database" => FitWhere::Database,
                "client" => FitWhere::Client,
                other => return Err(format!("--fit is database or client, not \"{other}\"")),
            }
        }
        _ => return Err(format!("there is no option {name}")),
    }
    Ok(())
}

fn check(options: Options) -> Result<Options, String> {
    if options.table.is_empty() {
        return Err("which table? give --table".into());
    }
    if !options.template.contains("{}") {
        return Err("--template must contain {}".into());
    }
    if options.image_root.is_some() && options.image_url.is_some() {
        return Err("--image-root and --image-url exclude each other".into());
    }
    if let Some(url) = &options.embed_url
        && !url.starts_with("http://")
        && !url.starts_with("https://")
    {
        return Err(format!("--embed-url must begin with http:// or https://, not \"{url}\""));
    }
    Ok(options)
}

fn list(value: &str) -> Vec<String> {
    value.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{name} cannot be \"{value}\""))
}

fn at_least_one(name: &str, value: &str) -> Result<usize, String> {
    number(name, value).and_then(|n| if n > 0 { Ok(n) } else { Err(format!("{name} must be 1 or more")) })
}

fn seconds(value: &str) -> Result<Duration, String> {
    let seconds: f64 = number("--timeout", value)?;
    if seconds > 0.0 && seconds < 1e6 {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("--timeout must be above 0".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read() {
        let options = parsed("--table=t --text a,b --timeout 0.5 --listen [::1]:90 dbname=x").unwrap();
        assert_eq!((options.table.as_str(), options.connection.as_str()), ("t", "dbname=x"));
        assert_eq!(options.text, ["a", "b"]);
        assert_eq!(options.timeout, Duration::from_millis(500));
        assert!(options.listen.is_ipv6());
    }

    #[test]
    fn mistakes_are_told() {
        for (line, said) in [
            ("", "which table"),
            ("--table", "needs a value"),
            ("--table t --nonsense 1", "no option --nonsense"),
            ("--table t --timeout 0", "above 0"),
            ("--table t --template photo", "must contain {}"),
            ("--table t --embed-url ftp://x", "must begin with http:// or https://"),
            ("--table t a b", "second connection string"),
        ] {
            assert!(parsed(line).unwrap_err().contains(said), "{line}");
        }
    }
}
