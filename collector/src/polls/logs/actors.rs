//! Which engine did it (naming of sync accounts and applications in directory audits).

use std::collections::BTreeSet;

use syncwatch_domain::lane::{Engine, LaneKind};

use crate::parse::audits::{Actor, AuditRow};

/// Accounts of Cloud Sync; Connect's have the same display name, so only this one tells.
const CLOUD_ACCOUNT: &str = "ADToAADSyncServiceAccount";
/// Accounts of Connect Sync.
const CONNECT_ACCOUNT: &str = "Sync_";
/// Applications of Connect Sync, unless the customer brought one of another name.
const CONNECT_APPLICATION: &str = "ConnectSyncProvisioning_";

/// The actors of a tenant.
#[derive(Clone, Debug, Default)]
pub(super) struct Actors {
    /// Service principals that hold the role of Connect Sync.
    pub(super) connect_principals: BTreeSet<String>,
    /// Further ones of the config.
    pub(super) connect: Vec<String>,
    pub(super) cloud: Vec<String>,
}

fn starts(text: Option<&str>, prefix: &str) -> bool {
    text.and_then(|text| text.get(..prefix.len()))
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

/// Whether an entry of the config means this actor: the start of a user principal name, the name
/// of an application, or the id of its service principal.
fn means(entry: &str, actor: &Actor<'_>) -> bool {
    let entry = entry.trim();
    let is = |text: Option<&str>| text.is_some_and(|text| text.eq_ignore_ascii_case(entry));
    starts(actor.user_principal_name.as_deref(), entry)
        || is(actor.app_name.as_deref())
        || is(actor.principal_id.as_deref())
}

impl Actors {
    /// The engine an actor belongs to; `None` for people, other applications and nobody.
    pub(super) fn engine(&self, actor: &Actor<'_>) -> Option<Engine> {
        let user = actor.user_principal_name.as_deref();
        if starts(user, CLOUD_ACCOUNT) || self.cloud.iter().any(|entry| means(entry, actor)) {
            return Some(Engine::Cloud);
        }
        let holds_role = actor
            .principal_id
            .as_deref()
            .is_some_and(|id| self.connect_principals.contains(&id.to_ascii_lowercase()));
        let connect = starts(user, CONNECT_ACCOUNT)
            || starts(actor.app_name.as_deref(), CONNECT_APPLICATION)
            || holds_role
            || self.connect.iter().any(|entry| means(entry, actor));
        connect.then_some(Engine::Connect)
    }
}

/// What a write of a sync engine carried: a delivered password shows as one of two activities.
pub(super) fn kind_of(activity: &str) -> LaneKind {
    let password = [
        "Change user password",
        "Update StsRefreshTokenValidFrom Timestamp",
    ];
    if password
        .iter()
        .any(|name| activity.eq_ignore_ascii_case(name))
    {
        LaneKind::PasswordHash
    } else {
        LaneKind::Objects
    }
}

/// Whether a row is worth keeping: writes of the engines, and changes to how they are set up.
pub(super) fn is_relevant(row: &AuditRow<'_>, engine: Option<Engine>) -> bool {
    const SUBJECTS: [&str; 3] = ["dirsync", "source of authority", "accidental deletion"];
    let activity = row.activity.to_ascii_lowercase();
    engine.is_some()
        || row.category.eq_ignore_ascii_case("ProvisioningManagement")
        || SUBJECTS.iter().any(|subject| activity.contains(subject))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn user(name: &str) -> Actor<'_> {
        Actor {
            user_principal_name: Some(Cow::Borrowed(name)),
            ..Actor::default()
        }
    }

    fn app<'a>(name: &'a str, principal: &'a str) -> Actor<'a> {
        Actor {
            app_name: Some(Cow::Borrowed(name)),
            principal_id: (!principal.is_empty()).then_some(Cow::Borrowed(principal)),
            ..Actor::default()
        }
    }

    #[test]
    fn accounts_and_applications_of_both_engines_are_told_apart() {
        let actors = Actors {
            connect_principals: BTreeSet::from(["aa11".to_owned()]),
            connect: vec!["svc-old-sync".to_owned(), "Byo Sync App".to_owned()],
            cloud: vec!["bb22".to_owned()],
        };
        use Engine::{Cloud, Connect};
        for (actor, engine) in [
            (
                user("Sync_YEW1_0a1b2c3d4e5f@yew.onmicrosoft.example"),
                Some(Connect),
            ),
            (
                user("sync_yew2_0a1b2c3d4e5f@yew.onmicrosoft.example"),
                Some(Connect),
            ),
            (
                user("ADToAADSyncServiceAccount@yew.onmicrosoft.example"),
                Some(Cloud),
            ),
            (
                user("adtoaadsyncserviceaccount2@yew.onmicrosoft.example"),
                Some(Cloud),
            ),
            (user("svc-old-sync@yew.example"), Some(Connect)),
            (user("synchronous@yew.example"), None),
            (user("ä"), None),
            (
                app("ConnectSyncProvisioning_YEW1_0a1b2c3d4e5f", ""),
                Some(Connect),
            ),
            (app("any name", "AA11"), Some(Connect)),
            (app("byo sync app", ""), Some(Connect)),
            (app("any name", "bb22"), Some(Cloud)),
            (app("Azure AD Cloud Sync", ""), None),
            (app("Microsoft.Azure.SyncFabric", "cc33"), None),
            (Actor::default(), None),
        ] {
            assert_eq!(actors.engine(&actor), engine, "{actor:?}");
        }
    }

    #[test]
    fn a_delivered_password_is_known_by_its_activity() {
        assert_eq!(kind_of("Change user password"), LaneKind::PasswordHash);
        assert_eq!(
            kind_of("Update StsRefreshTokenValidFrom Timestamp"),
            LaneKind::PasswordHash
        );
        assert_eq!(kind_of("Update user"), LaneKind::Objects);
    }
}
