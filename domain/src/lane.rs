//! Lanes: streams of sync cycles that must keep a cadence.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Gives a closed set of words its text form, once for SQL, config, metrics and pages.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every member, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used in SQL, config, metrics and pages.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The member with this word, `None` for any other text.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// The sync engine that runs the cycles of a lane.
    Engine {
        /// Microsoft Entra Connect Sync.
        Connect = "connect",
        /// Microsoft Entra Cloud Sync.
        Cloud = "cloud",
    }
}

words! {
    /// What a lane's cycles carry.
    LaneKind {
        /// Users, groups, contacts and their attributes.
        Objects = "objects",
        /// Password hashes.
        PasswordHash = "password_hash",
    }
}

words! {
    /// What is known of a lane at an instant.
    LaneStatus {
        /// No success was ever seen, or the source cannot tell this lane apart.
        Unknown = "unknown",
        /// The last success is recent enough.
        OnTime = "on_time",
        /// The tolerance is over and the grace is running.
        Late = "late",
        /// The window closed without a success, and the source was read after that.
        Missed = "missed",
        /// The window closed and the source could not be read since.
        Blind = "blind",
        /// Not expected to run: maintenance, disabled on purpose, staging.
        Paused = "paused",
    }
}

/// The identity of a lane: tenant x engine x kind x partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LaneKey {
    /// Name of the tenant in the config.
    pub tenant: String,
    /// The engine that runs the cycles.
    pub engine: Engine,
    /// What the cycles carry.
    pub kind: LaneKind,
    /// The AD domain, Cloud Sync job or connector the lane covers.
    pub partition: String,
}

impl fmt::Display for LaneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            tenant,
            engine,
            kind,
            partition,
        } = self;
        write!(f, "{tenant}/{engine}/{kind}/{partition}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_its_member() {
        for status in LaneStatus::ALL {
            assert_eq!(LaneStatus::from_word(status.as_str()), Some(*status));
        }
        assert_eq!(LaneStatus::from_word("down"), None);
    }

    #[test]
    fn lane_key_reads_as_a_path() {
        let key = LaneKey {
            tenant: "hauser".into(),
            engine: Engine::Cloud,
            kind: LaneKind::PasswordHash,
            partition: "ad.hauser.example".into(),
        };
        assert_eq!(
            key.to_string(),
            "hauser/cloud/password_hash/ad.hauser.example"
        );
    }
}
