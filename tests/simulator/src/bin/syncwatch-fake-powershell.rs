//! Stands in for `powershell.exe` on a simulated sync server: see `syncwatch_simulator::sync_server`.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use syncwatch_simulator::sync_server::{STATE_FILE, STATE_FILE_BESIDE, run_shell};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().map(PathBuf::from);
    let beside = program.map(|program| program.with_file_name(STATE_FILE_BESIDE));
    let named = std::env::var_os(STATE_FILE).map(PathBuf::from);
    let state_file = named.or_else(|| beside.filter(|file| file.exists()));
    run_shell(
        arguments,
        state_file,
        io::stdin().lock(),
        io::stdout().lock(),
        io::stderr().lock(),
    )
}
