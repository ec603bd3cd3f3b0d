//! tokio-postgres: vectors as texts, arrays of them, errors.

// [docs
use tokio_postgres::{Client, Error, NoTls};

const SEARCH: &str = "
    SELECT id, path
    FROM   images
    ORDER  BY embedding <#> hinted_exemplar('images', 'embedding',
                            exemplar => (SELECT embedding FROM images WHERE id = $1),
                            hint     => $2::text::vector)
    LIMIT  5";

async fn search(client: &Client, id: i64, hint: &[f32]) -> Result<Vec<(i64, String)>, Error> {
    let rows = client.query(SEARCH, &[&id, &format!("{hint:?}")]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}
// docs]

const HINT: [f32; 4] = [0.7, 0.6, 0.1, 0.1];

/// Checks, counted.
#[derive(Default)]
struct Checks {
    passed: usize,
    failed: usize,
}

impl Checks {
    fn check(&mut self, what: &str, good: bool) {
        *(if good { &mut self.passed } else { &mut self.failed }) += 1;
        println!("{} {what}", if good { "ok     " } else { "FAILED " });
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

async fn checks(client: &Client) -> Result<Checks, Error> {
    let mut checks = Checks::default();
    let expected = variable("EXPECTED");
    // The test's own answer is JSON: [[7, "image7.jpg"], ...].
    let same = |rows: &[(i64, String)]| {
        let rows: Vec<_> = rows.iter().map(|(id, path)| format!("[{id}, {path:?}]")).collect();
        format!("[{}]", rows.join(", ")) == expected
    };
    checks.check("tokio-postgres", same(&search(client, 7, &HINT).await?));

    let statement = client.prepare(SEARCH).await?;
    let mut prepared = true;
    for _ in 0..8 {
        let rows = client.query(&statement, &[&7i64, &format!("{HINT:?}")]).await?;
        let rows: Vec<(i64, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        prepared &= same(&rows);
    }
    checks.check("tokio-postgres, prepared", prepared);

    // [docs
    // Arrays of vectors, as texts, and i64 for bigint.
    let wanted = ["[0.9,0.1,0.3,0.1]", "[0.8,0.5,0.3,0.1]"];
    let unwanted = ["[0.1,0.1,0.9,0.2]", "[0.2,0.8,0.5,0.1]"];
    let reasons = [Some("[0.7,0.6,0.1,0.1]"), None];
    let row = client
        .query_one(
            "SELECT vector_norm(hinted_exemplar('images', 'embedding', exemplars => $1::text[]::vector[],
                        counter_exemplars => $2::text[]::vector[], reasons => $3::text[]::vector[], sample_size => $4))",
            &[&&wanted[..], &&unwanted[..], &&reasons[..], &200i64],
        )
        .await?;
    let norm: f64 = row.get(0);
    // docs]
    checks.check(
        "tokio-postgres, arrays of vectors with a null among the reasons, and i64",
        (norm - 1.0).abs() < 1e-5,
    );

    let mut state = String::new();
    // [docs
    if let Err(error) = search(client, 7, &[0.5, 0.5]).await {
        if let Some(error) = error.as_db_error() {
            state = error.code().code().to_owned(); // the SQLSTATE; error.hint() says what to do
        }
    }
    // docs]
    checks.check("tokio-postgres, an error by its SQLSTATE", state == "22000");

    // What a newcomer meets: numbers where a vector is asked for.
    let query = SEARCH.replace("$2::text::vector", "$2");
    if let Err(error) = client.query(&query, &[&7i64, &HINT.to_vec()]).await {
        let cause = std::error::Error::source(&error).map_or(String::new(), ToString::to_string);
        println!("first error\ttokio-postgres\t{cause}");
    }
    Ok(checks)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let configuration = format!(
        "host={} port={} user={} dbname={}",
        variable("PGHOST"),
        variable("PGPORT"),
        variable("PGUSER"),
        variable("PGDATABASE")
    );
    let (client, connection) = tokio_postgres::connect(&configuration, NoTls).await?;
    tokio::spawn(connection);
    let checks = checks(&client).await?;
    println!("{} passed, {} failed", checks.passed, checks.failed);
    std::process::exit(i32::from(checks.failed > 0));
}
