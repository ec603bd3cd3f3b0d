//! A fit here and one in the database give the same bits for the same rows. Needs a database that the environment reaches, with the
//! extension; without PGHOST it says so and passes.

use hinted_exemplar_web::app::App;
use hinted_exemplar_web::client::{self, Given};
use hinted_exemplar_web::options::Options;
use hinted_exemplar_web::sample;
use hinted_exemplar_web::sql::{Sql, Value};

const ROWS: usize = 400;

fn vectors(sql: &mut Sql, name: &str, vectors: &[Vec<f32>]) {
    sql.push(&format!(", {name} => ARRAY["));
    for (i, values) in vectors.iter().enumerate() {
        sql.push(if i == 0 { "" } else { ", " });
        sql.value(Value::Vector { values: values.clone(), written: None });
    }
    sql.push("]::vector[]");
}

/// The same fit by the SQL function.
fn in_the_database(given: &Given) -> Sql {
    let mut sql = Sql::new("SELECT exemplar_svm(exemplar_weights => ");
    sql.value(Value::Numbers(given.exemplars.iter().map(|(_, weight)| *weight).collect()));
    let only = |pairs: &[(Vec<f32>, f64)]| pairs.iter().map(|(vector, _)| vector.clone()).collect::<Vec<_>>();
    vectors(&mut sql, "exemplars", &only(&given.exemplars));
    vectors(&mut sql, "negatives", &given.negatives);
    if !given.counter_exemplars.is_empty() {
        let rows: Vec<_> = given.counter_exemplars.iter().map(|(row, _)| row.clone()).collect();
        let reasons: Vec<_> =
            given.counter_exemplars.iter().filter_map(|(_, reason)| reason.clone()).collect();
        vectors(&mut sql, "counter_exemplars", &rows);
        vectors(&mut sql, "reasons", &reasons);
    }
    for (name, texts) in [
        ("hints", &given.hints),
        ("counter_hints", &given.counter_hints),
        ("neutral_hints", &given.neutral_hints),
    ] {
        if !texts.is_empty() {
            vectors(&mut sql, name, texts);
        }
    }
    sql.push(")::real[]");
    sql
}

#[tokio::test]
async fn the_same_rows_give_the_same_bits() {
    if std::env::var_os("PGHOST").is_none() {
        println!("skipped: PGHOST names no server");
        return;
    }
    let options = Options { table: "packages".into(), ..Options::default() };
    let app = App::start(Options { timeout: std::time::Duration::from_secs(60), ..options }).await.unwrap();
    let transaction = app.database.read().await.unwrap();
    let rows = sample::rows(&transaction, &app.catalog, ROWS, 7, "NULL::text[]", &[]).await.unwrap();
    assert_eq!(rows.len(), ROWS);
    let again = sample::rows(&transaction, &app.catalog, ROWS, 7, "NULL::text[]", &[]).await.unwrap();
    assert_eq!(rows, again, "the same seed draws the same rows");
    let mut all: Vec<Vec<f32>> = rows.into_iter().map(|(_, _, vector)| vector).collect();
    let mut take = |count: usize| all.split_off(all.len() - count);
    let (texts, likes, rejected) = (take(4), take(2), take(2));
    let exemplars: Vec<_> = likes.into_iter().zip([1.0, 3.0]).collect();
    let bare = Given { exemplars, negatives: all, ..Given::default() };
    let full = Given {
        counter_exemplars: rejected
            .into_iter()
            .zip([Some(texts[0].clone()), Some(texts[1].clone())])
            .collect(),
        hints: vec![texts[2].clone()],
        counter_hints: vec![texts[3].clone()],
        neutral_hints: vec![texts[0].clone()],
        ..bare.clone()
    };
    for given in [bare, full] {
        let here = client::fit(&given).unwrap().weights;
        let there: Vec<f32> = transaction.row(&in_the_database(&given)).await.unwrap().unwrap().get(0);
        assert_eq!(here.len(), 384);
        assert!(here.iter().zip(&there).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}
