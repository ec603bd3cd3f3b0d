//! Pictures: by a row's key alone, and never from outside of the root.

use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use tokio::io::AsyncReadExt;

use crate::app::App;
use crate::catalog::Picture;
use crate::sql::{Sql, Value};
use crate::trouble::Trouble;

/// A picture as it is sent.
pub struct Found {
    pub bytes: Vec<u8>,
    pub kind: &'static str,
}

fn missing() -> Trouble {
    Trouble::new(StatusCode::NOT_FOUND, "There is no such picture.")
}

fn too_large(most: u64) -> Trouble {
    Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The picture is larger than {most} bytes."))
}

/// The picture of a row that this role may see.
///
/// # Errors
/// 404 for whatever is not there or not to be seen, 413 for what is too large, 415 for what is not a picture.
pub async fn find(app: &App, key: &str) -> Result<Found, Trouble> {
    let most = app.options.most_picture_bytes;
    let bytes = match &app.catalog.picture {
        None => return Err(missing()),
        Some(Picture::Bytes(column)) => {
            let column = column.quoted();
            let value = format!(
                "octet_length({column})::float8, CASE WHEN octet_length({column}) <= {most} THEN {column} END"
            );
            let row = row(app, key, &value).await?.ok_or_else(missing)?;
            let size: Option<f64> = row.get(0);
            let bytes: Option<Vec<u8>> = row.get(1);
            size.ok_or_else(missing)?;
            bytes.ok_or_else(|| too_large(most))?
        }
        Some(Picture::Path(column)) => {
            let root = app.image_root.as_deref().ok_or_else(missing)?;
            let row = row(app, key, &format!("{}::text", column.quoted())).await?.ok_or_else(missing)?;
            let path: Option<String> = row.get(0);
            read_below(root, &path.ok_or_else(missing)?, most).await?
        }
    };
    let kind = kind_of(&bytes).ok_or_else(|| {
        Trouble::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "This is not a picture that browsers show.")
    })?;
    Ok(Found { bytes, kind })
}

async fn row(app: &App, key: &str, value: &str) -> Result<Option<tokio_postgres::Row>, Trouble> {
    let catalog = &app.catalog;
    let mut sql =
        Sql::new(&format!("SELECT {value} FROM {} WHERE {} = ", catalog.relation, catalog.key.quoted()));
    sql.value(Value::Key(key.into(), catalog.key.kind.clone())).push(" LIMIT 1");
    app.database.read().await?.row(&sql).await
}

async fn read_below(root: &Path, path: &str, most: u64) -> Result<Vec<u8>, Trouble> {
    let place = resolve(root, path).await.ok_or_else(missing)?;
    let file = tokio::fs::File::open(&place).await.map_err(|_| missing())?;
    let about = file.metadata().await.map_err(|_| missing())?;
    if !about.is_file() {
        return Err(missing());
    }
    if about.len() > most {
        return Err(too_large(most));
    }
    let mut bytes = Vec::with_capacity(about.len() as usize);
    // It may grow while it is read.
    file.take(most + 1).read_to_end(&mut bytes).await.map_err(|_| missing())?;
    if bytes.len() as u64 > most { Err(too_large(most)) } else { Ok(bytes) }
}

/// Where a path leads, symbolic links followed, if that is a file below the root.
async fn resolve(root: &Path, path: &str) -> Option<PathBuf> {
    if path.contains('\0') {
        return None;
    }
    let place = tokio::fs::canonicalize(root.join(path.trim_start_matches('/'))).await.ok()?;
    // Opening a pipe would wait for whoever writes to it.
    let is_file = tokio::fs::metadata(&place).await.ok()?.is_file();
    (place.starts_with(root) && is_file).then_some(place)
}

/// The type of a picture by its first bytes. SVG is none: it can carry scripts.
pub fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    let at = |from: usize, what: &[u8]| bytes.get(from..from + what.len()) == Some(what);
    if at(0, b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if at(0, b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if at(0, b"GIF8") {
        Some("image/gif")
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some("image/webp")
    } else if at(4, b"ftypavif") {
        Some("image/avif")
    } else if at(0, b"BM") {
        Some("image/bmp")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_bytes() {
        assert_eq!(kind_of(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(kind_of(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(kind_of(b"<svg onload=alert(1)>"), None);
        assert_eq!(kind_of(b""), None);
    }

    #[tokio::test]
    async fn nothing_outside_of_the_root_is_found() {
        let place = std::env::temp_dir().join(format!("hinted-exemplar-web-{}", std::process::id()));
        let root = place.join("root");
        std::fs::create_dir_all(root.join("deep")).unwrap();
        std::fs::write(place.join("secret.png"), "secret").unwrap();
        std::fs::write(root.join("deep/a.png"), "a").unwrap();
        std::os::unix::fs::symlink(place.join("secret.png"), root.join("link.png")).unwrap();
        std::os::unix::fs::symlink(root.join("deep/a.png"), root.join("inside.png")).unwrap();
        let root = root.canonicalize().unwrap();
        for path in [
            "../secret.png",
            "deep/../../secret.png",
            "link.png",
            "/etc/passwd",
            "deep",
            "",
            "a\0b",
            "none.png",
        ] {
            assert_eq!(resolve(&root, path).await, None, "{path:?}");
        }
        assert_eq!(resolve(&root, "deep/a.png").await, Some(root.join("deep/a.png")));
        assert_eq!(resolve(&root, "inside.png").await, Some(root.join("deep/a.png")));
        assert!(read_below(&root, "deep/a.png", 0).await.is_err(), "it is too large");
        std::fs::remove_dir_all(place).unwrap();
    }
}
