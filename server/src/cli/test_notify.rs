//! `syncwatch test-notify`.

use clap::Args;

use super::client::ClientArgs;
use super::table::Table;
use super::{Failed, Output, output};
use crate::http::{TestAnswer, TestRequest};

/// Whom to send a test message.
#[derive(Clone, Debug, Args)]
pub struct TestArgs {
    #[command(flatten)]
    client: ClientArgs,
    /// Only to this receiver.
    #[arg(long)]
    receiver: Option<String>,
}

/// Sends test messages through the running service; findings when one was not acknowledged.
pub(super) async fn run(args: &TestArgs) -> Result<(), Failed> {
    let request = TestRequest {
        receiver: args.receiver.clone(),
    };
    let answer: TestAnswer = args
        .client
        .client()?
        .post("/api/v1/test-notify", &request)
        .await?;
    match args.client.output {
        Output::Json => output::json(&answer)?,
        Output::Text if answer.told.is_empty() => {
            output::text("there are no receivers: add a [[receiver]]\n")?;
        }
        Output::Text => output::text(&table(&answer).render(0))?,
    }
    let all_well = !answer.told.is_empty() && answer.told.iter().all(|told| told.delivered);
    if all_well {
        Ok(())
    } else {
        Err(Failed::Findings)
    }
}

fn table(answer: &TestAnswer) -> Table {
    let mut table = Table::new(&["RECEIVER", "RESULT", "TOOK", "ERROR"]);
    for told in &answer.told {
        let result = if told.delivered {
            "delivered"
        } else {
            "not delivered"
        };
        table.row(vec![
            told.receiver.clone(),
            result.to_owned(),
            format!("{} ms", told.took_ms),
            told.error.clone().unwrap_or_default(),
        ]);
    }
    table
}
