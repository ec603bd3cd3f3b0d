//! TLS to the database, as libpq's `sslmode` and `sslrootcert` ask for it, and to an encoder.

use std::path::{Path, PathBuf};

use native_tls::{Certificate, TlsConnector};
use postgres_native_tls::MakeTlsConnector;
use tokio_postgres::config::{Host, SslMode};

/// What is asked of the connection, with libpq's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    Disable,
    #[default]
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// The part of a connection string that is about TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    pub mode: Mode,
    /// Certificates to trust, instead of the system's.
    pub root: Option<PathBuf>,
}

const NAMES: [&str; 2] = ["sslmode", "sslrootcert"];

impl Tls {
    /// Takes what is about TLS out of a connection string; the environment stands in for what is not there.
    ///
    /// # Errors
    /// Words about a mode that is none.
    pub fn take(connection: &str) -> Result<(Tls, String), String> {
        let (values, rest) = match connection.split_once('?') {
            Some((address, query)) if is_url(connection) => from_query(address, query),
            _ if is_url(connection) => ([None, None], connection.to_owned()),
            _ => from_pairs(connection),
        };
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let [mode, root] = values;
        let mode = match mode.or_else(|| variable("PGSSLMODE")).as_deref() {
            None | Some("prefer" | "allow") => Mode::Prefer,
            Some("disable") => Mode::Disable,
            Some("require") => Mode::Require,
            Some("verify-ca") => Mode::VerifyCa,
            Some("verify-full") => Mode::VerifyFull,
            Some(other) => return Err(format!("the connection string: sslmode cannot be \"{other}\"")),
        };
        let system = |root: &String| root == "system";
        let root = root.or_else(|| variable("PGSSLROOTCERT"));
        let root = match root.filter(|root| !system(root)) {
            Some(root) => Some(PathBuf::from(root)),
            None => variable("HOME")
                .map(|home| Path::new(&home).join(".postgresql/root.crt"))
                .filter(|file| file.exists()),
        };
        Ok((Tls { mode, root }, rest))
    }

    /// What the driver is told. A socket has no TLS, and needs none.
    pub fn driver_mode(&self, hosts: &[Host]) -> SslMode {
        let is_socket = |host: &Host| !matches!(host, Host::Tcp(_));
        match self.mode {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            _ if !hosts.is_empty() && hosts.iter().all(is_socket) => SslMode::Prefer,
            _ => SslMode::Require,
        }
    }

    /// # Errors
    /// Words about a certificate that cannot be read.
    pub fn connector(&self) -> Result<MakeTlsConnector, String> {
        let mut builder = TlsConnector::builder();
        // As libpq does, a root certificate that is there is checked against, whether or not that was asked for.
        let checks = matches!(self.mode, Mode::VerifyCa | Mode::VerifyFull)
            || (self.mode == Mode::Require && self.root.is_some());
        builder.danger_accept_invalid_certs(!checks);
        builder.danger_accept_invalid_hostnames(self.mode != Mode::VerifyFull);
        if let Some(root) = self.root.as_ref().filter(|_| checks) {
            let wrong = |error: &dyn std::fmt::Display| format!("sslrootcert {}: {error}", root.display());
            let pem = std::fs::read(root).map_err(|error| wrong(&error))?;
            builder.disable_built_in_roots(true);
            for certificate in Certificate::stack_from_pem(&pem).map_err(|error| wrong(&error))? {
                builder.add_root_certificate(certificate);
            }
        }
        Ok(MakeTlsConnector::new(builder.build().map_err(|error| error.to_string())?))
    }
}

fn is_url(connection: &str) -> bool {
    connection.starts_with("postgres://") || connection.starts_with("postgresql://")
}

fn from_query(address: &str, query: &str) -> ([Option<String>; 2], String) {
    let mut values = [None, None];
    let mut rest = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match NAMES.iter().position(|known| *known == name) {
            Some(i) => values[i] = Some(value.into_owned()),
            // The driver reads a plus as a plus.
            None => {
                rest.append_pair(&name, &value);
            }
        }
    }
    let rest = rest.finish().replace('+', "%20");
    (values, if rest.is_empty() { address.to_owned() } else { format!("{address}?{rest}") })
}

/// From `name = value` pairs, whose values may stand in quotes and have backslashes.
fn from_pairs(connection: &str) -> ([Option<String>; 2], String) {
    let mut values = [None, None];
    let mut rest = Vec::new();
    let mut left = connection.trim_start();
    while !left.is_empty() {
        let Some((name, after)) = left.split_once('=') else {
            // The driver says what is wrong with it.
            rest.push(left);
            break;
        };
        let start = after.trim_start();
        let (value, end) = value_of(start);
        match NAMES.iter().position(|known| *known == name.trim()) {
            Some(i) => values[i] = Some(value),
            None => rest.push(&left[..left.len() - start.len() + end]),
        }
        left = start[end..].trim_start();
    }
    (values, rest.join(" "))
}

/// The value that a text begins with, and where it ends.
fn value_of(text: &str) -> (String, usize) {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((i, c)) = characters.next() {
        match c {
            '\\' => value.extend(characters.next().map(|(_, c)| c)),
            '\'' if quoted => return (value, i + 1),
            c if !quoted && c.is_whitespace() => return (value, i),
            c => value.push(c),
        }
    }
    (value, text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(connection: &str) -> (Mode, Option<PathBuf>, String) {
        let (tls, rest) = Tls::take(connection).unwrap();
        (tls.mode, tls.root, rest)
    }

    #[test]
    fn what_is_about_tls_is_taken_out() {
        let pairs = "host=h sslmode = verify-full  password='a b\\'c' sslrootcert='/a b/root.crt' dbname=d";
        let root = Some(PathBuf::from("/a b/root.crt"));
        let rest = "host=h password='a b\\'c' dbname=d".to_owned();
        assert_eq!(taken(pairs), (Mode::VerifyFull, root, rest));
        let url = "postgresql://u:p%40@h:1/d?application_name=a%20b&sslmode=require&sslrootcert=%2Fr.crt";
        let rest = "postgresql://u:p%40@h:1/d?application_name=a%20b".to_owned();
        assert_eq!(taken(url), (Mode::Require, Some("/r.crt".into()), rest));
        assert_eq!(taken("postgres://h/d?sslmode=disable").2, "postgres://h/d");
        assert_eq!(taken("dbname=x sslmode=disable").0, Mode::Disable);
        assert!(Tls::take("sslmode=sometimes").unwrap_err().contains("\"sometimes\""));
    }

    #[test]
    fn a_socket_needs_no_tls() {
        let tls = Tls { mode: Mode::VerifyFull, root: None };
        assert_eq!(tls.driver_mode(&[Host::Tcp("h".into())]), SslMode::Require);
        assert_eq!(tls.driver_mode(&[Host::Unix("/run".into())]), SslMode::Prefer);
    }

    #[test]
    fn a_root_certificate_that_is_none_is_told() {
        let tls = Tls { mode: Mode::VerifyFull, root: Some("/nowhere/root.crt".into()) };
        assert!(tls.connector().err().unwrap().contains("/nowhere/root.crt"));
    }
}
