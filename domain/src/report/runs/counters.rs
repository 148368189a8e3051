//! Counters of a step.

use crate::report::forms::{Row, ShapeError};

/// Declares the counters with the names they have on the server.
macro_rules! counters {
    ($($(#[$doc:meta])* $field:ident = $name:literal $need:ident),+ $(,)?) => {
        /// What a step counted; a counter that is not told is 0.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters { $($(#[$doc])* pub $field: i64),+ }

        impl Counters {
            /// Names of all counters on the server.
            pub const NAMES: &'static [&'static str] = &[$($name),+];
        }

        pub(super) fn counters(row: &Row<'_>) -> Result<Counters, ShapeError> {
            Ok(Counters { $($field: $need(row, $name)?),+ })
        }
    };
}

fn needed(row: &Row<'_>, name: &str) -> Result<i64, ShapeError> {
    row.number(name)
}

fn given(row: &Row<'_>, name: &str) -> Result<i64, ShapeError> {
    Ok(row.optional_number(name)?.unwrap_or(0))
}

counters! {
    /// Import: not changed.
    stage_no_change = "StageNoChange" given,
    /// Import: new.
    stage_add = "StageAdd" given,
    /// Import: changed.
    stage_update = "StageUpdate" given,
    /// Import: renamed.
    stage_rename = "StageRename" given,
    /// Import: deleted.
    stage_delete = "StageDelete" given,
    /// Import: deleted and made anew.
    stage_delete_add = "StageDeleteAdd" given,
    /// Import: failed.
    stage_failure = "StageFailure" given,
    /// Sync, objects without a link: filtered.
    disconnector_filtered = "DisconnectorFiltered" given,
    /// Sync, objects without a link: joined, nothing flowed.
    disconnector_joined_no_flow = "DisconnectorJoinedNoFlow" given,
    /// Sync, objects without a link: joined, attributes flowed.
    disconnector_joined_flow = "DisconnectorJoinedFlow" given,
    /// Sync, objects without a link: joined, then removed from the metaverse.
    disconnector_joined_remove_mv = "DisconnectorJoinedRemoveMv" given,
    /// Sync, objects without a link: made in the metaverse, nothing flowed.
    disconnector_projected_no_flow = "DisconnectorProjectedNoFlow" given,
    /// Sync, objects without a link: made in the metaverse, attributes flowed.
    disconnector_projected_flow = "DisconnectorProjectedFlow" given,
    /// Sync, objects without a link: made in the metaverse, then removed.
    disconnector_projected_remove_mv = "DisconnectorProjectedRemoveMv" given,
    /// Sync, objects without a link: left so.
    disconnector_remains = "DisconnectorRemains" given,
    /// Sync, objects with a link: filtered, removed from the metaverse.
    connector_filtered_remove_mv = "ConnectorFilteredRemoveMv" given,
    /// Sync, objects with a link: filtered, left in the metaverse.
    connector_filtered_leave_mv = "ConnectorFilteredLeaveMv" given,
    /// Sync, objects with a link: attributes flowed.
    connector_flow = "ConnectorFlow" given,
    /// Sync, objects with a link: attributes flowed, then removed from the metaverse.
    connector_flow_remove_mv = "ConnectorFlowRemoveMv" given,
    /// Sync, objects with a link: nothing flowed.
    connector_no_flow = "ConnectorNoFlow" given,
    /// Sync, objects with a link: deleted, removed from the metaverse.
    connector_delete_remove_mv = "ConnectorDeleteRemoveMv" given,
    /// Sync, objects with a link: deleted, left in the metaverse.
    connector_delete_leave_mv = "ConnectorDeleteLeaveMv" given,
    /// Sync, objects with a link: deleted and made anew.
    connector_delete_add_processed = "ConnectorDeleteAddProcessed" given,
    /// Sync: failed.
    flow_failure = "FlowFailure" given,
    /// Export: made.
    export_add = "ExportAdd" needed,
    /// Export: changed.
    export_update = "ExportUpdate" needed,
    /// Export: renamed.
    export_rename = "ExportRename" needed,
    /// Export: deleted.
    export_delete = "ExportDelete" needed,
    /// Export: deleted and made anew.
    export_delete_add = "ExportDeleteAdd" needed,
    /// Export: failed.
    export_failure = "ExportFailure" needed,
}

impl Counters {
    /// Objects that were exported: what the server really wrote.
    #[must_use]
    pub const fn exported(&self) -> i64 {
        self.export_add
            .saturating_add(self.export_update)
            .saturating_add(self.export_rename)
            .saturating_add(self.export_delete)
            .saturating_add(self.export_delete_add)
    }
}
