//! `syncwatch migrate`.

use syncwatch_store::Store;

use super::{ConfigArgs, Failed, load, output};
use crate::opening::store_options;

/// Creates the database or brings its schema up to date.
pub(super) async fn run(args: &ConfigArgs) -> Result<(), Failed> {
    let config = load(args)?;
    let options = store_options(&config).map_err(anyhow::Error::from)?;
    let store = Store::open_and_migrate(&options)
        .await
        .map_err(|error| anyhow::anyhow!(crate::opening::reason(&error)))?;
    let (_, found) = store.schema().await.map_err(anyhow::Error::from)?;
    store.close().await;
    output::text(&format!(
        "the database has schema {found}, the newest of this version\n"
    ))?;
    Ok(())
}
