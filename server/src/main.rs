//! The `syncwatch` program.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    if let Some(code) = syncwatch::demo::in_guise() {
        return code;
    }
    syncwatch::install_crypto();
    let cli = syncwatch::cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("syncwatch: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(syncwatch::cli::run(cli));
    // What did not end within the grace is left behind; waiting for it would undo the grace.
    runtime.shutdown_background();
    syncwatch::cli::exit_code(result)
}
