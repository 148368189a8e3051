//! What the scheduler says (event 904 of `Directory Synchronization`).
//!
//! One id for many texts. Names of products within them changed with the builds, so the parts that
//! did not are looked for.

use crate::lane::words;
use crate::sync_server::CyclePolicy;

words! {
    /// A stage of a cycle, in order; the text of the event is its name and nothing else.
    Stage {
        /// It begins.
        Initializing = "Initializing",
        /// All connectors import.
        Importing = "Importing",
        /// Connectors to forests are synchronised.
        SynchronizingSources = "Synchronizing from all Sources",
        /// The connector to Entra ID is synchronised.
        SynchronizingTarget = "Synchronizing from Target",
        /// Export to Entra ID.
        ExportingToTarget = "Exporting to Target",
        /// Export to the forests.
        ExportingToSources = "Exporting to all Sources",
        /// It is over.
        Finished = "Finished",
    }
}

/// What the scheduler says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CycleWord {
    /// A cycle began.
    Started(Option<CyclePolicy>),
    /// A cycle ended.
    Completed(Option<CyclePolicy>),
    /// A cycle came to a stage.
    Stage(Stage),
    /// A run profile begins on a connector.
    RunBegins {
        /// Run profile.
        profile: String,
        /// Name of the connector.
        connector: String,
    },
    /// A run profile is through on a connector.
    RunEnds {
        /// Run profile.
        profile: String,
        /// Name of the connector.
        connector: String,
    },
    /// No cycle can begin because the configuration wizard is open.
    WizardOpen,
    /// A connector was busy and left out.
    ConnectorBusy(String),
    /// Something else: settings, plans, overrides.
    Other,
}

/// Reads the text of an event.
pub(super) fn word(text: &str) -> CycleWord {
    let text = text.trim();
    let bare = text.trim_end_matches('.');
    if let Some(stage) = Stage::ALL
        .iter()
        .find(|stage| stage.as_str().eq_ignore_ascii_case(bare))
    {
        return CycleWord::Stage(*stage);
    }
    if let Some((profile, connector)) = run(text, "Before Execute RunProfile:") {
        return CycleWord::RunBegins { profile, connector };
    }
    if let Some((profile, connector)) = run(text, "After Execute RunProfile:") {
        return CycleWord::RunEnds { profile, connector };
    }
    if text.contains("unable to start a new sync cycle") && text.contains("wizard is open") {
        return CycleWord::WizardOpen;
    }
    if let Some((_, rest)) = text.split_once("cycle started") {
        return CycleWord::Started(policy(rest));
    }
    if let Some((_, rest)) = text.split_once("cycle completed") {
        return CycleWord::Completed(policy(rest));
    }
    busy(text).map_or(CycleWord::Other, CycleWord::ConnectorBusy)
}

/// `<start>Delta Import on Connector:ad.hauser.example.`
fn run(text: &str, start: &str) -> Option<(String, String)> {
    let (profile, connector) = text.strip_prefix(start)?.split_once(" on Connector:")?;
    Some((profile.trim().to_owned(), name(connector)))
}

/// `… connector: ad.hauser.example is busy …`
fn busy(text: &str) -> Option<String> {
    let (before, _) = text.split_once(" is busy")?;
    let (_, connector) = before.rsplit_once("connector: ")?;
    Some(name(connector))
}

/// The name of a connector; the stop behind it ends the sentence.
fn name(text: &str) -> String {
    let text = text.trim();
    text.strip_suffix('.').unwrap_or(text).to_owned()
}

/// `(Delta)` or `(Initial)`.
fn policy(text: &str) -> Option<CyclePolicy> {
    let (_, inner) = text.split_once('(')?;
    let (word, _) = inner.split_once(')')?;
    CyclePolicy::from_word(&word.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_told_by_its_whole_text() {
        for stage in Stage::ALL {
            assert_eq!(word(stage.as_str()), CycleWord::Stage(*stage));
        }
        assert_eq!(word(" Finished.\r\n"), CycleWord::Stage(Stage::Finished));
        assert_eq!(word("Finished with errors"), CycleWord::Other);
    }

    #[test]
    fn bounds_of_a_cycle_have_their_policy() {
        assert_eq!(
            word("Import/Sync/Export cycle started (Delta)."),
            CycleWord::Started(Some(CyclePolicy::Delta))
        );
        assert_eq!(
            word("Import/Sync/Export cycle completed (Initial)."),
            CycleWord::Completed(Some(CyclePolicy::Initial))
        );
        assert_eq!(
            word("Import/Sync/Export cycle completed."),
            CycleWord::Completed(None)
        );
    }

    #[test]
    fn bounds_of_a_run_name_profile_and_connector() {
        assert_eq!(
            word("Before Execute RunProfile:Delta Import on Connector:ad.hauser.example."),
            CycleWord::RunBegins {
                profile: "Delta Import".to_owned(),
                connector: "ad.hauser.example".to_owned(),
            }
        );
        assert_eq!(
            word("After Execute RunProfile:Export on Connector:hauser.onmicrosoft.com - AAD."),
            CycleWord::RunEnds {
                profile: "Export".to_owned(),
                connector: "hauser.onmicrosoft.com - AAD".to_owned(),
            }
        );
    }

    #[test]
    fn open_wizard_is_told_under_both_names_of_the_product() {
        for product in ["Azure AD Connect", "Microsoft Entra Connect"] {
            let text = format!(
                "Scheduler::SchedulerThreadMain : {product} scheduler is unable to start a new sync cycle since \
                 11/17/2026 1:41:12 PM because {product} wizard is open. Please close the wizard."
            );
            assert_eq!(word(&text), CycleWord::WizardOpen);
        }
    }

    #[test]
    fn busy_connector_is_named() {
        assert_eq!(
            word("Skipping the run: connector: ad.hauser.example is busy."),
            CycleWord::ConnectorBusy("ad.hauser.example".to_owned())
        );
    }

    #[test]
    fn other_texts_say_nothing() {
        for text in [
            "",
            "Current scheduler settings: \r\n",
            "Start time for the next sync cycle run is  11/17/2026 9:41:12 AM.",
            "Before Execute RunProfile:",
        ] {
            assert_eq!(word(text), CycleWord::Other, "{text}");
        }
    }
}
