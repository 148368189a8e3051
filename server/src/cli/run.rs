//! `syncwatch run`.

use std::sync::Arc;

use syncwatch_domain::clock::SystemClock;

use super::{ConfigArgs, Failed, load};
use crate::lifecycle::{Ended, Signals};
use crate::{App, logging};

/// Runs the service until it is told to stop or a task dies.
pub(super) async fn run(args: &ConfigArgs) -> Result<(), Failed> {
    let config = load(args)?;
    logging::start(config.server.log_format, &config.server.log_level);
    let mut signals = Signals::listen().map_err(anyhow::Error::from)?;
    let app = App::build(config, Arc::new(SystemClock))
        .await
        .map_err(anyhow::Error::from)?;
    let running = app.start();
    tracing::info!(
        http.url = running.url(),
        version = env!("CARGO_PKG_VERSION"),
        "syncwatch is starting"
    );
    match running.until_ended(&mut signals).await {
        Ended::Soft => {
            tracing::info!("stopped; everything in flight was finished");
            Ok(())
        }
        Ended::Hard => {
            Err(anyhow::anyhow!("stopped hard: not everything in flight was finished").into())
        }
        Ended::Died(why) => Err(anyhow::anyhow!(why).into()),
    }
}
