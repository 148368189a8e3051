//! The words of one SMTP conversation, without any network: lines in, replies out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Largest message taken.
pub(crate) const MOST_BYTES: usize = 10 << 20;

/// What the connection has to do after a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send this and read the next line.
    Reply(String),
    /// Send this, then switch to TLS.
    StartTls(String),
    /// Send this, then read a message up to the lone dot.
    Data(String),
    /// Send this and close.
    Quit(String),
}

/// Who may send.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// Steps of `AUTH LOGIN` and of `AUTH PLAIN` without initial response.
#[derive(Debug, PartialEq, Eq)]
enum Auth {
    None,
    Plain,
    LoginUser,
    LoginPassword(String),
}

/// State of a conversation.
pub(crate) struct Session {
    account: Account,
    auth_required: bool,
    pub(crate) tls: bool,
    auth: Auth,
    greeted: bool,
    pub(crate) authenticated: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) to: Vec<String>,
}

fn reply(text: impl Into<String>) -> Next {
    Next::Reply(text.into())
}

impl Session {
    pub(crate) fn new(account: Account, auth_required: bool, tls: bool) -> Self {
        Self {
            account,
            auth_required,
            tls,
            auth: Auth::None,
            greeted: false,
            authenticated: None,
            from: None,
            to: Vec::new(),
        }
    }

    /// Takes one line without its end.
    pub(crate) fn line(&mut self, line: &str) -> Next {
        if self.auth != Auth::None {
            return self.auth_line(line);
        }
        let upper = line.to_ascii_uppercase();
        let (verb, rest) = upper.split_once(' ').unwrap_or((upper.as_str(), ""));
        match verb {
            "EHLO" => self.hello(),
            "HELO" => {
                self.greeted = true;
                reply("250 simulator.invalid")
            }
            "STARTTLS" if self.tls => reply("503 5.5.1 TLS is on already"),
            "STARTTLS" => {
                // RFC 3207: everything learned before TLS is forgotten.
                *self = Self::new(self.account.clone(), self.auth_required, true);
                Next::StartTls("220 2.0.0 Ready to start TLS".to_owned())
            }
            "AUTH" => self.auth_start(rest, line),
            "MAIL" => self.mail(line, &upper),
            "RCPT" => self.recipient(line, &upper),
            "DATA" if self.to.is_empty() => reply("503 5.5.1 Bad sequence of commands"),
            "DATA" => Next::Data("354 Start mail input; end with <CRLF>.<CRLF>".to_owned()),
            "RSET" => {
                self.reset();
                reply("250 2.0.0 Reset")
            }
            "NOOP" => reply("250 2.0.0 OK"),
            "VRFY" => reply("252 2.1.5 Cannot VRFY user"),
            "QUIT" => Next::Quit("221 2.0.0 Service closing transmission channel".to_owned()),
            _ => reply("500 5.3.3 Unrecognized command"),
        }
    }

    /// Forgets the envelope.
    pub(crate) fn reset(&mut self) {
        self.from = None;
        self.to.clear();
    }

    fn hello(&mut self) -> Next {
        self.greeted = true;
        self.reset();
        let mut lines = vec![
            "simulator.invalid".to_owned(),
            "PIPELINING".to_owned(),
            "8BITMIME".to_owned(),
            "SMTPUTF8".to_owned(),
        ];
        lines.push(format!("SIZE {MOST_BYTES}"));
        if self.tls {
            lines.push("AUTH PLAIN LOGIN".to_owned());
        } else {
            lines.push("STARTTLS".to_owned());
        }
        lines.push("ENHANCEDSTATUSCODES".to_owned());
        let last = lines.len() - 1;
        let text: Vec<String> = lines
            .into_iter()
            .enumerate()
            .map(|(n, line)| format!("250{}{line}", if n == last { ' ' } else { '-' }))
            .collect();
        reply(text.join("\r\n"))
    }

    fn auth_start(&mut self, rest: &str, line: &str) -> Next {
        if !self.tls {
            return reply("538 5.7.11 Encryption required for requested authentication mechanism");
        }
        if self.authenticated.is_some() {
            return reply("503 5.5.1 Already authenticated");
        }
        // The response is case-sensitive: take it from the line as sent.
        let response = line
            .splitn(3, ' ')
            .nth(2)
            .map(str::trim)
            .filter(|text| !text.is_empty());
        match (rest.split(' ').next().unwrap_or(""), response) {
            ("PLAIN", Some(response)) => self.plain(response),
            ("PLAIN", None) => {
                self.auth = Auth::Plain;
                reply("334 ")
            }
            ("LOGIN", Some(user)) => self.login_user(user),
            ("LOGIN", None) => {
                self.auth = Auth::LoginUser;
                reply("334 VXNlcm5hbWU6")
            }
            _ => reply("504 5.7.4 Unrecognized authentication type"),
        }
    }

    fn auth_line(&mut self, line: &str) -> Next {
        let step = std::mem::replace(&mut self.auth, Auth::None);
        if line == "*" {
            return reply("501 5.0.0 Authentication aborted");
        }
        match step {
            Auth::Plain => self.plain(line),
            Auth::LoginUser => self.login_user(line),
            Auth::LoginPassword(user) => match decode(line) {
                Some(password) => self.verify(&user, &password),
                None => reply("501 5.5.2 Cannot decode response"),
            },
            Auth::None => reply("503 5.5.1 Bad sequence of commands"),
        }
    }

    fn login_user(&mut self, encoded: &str) -> Next {
        match decode(encoded) {
            Some(user) => {
                self.auth = Auth::LoginPassword(user);
                reply("334 UGFzc3dvcmQ6")
            }
            None => reply("501 5.5.2 Cannot decode response"),
        }
    }

    fn plain(&mut self, encoded: &str) -> Next {
        let text = decode(encoded).unwrap_or_default();
        let mut parts = text.split('\0').skip(1);
        match (parts.next(), parts.next()) {
            (Some(user), Some(password)) => self.verify(user, password),
            _ => reply("501 5.5.2 Cannot decode response"),
        }
    }

    fn verify(&mut self, user: &str, password: &str) -> Next {
        if user == self.account.user && password == self.account.password {
            self.authenticated = Some(user.to_owned());
            reply("235 2.7.0 Authentication successful")
        } else {
            reply("535 5.7.3 Authentication unsuccessful")
        }
    }

    fn mail(&mut self, line: &str, upper: &str) -> Next {
        if !self.greeted {
            return reply("503 5.5.1 Send hello first");
        }
        if self.auth_required && self.authenticated.is_none() {
            return reply("530 5.7.57 Client not authenticated to send mail");
        }
        if self.from.is_some() {
            return reply("503 5.5.1 Sender already specified");
        }
        let size = upper
            .split("SIZE=")
            .nth(1)
            .and_then(|rest| rest.split(' ').next())
            .and_then(|size| size.parse::<usize>().ok());
        if size.is_some_and(|size| size > MOST_BYTES) {
            return reply("552 5.3.4 Message size exceeds fixed maximum message size");
        }
        match address(line, upper, "FROM:") {
            Some(from) => {
                self.from = Some(from);
                reply("250 2.1.0 Sender OK")
            }
            None => reply("501 5.1.7 Invalid address"),
        }
    }

    fn recipient(&mut self, line: &str, upper: &str) -> Next {
        if self.from.is_none() {
            return reply("503 5.5.1 Bad sequence of commands");
        }
        match address(line, upper, "TO:") {
            Some(to) if to.contains('@') => {
                self.to.push(to);
                reply("250 2.1.5 Recipient OK")
            }
            _ => reply("501 5.1.3 Invalid address"),
        }
    }
}

fn decode(text: &str) -> Option<String> {
    STANDARD
        .decode(text.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
}

fn address(line: &str, upper: &str, word: &str) -> Option<String> {
    let start = upper.find(word)? + word.len();
    let rest = line.get(start..)?.trim_start().strip_prefix('<')?;
    rest.split_once('>').map(|(address, _)| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(tls: bool) -> Session {
        let account = Account {
            user: "alerts".to_owned(),
            password: "geheim".to_owned(),
        };
        Session::new(account, true, tls)
    }

    fn says(session: &mut Session, line: &str) -> String {
        match session.line(line) {
            Next::Reply(text) | Next::StartTls(text) | Next::Data(text) | Next::Quit(text) => text,
        }
    }

    #[test]
    fn passwords_are_taken_over_tls_only() {
        let mut session = session(false);
        assert!(!says(&mut session, "EHLO a").contains("AUTH"));
        assert!(says(&mut session, "AUTH PLAIN AGFsZXJ0cwBnZWhlaW0=").starts_with("538"));
        assert!(matches!(session.line("STARTTLS"), Next::StartTls(_)));
        assert!(
            says(&mut session, "MAIL FROM:<a@b.example>").starts_with("503"),
            "the hello is forgotten"
        );
        assert!(says(&mut session, "EHLO a").contains("AUTH PLAIN LOGIN"));
        assert!(says(&mut session, "MAIL FROM:<a@b.example>").starts_with("530"));
        assert!(says(&mut session, "AUTH PLAIN AGFsZXJ0cwBnZWhlaW0=").starts_with("235"));
    }

    #[test]
    fn login_asks_twice_and_wrong_passwords_fail() {
        let mut session = session(true);
        says(&mut session, "EHLO a");
        assert_eq!(says(&mut session, "AUTH LOGIN"), "334 VXNlcm5hbWU6");
        assert_eq!(says(&mut session, "YWxlcnRz"), "334 UGFzc3dvcmQ6");
        assert!(says(&mut session, "d3Jvbmc=").starts_with("535"));
        assert!(says(&mut session, "auth login YWxlcnRz").starts_with("334"));
        assert!(says(&mut session, "Z2VoZWlt").starts_with("235"));
    }

    #[test]
    fn the_order_of_commands_is_kept() {
        let mut session = session(true);
        says(&mut session, "EHLO a");
        says(&mut session, "AUTH PLAIN AGFsZXJ0cwBnZWhlaW0=");
        assert!(says(&mut session, "RCPT TO:<a@b.example>").starts_with("503"));
        assert!(says(&mut session, "DATA").starts_with("503"));
        assert!(says(&mut session, "MAIL FROM:<a@b.example> SIZE=99999999999").starts_with("552"));
        assert!(
            says(
                &mut session,
                "MAIL FROM:<a@b.example> SIZE=100 BODY=8BITMIME"
            )
            .starts_with("250")
        );
        assert!(says(&mut session, "RCPT TO:<x>").starts_with("501"));
        assert!(says(&mut session, "RCPT TO:<noc@b.example>").starts_with("250"));
        assert!(matches!(session.line("DATA"), Next::Data(_)));
        assert_eq!(session.to, ["noc@b.example"]);
    }
}
