//! What a mail server's reply means.

use std::fmt;
use std::sync::Mutex;

use lettre::transport::smtp::Error;
use syncwatch_domain::delivery::AttemptResult;

use crate::notify::reason;

/// What is being done; for the report of an attempt that ran out of time or failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Step {
    #[default]
    Connect,
    Greet,
    Secure,
    SignIn,
    Sender,
    Recipient,
    Content,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Greet => "greeting",
            Self::Secure => "starting TLS",
            Self::SignIn => "signing in",
            Self::Sender => "naming the sender",
            Self::Recipient => "naming a recipient",
            Self::Content => "sending the mail",
        })
    }
}

/// The step an attempt has come to.
#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<Step>);

impl Progress {
    /// Notes the step that begins now.
    pub(super) fn at(&self, step: Step) -> Step {
        *self
            .0
            .lock()
            .expect("no code panics while it holds this lock") = step;
        step
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .lock()
            .expect("no code panics while it holds this lock")
            .fmt(f)
    }
}

/// Why an attempt failed. No text in it holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server said no.
    Reply {
        /// To what.
        step: Step,
        /// Three digits.
        code: u16,
        /// Its words.
        text: String,
    },
    /// No sensible answer: network, TLS, an unreadable reply.
    Lost {
        /// At what.
        step: Step,
        /// What happened.
        text: String,
    },
    /// Not sent, for a reason of our own that only a person can change.
    Refused(String),
}

impl Failure {
    /// From lettre's error; its text is quoted without `secrets`.
    pub(super) fn of(step: Step, error: &Error, secrets: &[String]) -> Self {
        let Some(code) = error.status() else {
            let text = reason::quote(&reason::chain(error), secrets);
            return Self::Lost { step, text };
        };
        let words = std::error::Error::source(error)
            .map(ToString::to_string)
            .unwrap_or_default();
        Self::Reply {
            step,
            code: code.to_string().parse().unwrap_or_default(),
            text: reason::quote(&words, secrets),
        }
    }

    /// Whether trying again can help.
    pub(super) const fn is_temporary(&self) -> bool {
        match self {
            Self::Reply { code, .. } => *code < 500 || *code > 599,
            Self::Lost { .. } => true,
            Self::Refused(_) => false,
        }
    }

    /// What follows from it.
    pub(super) fn judge(self) -> AttemptResult {
        let reason = self.to_string();
        if self.is_temporary() {
            AttemptResult::Retry {
                after: None,
                reason,
            }
        } else {
            AttemptResult::GiveUp { reason }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply { code, text, step } => {
                write!(f, "the mail server answered {code} {text} while {step}")?;
                f.write_str(hint(*step, *code, text))
            }
            Self::Lost { step, text } => {
                write!(f, "{step} failed: {text}")?;
                if text.contains("UnknownIssuer") {
                    f.write_str(
                        "; if the server's authority is your own, name its file in `ca_file`",
                    )?;
                }
                Ok(())
            }
            Self::Refused(text) => f.write_str(text),
        }
    }
}

/// What to do about a reply that people meet often.
fn hint(step: Step, code: u16, text: &str) -> &'static str {
    // Exchange team announcement on SMTP AUTH, revision of January 2026.
    if text.contains("5.7.30") {
        return "; Exchange Online retires sign-in with a password (Basic authentication) for SMTP: an \
                administrator may allow it again for a time, or mail has to go through another relay";
    }
    match (step, code) {
        (Step::SignIn, 500..=599) => {
            "; the login is refused, check `username` and `password` (or `password_file`) of this receiver"
        }
        (_, 530) => "; the server wants a login, set `username` and `password_file`",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use syncwatch_domain::delivery::AttemptOutcome;

    use super::*;

    fn reply(step: Step, code: u16, text: &str) -> AttemptResult {
        Failure::Reply {
            step,
            code,
            text: text.to_owned(),
        }
        .judge()
    }

    #[test]
    fn every_reply_code_has_its_meaning() {
        for step in [
            Step::Greet,
            Step::Secure,
            Step::SignIn,
            Step::Sender,
            Step::Recipient,
            Step::Content,
        ] {
            for code in 400..=599 {
                let verdict = reply(step, code, "no");
                let expected = if code < 500 {
                    AttemptOutcome::Retry
                } else {
                    AttemptOutcome::GivenUp
                };
                assert_eq!(verdict.outcome(), expected, "{code} while {step}");
                let printed = format!("{verdict:?}");
                assert!(
                    printed.contains(&format!("{code} no while {step}")),
                    "{printed}"
                );
                let login = step == Step::SignIn && code >= 500;
                assert_eq!(printed.contains("check `username`"), login, "{printed}");
            }
        }
        // A positive reply in the wrong place is a confused server, not a refusal.
        assert_eq!(
            reply(Step::Content, 250, "ok").outcome(),
            AttemptOutcome::Retry
        );
    }

    #[test]
    fn the_retirement_of_passwords_is_explained() {
        let text = "5.7.30 Basic authentication is not supported for Client Submission.";
        for step in [Step::SignIn, Step::Sender, Step::Content] {
            let AttemptResult::GiveUp { reason } = reply(step, 550, text) else {
                panic!("550 is for good");
            };
            assert!(reason.contains("Exchange Online retires"), "{reason}");
        }
    }
}
