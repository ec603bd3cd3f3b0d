//! The program as it runs: options, database, what the catalogs say, texts.

use std::path::PathBuf;

use crate::catalog::Catalog;
use crate::database::Database;
use crate::encoder::Encoder;
use crate::options::{FitWhere, Options};
use crate::sample;
use crate::statement::Writer;
use crate::vector::{mean, unit};
use crate::vocabulary::Vocabulary;

/// Rows whose mean stands for the table's.
const ROWS_OF_MIDDLE: usize = 300;

pub struct App {
    pub options: Options,
    pub database: Database,
    pub catalog: Catalog,
    pub encoder: Encoder,
    /// The mean of the table's rows at unit length, from a sample; empty for an empty table.
    pub middle: Vec<f32>,
    /// Below which pictures are, without symbolic links.
    pub image_root: Option<PathBuf>,
}

impl App {
    /// Connects, reads the catalogs and the vocabulary.
    ///
    /// # Errors
    /// Words for the person who started the program.
    pub async fn start(options: Options) -> Result<App, String> {
        let mut database = Database::new(&options)?;
        let mut transaction = database.read().await.map_err(|trouble| trouble.message)?;
        let mut catalog = Catalog::read(&transaction, &options).await?;
        if !catalog.schemas.is_empty() {
            database.add_schemas(&catalog.search_path, &catalog.schemas);
        }
        if catalog.indexed {
            // A page looks at a few hundred rows; by default an HNSW index returns no more than 40.
            database.add_setting("hnsw.ef_search", "400");
            if catalog.scans_on {
                database.add_setting("hnsw.iterative_scan", "strict_order");
                database.add_setting("ivfflat.iterative_scan", "relaxed_order");
            }
        }
        drop(transaction);
        transaction = database.read().await.map_err(|trouble| trouble.message)?;
        catalog.fill_filters(&transaction).await?;
        let vocabulary = match &options.vocabulary {
            Some(written) => Vocabulary::read(written, &transaction).await?,
            None => Vocabulary::default(),
        };
        let sampled = sample::rows(&transaction, &catalog, ROWS_OF_MIDDLE, 0, "NULL::text[]", &[])
            .await
            .map_err(|trouble| trouble.message)?;
        let units: Vec<_> = sampled.iter().map(|(_, _, vector)| unit(vector)).collect();
        let middle = mean(units.iter().map(|vector| (&vector[..], 1.0)));
        let dimensions = catalog.dimensions.or_else(|| units.first().map(Vec::len));
        if let Some(dimensions) = dimensions.filter(|_| !vocabulary.is_empty())
            && dimensions != vocabulary.dimensions()
        {
            return Err(format!(
                "the vocabulary's vectors have {} dimensions, the table's {dimensions}: they must come from one model",
                vocabulary.dimensions()
            ));
        }
        if options.fit == FitWhere::Database && catalog.extension.is_none() {
            return Err("this database has no extension hinted_exemplar: leave --fit database out".into());
        }
        let image_root = match &options.image_root {
            Some(root) => Some(
                root.canonicalize().map_err(|error| format!("--image-root {}: {error}", root.display()))?,
            ),
            None => None,
        };
        let encoder = Encoder::new(&options, vocabulary, dimensions);
        Ok(App { options, database, catalog, encoder, middle, image_root })
    }

    /// Whether fits are made here and not in the database.
    pub fn fits_here(&self) -> bool {
        match self.options.fit {
            FitWhere::Auto => self.catalog.extension.is_none(),
            FitWhere::Database => false,
            FitWhere::Client => true,
        }
    }

    pub fn writer(&self) -> Writer<'_> {
        Writer {
            catalog: &self.catalog,
            allow_where: self.options.allow_where,
            sample_size: self.options.sample_size,
            neutral: self.encoder.vocabulary().neutral(),
        }
    }
}
