//! Reads the command line, starts, serves.

use std::process::ExitCode;
use std::sync::Arc;

use hinted_exemplar_web::app::App;
use hinted_exemplar_web::options::{self, Options, USAGE};
use hinted_exemplar_web::server;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match options::parse(arguments) {
        Ok(options) => run(options).await,
        Err(said) => {
            eprintln!("error: {said}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

async fn run(options: Options) -> ExitCode {
    let listen = options.listen;
    if !listen.ip().is_loopback() {
        eprintln!("warning: {listen} can be reached from other machines, and there is no password");
    }
    let app = match App::start(options).await {
        Ok(app) => Arc::new(app),
        Err(said) => {
            eprintln!("error: {said}");
            return ExitCode::FAILURE;
        }
    };
    for guess in &app.catalog.guessed {
        eprintln!("guessed {guess}");
    }
    match server::serve(app, listen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {listen}: {error}");
            ExitCode::FAILURE
        }
    }
}
