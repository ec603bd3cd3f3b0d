//! The connection: a pool of sessions, each request in a transaction of its own that can only read.

use std::path::Path;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, QueueMode, RecyclingMethod, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, Row};

use crate::options::Options;
use crate::sql::{Sql, identifier, literal};
use crate::tls::Tls;
use crate::trouble::Trouble;

/// How long to wait for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// The database as the page sees it.
pub struct Database {
    pool: Pool,
    /// What every transaction is set to.
    settings: String,
    /// What it is set to besides, to rank through an index.
    ranking: String,
}

/// A transaction, which is rolled back when it goes: one that stays open keeps VACUUM from removing rows.
pub struct Transaction {
    /// None once it has ended.
    session: Option<Object>,
}

impl Database {
    /// Nothing is connected yet.
    ///
    /// # Errors
    /// Words about a connection string that is none.
    pub fn new(options: &Options) -> Result<Self, String> {
        let (tls, connection) = Tls::take(&options.connection)?;
        let mut config: Config =
            connection.parse().map_err(|error| format!("the connection string: {error}"))?;
        add_environment(&mut config);
        config.ssl_mode(tls.driver_mode(config.get_hosts()));
        config.connect_timeout(PATIENCE).application_name("hinted-exemplar-web");
        let recycling_method = RecyclingMethod::Verified;
        let manager = Manager::from_config(config, tls.connector()?, ManagerConfig { recycling_method });
        let pool = Pool::builder(manager)
            .max_size(options.connections)
            // The session that was used last still has its sample and its plans.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .recycle_timeout(Some(PATIENCE))
            .build()
            .map_err(|error| error.to_string())?;
        let mut settings = format!("SET LOCAL statement_timeout = {};", options.timeout.as_millis());
        if let Some(role) = &options.role {
            settings.push_str(&format!("SET LOCAL ROLE {};", identifier(role)));
        }
        Ok(Database { pool, settings, ranking: String::new() })
    }

    /// Adds schemas to the search path of every transaction, behind those that are there.
    pub fn add_schemas(&mut self, path: &str, schemas: &[String]) {
        let added: String = schemas.iter().map(|schema| format!(", {}", identifier(schema))).collect();
        self.settings.push_str(&format!(
            "SELECT set_config('search_path', {}, true);",
            literal(&(path.to_owned() + &added))
        ));
    }

    /// Adds a setting to every plain ranking. The extension's search chooses its own.
    pub fn add_setting(&mut self, name: &str, value: &str) {
        self.ranking.push_str(&format!("SET LOCAL {name} = {value};"));
    }

    /// What a transaction is set to before rows are ranked through an index.
    pub fn ranking(&self) -> &str {
        &self.ranking
    }

    /// Begins to read.
    ///
    /// # Errors
    /// Where there is no connection.
    pub async fn read(&self) -> Result<Transaction, Trouble> {
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    /// Begins to write: for saved searches alone.
    ///
    /// # Errors
    /// Where there is no connection.
    pub async fn write(&self) -> Result<Transaction, Trouble> {
        self.begin("BEGIN READ WRITE").await
    }

    async fn begin(&self, begin: &str) -> Result<Transaction, Trouble> {
        let transaction = Transaction { session: Some(self.pool.get().await?) };
        transaction.run(&format!("{begin}; {}", self.settings)).await?;
        Ok(transaction)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // A request that was given up may come here too, with its statement still at work: the end waits for that.
        if let (Some(session), Ok(runtime)) = (self.session.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { session.batch_execute("ROLLBACK").await });
        }
    }
}

impl Transaction {
    fn session(&self) -> &Object {
        self.session.as_ref().expect("only what ends it takes the session")
    }

    /// Ends it, so that whoever comes next finds its session.
    pub async fn end(mut self) {
        if let Some(session) = self.session.take() {
            let _ = session.batch_execute("ROLLBACK").await;
        }
    }

    /// Runs a statement in one round trip.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rows(&self, sql: &Sql) -> Result<Vec<Row>, Trouble> {
        let parameters = sql.parameters();
        let typed: Vec<_> =
            parameters.iter().map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone())).collect();
        Ok(self.session().query_typed(&sql.with_parameters(), &typed).await?)
    }

    /// The only row of a statement.
    ///
    /// # Errors
    /// What the database says.
    pub async fn row(&self, sql: &Sql) -> Result<Option<Row>, Trouble> {
        Ok(self.rows(sql).await?.into_iter().next())
    }

    /// Runs several statements without values.
    ///
    /// # Errors
    /// What the database says.
    pub async fn run(&self, sql: &str) -> Result<(), Trouble> {
        Ok(self.session().batch_execute(sql).await?)
    }

    /// Keeps what was written.
    ///
    /// # Errors
    /// What the database says.
    pub async fn commit(mut self) -> Result<(), Trouble> {
        let done = self.run("COMMIT").await;
        if done.is_ok() {
            // Behind it there is nothing to roll back.
            self.session = None;
        }
        done
    }
}

/// What libpq would take from the environment.
fn add_environment(config: &mut Config) {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if config.get_hosts().is_empty() {
        let socket = "/var/run/postgresql";
        let local = if Path::new(socket).exists() { socket } else { "localhost" };
        config.host(variable("PGHOST").as_deref().unwrap_or(local));
    }
    if config.get_ports().is_empty()
        && let Some(port) = variable("PGPORT").and_then(|port| port.parse().ok())
    {
        config.port(port);
    }
    if config.get_user().is_none() {
        config.user(variable("PGUSER").or_else(|| variable("USER")).unwrap_or_else(|| "postgres".into()));
    }
    if config.get_dbname().is_none()
        && let Some(name) = variable("PGDATABASE")
    {
        config.dbname(name);
    }
    if config.get_password().is_none()
        && let Some(password) = variable("PGPASSWORD")
    {
        config.password(password);
    }
}
