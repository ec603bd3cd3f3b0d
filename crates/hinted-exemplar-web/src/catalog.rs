//! What the catalogs say of the table: which columns are what, and what the database can do.

use tokio_postgres::Row;

use crate::database::Transaction;
use crate::options::Options;
use crate::sql::{Sql, Value, identifier};

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// Its type, as SQL writes it.
    pub kind: String,
    /// The type below a domain, without its length.
    pub base: String,
}

impl Column {
    pub fn quoted(&self) -> String {
        identifier(&self.name)
    }
}

/// Where pictures come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picture {
    Bytes(Column),
    /// A path below the root, or behind the URL that was given.
    Path(Column),
}

/// A column whose values can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub column: Column,
    pub values: Vec<String>,
}

/// The table and the database around it.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// As SQL writes it, with its schema where that is needed.
    pub relation: String,
    pub database: String,
    pub role: String,
    pub standby: bool,
    /// Rows, as the planner believes; none where the table was never analysed.
    pub rows: Option<f64>,
    /// Whether rows have places that can be looked up: an ordinary table.
    pub has_places: bool,
    pub key: Column,
    pub embedding: Column,
    pub dimensions: Option<usize>,
    pub picture: Option<Picture>,
    pub texts: Vec<Column>,
    pub filters: Vec<Filter>,
    /// `<#>`, or `<=>` where only that has an index.
    pub operator: &'static str,
    pub indexed: bool,
    /// Whether a scan of an index goes on when its first answers do not suffice: pgvector 0.8 and newer.
    pub scans_on: bool,
    /// The version of the extension, where it is.
    pub extension: Option<String>,
    /// Schemas of extensions that are not on the search path, and the path.
    pub schemas: Vec<String>,
    pub search_path: String,
    /// What was guessed, a sentence each.
    pub guessed: Vec<String>,
}

const RELATION: &str = "SELECT c.oid::text, c.oid::regclass::text, c.relkind::text, c.reltuples::float8,
    current_database()::text, current_user::text, pg_is_in_recovery(), current_setting('search_path'),
    ARRAY(SELECT DISTINCT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
          WHERE e.extname IN ('vector', 'hinted_exemplar') AND NOT n.nspname = ANY (current_schemas(true))),
    (SELECT extversion FROM pg_extension WHERE extname = 'hinted_exemplar'),
    (SELECT extversion FROM pg_extension WHERE extname = 'vector')
FROM pg_class c WHERE c.oid = ";

const COLUMNS: &str = "SELECT a.attname::text, format_type(a.atttypid, NULL), coalesce(b.typname, t.typname)::text,
    CASE WHEN coalesce(b.typname, t.typname) IN ('vector', 'halfvec', 'sparsevec')
         THEN coalesce(nullif(a.atttypmod, -1), nullif(t.typtypmod, -1)) END
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = nullif(t.typbasetype, 0)
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid = ";

const KEYS: &str = "SELECT a.attname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL AND i.indkey[0] > 0 AND (i.indisprimary OR a.attnotnull) AND i.indrelid = ";

const INDEXES: &str = "SELECT DISTINCT o.opcname::text FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
JOIN pg_opclass o ON o.oid = i.indclass[0] WHERE i.indisvalid AND o.opcname ~ '_(ip|cosine)_ops$' AND i.indrelid = ";

const FEW_VALUES: &str = "SELECT s.attname::text, s.most_common_vals::text::text[] FROM pg_stats s
JOIN pg_class c ON c.relname = s.tablename JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = s.schemaname
WHERE s.n_distinct BETWEEN 2 AND 40 AND s.most_common_vals IS NOT NULL AND NOT s.inherited AND c.oid = ";

/// The types that hold vectors.
const VECTORS: [&str; 5] = ["vector", "halfvec", "sparsevec", "_float4", "_float8"];
const TEXTS: [&str; 5] = ["text", "varchar", "bpchar", "name", "citext"];
const COUNTABLE: [&str; 9] = ["text", "varchar", "bpchar", "bool", "int2", "int4", "int8", "date", "citext"];
/// What columns with a picture's path are often called.
const PICTURES: [&str; 8] = ["path", "file", "filename", "image", "img", "picture", "photo", "url"];

/// How many values a filter may offer.
const MOST_VALUES: usize = 200;

struct Found {
    columns: Vec<(Column, Option<i32>)>,
    guessed: Vec<String>,
    table: String,
}

impl Catalog {
    /// Reads what the options leave open, and checks what they say.
    ///
    /// # Errors
    /// Words for the person who started the program.
    pub async fn read(transaction: &Transaction, options: &Options) -> Result<Self, String> {
        let rows = async |sql: &Sql| transaction.rows(sql).await.map_err(|trouble| trouble.message);
        let of_table = |sql: &str| {
            let mut sql = Sql::new(sql);
            sql.value(Value::Text(options.table.clone())).push("::regclass");
            sql
        };
        let relation = rows(&of_table(RELATION)).await?.pop().ok_or("the table is gone")?;
        let Some(vector_version) = relation.get::<_, Option<String>>(10) else {
            return Err("this database has no extension vector, so no table with vectors".into());
        };
        let columns = rows(&of_table(COLUMNS)).await?.iter().map(column).collect();
        let mut found = Found { columns, guessed: Vec::new(), table: relation.get(1) };
        let keys: Vec<String> = rows(&of_table(KEYS)).await?.iter().map(|row| row.get(0)).collect();
        let (embedding, dimensions) = found.embedding(options)?;
        let key = found.key(options, &keys)?;
        let picture = found.picture(options)?;
        let classes: Vec<String> = rows(&of_table(INDEXES)).await?.iter().map(|row| row.get(0)).collect();
        let inner = classes.iter().any(|class| class.ends_with("_ip_ops"));
        let few = rows(&of_table(FEW_VALUES)).await?;
        let filters = found.filters(options, &few, &key)?;
        let texts = found.texts(options, &key, picture.as_ref(), &filters)?;
        let kind: String = relation.get(2);
        Ok(Catalog {
            relation: relation.get(1),
            rows: Some(relation.get::<_, f64>(3)).filter(|rows| *rows >= 0.0 && kind != "v"),
            has_places: matches!(kind.as_str(), "r" | "m"),
            database: relation.get(4),
            role: relation.get(5),
            standby: relation.get(6),
            search_path: relation.get(7),
            schemas: relation.get(8),
            extension: relation.get(9),
            key,
            embedding,
            dimensions,
            picture,
            texts,
            filters,
            operator: if inner || classes.is_empty() { "<#>" } else { "<=>" },
            indexed: !classes.is_empty(),
            scans_on: !matches!(
                vector_version.as_str(),
                "0.5.0"
                    | "0.5.1"
                    | "0.6.0"
                    | "0.6.1"
                    | "0.6.2"
                    | "0.7.0"
                    | "0.7.1"
                    | "0.7.2"
                    | "0.7.3"
                    | "0.7.4"
            ),
            guessed: found.guessed,
        })
    }

    /// Reads the values of filters that statistics did not give.
    ///
    /// # Errors
    /// What the database says.
    pub async fn fill_filters(&mut self, transaction: &Transaction) -> Result<(), String> {
        for filter in self.filters.iter_mut().filter(|filter| filter.values.is_empty()) {
            let column = filter.column.quoted();
            let sql = format!(
                "SELECT DISTINCT {column}::text FROM {} WHERE {column} IS NOT NULL ORDER BY 1 LIMIT {MOST_VALUES}",
                self.relation
            );
            let rows = transaction.rows(&Sql::new(&sql)).await.map_err(|trouble| trouble.message)?;
            filter.values = rows.iter().map(|row| row.get(0)).collect();
        }
        Ok(())
    }
}

fn column(row: &Row) -> (Column, Option<i32>) {
    (Column { name: row.get(0), kind: row.get(1), base: row.get(2) }, row.get(3))
}

impl Found {
    fn named(&self, name: &str) -> Result<&Column, String> {
        let column = self.columns.iter().map(|(column, _)| column).find(|column| column.name == name);
        column.ok_or_else(|| format!("{} has no column \"{name}\"", self.table))
    }

    fn guess(&mut self, what: &str, column: &str) {
        self.guessed.push(format!("{what}: column {column}"));
    }

    fn embedding(&mut self, options: &Options) -> Result<(Column, Option<usize>), String> {
        let vectors: Vec<_> =
            self.columns.iter().filter(|(column, _)| VECTORS.contains(&column.base.as_str())).collect();
        let chosen = match &options.embedding {
            Some(name) => {
                self.named(name)?;
                vectors.iter().find(|(column, _)| column.name == *name).ok_or_else(|| {
                    format!("column \"{name}\" of {} is not of a type for vectors", self.table)
                })?
            }
            None => match vectors.as_slice() {
                [one] => one,
                [] => return Err(format!("{} has no column of vectors", self.table)),
                many => {
                    let names: Vec<_> = many.iter().map(|(column, _)| column.name.as_str()).collect();
                    return Err(format!(
                        "{} has several: give --embedding, one of {}",
                        self.table,
                        names.join(", ")
                    ));
                }
            },
        };
        let (column, dimensions) = (*chosen).clone();
        if options.embedding.is_none() {
            self.guess("vectors", &column.name);
        }
        Ok((column, dimensions.and_then(|d| usize::try_from(d).ok())))
    }

    fn key(&mut self, options: &Options, keys: &[String]) -> Result<Column, String> {
        if let Some(name) = &options.key {
            return self.named(name).cloned();
        }
        let named_id = || self.named("id").ok().map(|column| column.name.clone());
        let Some(name) = keys.first().cloned().or_else(named_id) else {
            return Err(format!(
                "{} has no primary key of one column: give --key, a column of unique values",
                self.table
            ));
        };
        self.guess("key", &name);
        self.named(&name).cloned()
    }

    fn picture(&mut self, options: &Options) -> Result<Option<Picture>, String> {
        let of = |column: &Column| match column.base.as_str() {
            "bytea" => Ok(Picture::Bytes(column.clone())),
            base if TEXTS.contains(&base) => {
                if options.image_root.is_none() && options.image_url.is_none() {
                    return Err("pictures by path need --image-root or --image-url".to_owned());
                }
                Ok(Picture::Path(column.clone()))
            }
            _ => Err(format!("column \"{}\" is neither a path nor bytea", column.name)),
        };
        if let Some(name) = &options.image {
            return of(self.named(name)?).map(Some);
        }
        let paths = options.image_root.is_some() || options.image_url.is_some();
        let fits = |column: &&Column| match paths {
            true => {
                TEXTS.contains(&column.base.as_str())
                    && PICTURES.contains(&column.name.to_lowercase().as_str())
            }
            false => column.base == "bytea",
        };
        let guess = self.columns.iter().map(|(column, _)| column).find(fits).cloned();
        if paths && guess.is_none() {
            return Err("which column has the pictures' paths? give --image".into());
        }
        if let Some(column) = &guess {
            self.guess("pictures", &column.name);
        }
        guess.as_ref().map(of).transpose()
    }

    /// What is shown of a row: columns of texts that are not the same for many rows, or else the pictures' paths.
    fn texts(
        &mut self,
        options: &Options,
        key: &Column,
        picture: Option<&Picture>,
        filters: &[Filter],
    ) -> Result<Vec<Column>, String> {
        if !options.text.is_empty() {
            return options.text.iter().map(|name| self.named(name).cloned()).collect();
        }
        let path = match picture {
            Some(Picture::Path(path)) => Some(path),
            _ => None,
        };
        let shown = |column: &Column| {
            TEXTS.contains(&column.base.as_str())
                && column != key
                && Some(column) != path
                && !filters.iter().any(|filter| filter.column == *column)
        };
        let columns = self.columns.iter().map(|(column, _)| column);
        let mut texts: Vec<Column> = columns.filter(|column| shown(column)).take(2).cloned().collect();
        if texts.is_empty() {
            texts.extend(path.cloned());
        }
        if !texts.is_empty() {
            let names: Vec<_> = texts.iter().map(|column| column.name.as_str()).collect();
            self.guess("shown", &names.join(", "));
        }
        Ok(texts)
    }

    fn filters(&mut self, options: &Options, few: &[Row], key: &Column) -> Result<Vec<Filter>, String> {
        if !options.filters.is_empty() {
            let none = |name: &String| Ok(Filter { column: self.named(name)?.clone(), values: Vec::new() });
            return options.filters.iter().map(none).collect();
        }
        let mut filters = Vec::new();
        for row in few {
            let (name, mut values): (String, Vec<String>) = (row.get(0), row.get(1));
            if let Ok(column) = self.named(&name)
                && column != key
                && COUNTABLE.contains(&column.base.as_str())
            {
                values.sort();
                filters.push(Filter { column: column.clone(), values });
            }
        }
        filters.truncate(4);
        for filter in &filters {
            self.guess("filter", &filter.column.name);
        }
        Ok(filters)
    }
}
