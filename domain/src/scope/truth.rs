//! What can be said of a condition: yes, no, or that it cannot be told, and why.

use std::fmt;

/// The answer to a question about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It cannot be told.
    Unknown(Doubt),
}

/// Why something cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doubt {
    /// The attribute is not read from anywhere.
    NotHeld(String),
    /// Members of the group are not read.
    NoMembers(String),
    /// An operator that this version does not know.
    Operator(String),
    /// The answer hangs on something that is not documented: whether case matters, the order of
    /// texts, another spelling of a name.
    Unclear(String),
    /// An expression that only the engine can evaluate, of this rule.
    Expression(String),
    /// The pattern is not one that can be evaluated here.
    Pattern(String),
    /// The distinguished name cannot be read, or is not known.
    Name(String),
    /// The configuration of the engine is not known: no agent reports it and no file was given.
    NoConfiguration(&'static str),
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHeld(attribute) => write!(f, "the attribute {attribute} is not read"),
            Self::NoMembers(group) => write!(f, "the members of {group} are not read"),
            Self::Operator(operator) => write!(f, "the operator {operator:?} is not known"),
            Self::Unclear(what) => f.write_str(what),
            Self::Expression(rule) => {
                write!(
                    f,
                    "the rule {rule:?} has an expression that only the engine evaluates"
                )
            }
            Self::Pattern(pattern) => write!(f, "the pattern {pattern:?} cannot be evaluated"),
            Self::Name(what) => f.write_str(what),
            Self::NoConfiguration(engine) => {
                write!(f, "the configuration of {engine} is not known")
            }
        }
    }
}

impl Truth {
    /// The answer, as far as it is known.
    #[must_use]
    pub const fn known(&self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::No => Some(false),
            Self::Unknown(_) => None,
        }
    }

    /// All of them hold: one that does not decides, whatever cannot be told of the others.
    pub fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut doubt = None;
        for answer in answers {
            match answer {
                Self::Yes => {}
                Self::No => return Self::No,
                Self::Unknown(why) => doubt = doubt.or(Some(why)),
            }
        }
        doubt.map_or(Self::Yes, Self::Unknown)
    }

    /// Any of them holds: one that does decides.
    pub fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut doubt = None;
        for answer in answers {
            match answer {
                Self::Yes => return Self::Yes,
                Self::No => {}
                Self::Unknown(why) => doubt = doubt.or(Some(why)),
            }
        }
        doubt.map_or(Self::No, Self::Unknown)
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            unknown @ Self::Unknown(_) => unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(answer: bool) -> Self {
        if answer { Self::Yes } else { Self::No }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_told_matters_only_when_nothing_else_decides() {
        let unknown = || Truth::Unknown(Doubt::NotHeld("mail".to_owned()));
        let (yes, no) = (|| Truth::Yes, || Truth::No);
        for (answers, all, any) in [
            (vec![], yes(), no()),
            (vec![yes(), yes()], yes(), yes()),
            (vec![yes(), no()], no(), yes()),
            (vec![unknown(), no()], no(), unknown()),
            (vec![unknown(), yes()], unknown(), yes()),
            (vec![unknown()], unknown(), unknown()),
        ] {
            assert_eq!(Truth::all(answers.clone()), all, "{answers:?}");
            assert_eq!(Truth::any(answers.clone()), any, "{answers:?}");
        }
        assert_eq!(!unknown(), unknown());
        assert_eq!(!Truth::from(true), no());
    }
}
