//! Random rows of the table, the same for the same seed: by random places, so that large tables cost no more than small ones.

use std::collections::HashMap;

use tokio_postgres::Row;

use crate::catalog::Catalog;
use crate::database::Transaction;
use crate::sql::{Sql, Value};
use crate::trouble::Trouble;
use crate::vector::from_bytes;

/// A row as a key, its texts and its vector.
pub type SampledRow = (String, Vec<String>, Vec<f32>);

/// How often places are drawn again when too few have rows.
const ROUNDS: usize = 4;
/// A view or a foreign table is read from its beginning, so many rows for each that is wanted.
const READ_FOR_EACH: usize = 50;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(z ^ (z >> 31)) * u128::from(bound)) >> 64) as u64
    }
}

/// Draws up to `wanted` rows without the `excluded` keys; `condition` is empty or SQL that begins with AND.
///
/// # Errors
/// What the database says.
pub async fn rows(
    transaction: &Transaction,
    catalog: &Catalog,
    wanted: usize,
    seed: u64,
    texts: &str,
    excluded: &[String],
) -> Result<Vec<SampledRow>, Trouble> {
    let (key, embedding) = (catalog.key.quoted(), catalog.embedding.quoted());
    let select = format!("SELECT {key}::text, {texts}, vector_send({embedding}::vector)");
    let mut found = Vec::new();
    if catalog.has_places {
        by_places(transaction, catalog, &select, wanted, seed, &mut found).await?;
    }
    if found.len() < wanted {
        found = from_the_beginning(transaction, catalog, &select, wanted + excluded.len(), seed).await?;
    }
    found.retain(|(key, ..)| !excluded.contains(key));
    found.truncate(wanted);
    Ok(found)
}

async fn by_places(
    transaction: &Transaction,
    catalog: &Catalog,
    select: &str,
    wanted: usize,
    seed: u64,
    found: &mut Vec<SampledRow>,
) -> Result<(), Trouble> {
    let relation = &catalog.relation;
    let mut size = Sql::new("SELECT pg_relation_size(");
    size.value(Value::Text(relation.clone())).push("::regclass) / current_setting('block_size')::int");
    let blocks = transaction.row(&size).await?.map_or(0, |row| row.get::<_, i64>(0)) as u64;
    let per_block = catalog.rows.map_or(100.0, |rows| rows / blocks.max(1) as f64) * 1.3 + 2.0;
    let (mut random, mut looked_at) = (Random(seed), HashMap::new());
    for round in 0..ROUNDS {
        let mut places = Vec::new();
        for _ in 0..(wanted * 3) << round {
            if blocks == 0 {
                return Ok(());
            }
            let place = format!("({},{})", random.below(blocks), random.below(per_block as u64) + 1);
            if !looked_at.contains_key(&place) {
                looked_at.insert(place.clone(), looked_at.len());
                places.push(place);
            }
        }
        let mut sql = Sql::new(&format!("{select}, ctid::text FROM {relation} WHERE ctid = ANY ("));
        sql.value(Value::Texts(places)).push("::tid[])");
        let rows = transaction.rows(&sql).await?;
        let order = |place: &str| looked_at.get(place).copied();
        let mut rows: Vec<_> =
            rows.iter().filter_map(|row| Some((order(row.get(3)), sampled(row)?))).collect();
        rows.sort_by_key(|(place, _)| *place);
        found.extend(rows.into_iter().map(|(_, row)| row));
        if found.len() >= wanted {
            break;
        }
    }
    Ok(())
}

async fn from_the_beginning(
    transaction: &Transaction,
    catalog: &Catalog,
    select: &str,
    wanted: usize,
    seed: u64,
) -> Result<Vec<SampledRow>, Trouble> {
    let (relation, key, embedding) = (&catalog.relation, catalog.key.quoted(), catalog.embedding.quoted());
    let first = wanted * READ_FOR_EACH;
    let sql = format!(
        "{select} FROM (SELECT * FROM {relation} WHERE {embedding} IS NOT NULL LIMIT {first}) AS first_rows
         ORDER BY md5({key}::text || '{seed}') LIMIT {wanted}"
    );
    let rows = transaction.rows(&Sql::new(&sql)).await?;
    Ok(rows.iter().filter_map(sampled).collect())
}

/// A row with a vector.
fn sampled(row: &Row) -> Option<SampledRow> {
    let texts: Option<Vec<Option<String>>> = row.get(1);
    let texts = texts.unwrap_or_default().into_iter().map(Option::unwrap_or_default).collect();
    Some((row.get(0), texts, row.get::<_, Option<&[u8]>>(2).and_then(from_bytes)?))
}
