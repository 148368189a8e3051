//! Reads `$filter`: comparisons, `and`, `or`, `not`, string functions and the lambda `any`.

use crate::graph::error::GraphError;
use crate::graph::odata::{Expr, Literal, Op, bare_literal};

/// A recursive descent parser; nesting is bounded.
pub(crate) struct Parser<'a> {
    rest: &'a str,
    depth: u32,
    /// Variable and collection of the lambda being read.
    lambda: Option<(String, String)>,
}

const MAX_DEPTH: u32 = 30;

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            rest: text.trim(),
            depth: 0,
            lambda: None,
        }
    }

    pub(crate) fn parse(mut self) -> Result<Expr, GraphError> {
        let expr = self.any_of()?;
        if self.rest.is_empty() {
            Ok(expr)
        } else {
            Err(self.syntax())
        }
    }

    fn syntax(&self) -> GraphError {
        let near: String = self.rest.chars().take(20).collect();
        GraphError::bad_request(format!(
            "Invalid filter clause: syntax error near '{near}'."
        ))
    }

    fn any_of(&mut self) -> Result<Expr, GraphError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(GraphError::bad_request(
                "Invalid filter clause: nested too deep.",
            ));
        }
        let mut left = self.all_of()?;
        while self.word("or") {
            left = Expr::Or(Box::new(left), Box::new(self.all_of()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn all_of(&mut self) -> Result<Expr, GraphError> {
        let mut left = self.term()?;
        while self.word("and") {
            left = Expr::And(Box::new(left), Box::new(self.term()?));
        }
        Ok(left)
    }

    fn term(&mut self) -> Result<Expr, GraphError> {
        if self.word("not") || self.rest.starts_with("not(") && self.skip("not") {
            return Ok(Expr::Not(Box::new(self.term()?)));
        }
        if self.skip("(") {
            let inner = self.any_of()?;
            self.expect(")")?;
            return Ok(inner);
        }
        let name = self.path()?;
        if self.skip("(") {
            return self.call(&name);
        }
        let op = self.operator()?;
        let literal = self.literal()?;
        Ok(Expr::Test {
            path: self.resolve(&name),
            op,
            literal,
            lower: false,
        })
    }

    fn call(&mut self, name: &str) -> Result<Expr, GraphError> {
        if let Some(collection) = name.strip_suffix("/any") {
            let variable = self.path()?;
            self.expect(":")?;
            self.lambda = Some((variable, collection.to_owned()));
            let inner = self.any_of()?;
            self.lambda = None;
            self.expect(")")?;
            return Ok(inner);
        }
        let op = match name.to_ascii_lowercase().as_str() {
            "startswith" => Op::StartsWith,
            "endswith" => Op::EndsWith,
            "contains" => Op::Contains,
            _ => return Err(self.syntax()),
        };
        let mut path = self.path()?;
        let lower = path.eq_ignore_ascii_case("tolower") && self.skip("(");
        if lower {
            path = self.path()?;
            self.expect(")")?;
        }
        self.expect(",")?;
        let literal = self.literal()?;
        self.expect(")")?;
        // `startswith(..) eq true` means the same.
        if self.word("eq") && !self.word("true") {
            return Err(self.syntax());
        }
        Ok(Expr::Test {
            path: self.resolve(&path),
            op,
            literal,
            lower,
        })
    }

    /// Inside a lambda, `t/id` is the property of an element.
    fn resolve(&self, path: &str) -> String {
        match &self.lambda {
            Some((variable, collection)) => match path.strip_prefix(variable.as_str()) {
                Some(tail) => format!("{collection}{tail}"),
                None => path.to_owned(),
            },
            None => path.to_owned(),
        }
    }

    fn path(&mut self) -> Result<String, GraphError> {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '/' || c == '_' || c == '.'))
            .unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.syntax());
        }
        let path = self.rest[..end].to_owned();
        self.rest = self.rest[end..].trim_start();
        Ok(path)
    }

    fn operator(&mut self) -> Result<Op, GraphError> {
        for (word, op) in [
            ("eq", Op::Eq),
            ("ne", Op::Ne),
            ("gt", Op::Gt),
            ("lt", Op::Lt),
            ("ge", Op::Ge),
            ("le", Op::Le),
        ] {
            if self.word(word) {
                return Ok(op);
            }
        }
        Err(self.syntax())
    }

    fn literal(&mut self) -> Result<Literal, GraphError> {
        if let Some(quote) = self.rest.find('\'')
            && self.rest[..quote]
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '.')
        {
            // A qualified enum member is written `namespace.type'member'`.
            self.rest = &self.rest[quote + 1..];
            return self.quoted();
        }
        let end = self.rest.find([' ', ')', ',']).unwrap_or(self.rest.len());
        let literal = bare_literal(&self.rest[..end]).ok_or_else(|| self.syntax())?;
        self.rest = self.rest[end..].trim_start();
        Ok(literal)
    }

    fn quoted(&mut self) -> Result<Literal, GraphError> {
        let mut text = String::new();
        loop {
            let end = self.rest.find('\'').ok_or_else(|| self.syntax())?;
            text.push_str(&self.rest[..end]);
            self.rest = &self.rest[end + 1..];
            if !self.rest.starts_with('\'') {
                self.rest = self.rest.trim_start();
                return Ok(Literal::Text(text));
            }
            // A doubled quote is a quote.
            text.push('\'');
            self.rest = &self.rest[1..];
        }
    }

    /// Skips a word that is followed by a space or the end.
    fn word(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(tail) if tail.is_empty() || tail.starts_with([' ', '\t', ')']) => {
                self.rest = tail.trim_start();
                true
            }
            _ => false,
        }
    }

    fn skip(&mut self, sign: &str) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(tail) => {
                self.rest = tail.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, sign: &str) -> Result<(), GraphError> {
        if self.skip(sign) {
            Ok(())
        } else {
            Err(self.syntax())
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn lambdas_become_paths_of_the_collection() {
        let expr = Parser::new("targetResources/any(t:t/id eq 'O''Neill')")
            .parse()
            .unwrap();
        let expected = Expr::Test {
            path: "targetResources/id".to_owned(),
            op: Op::Eq,
            literal: Literal::Text("O'Neill".to_owned()),
            lower: false,
        };
        assert_eq!(expr, expected);
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("{}a eq 1{}", "(".repeat(10_000), ")".repeat(10_000));
        assert!(Parser::new(&deep).parse().is_err());
    }

    #[test]
    fn qualified_enum_members_are_text() {
        let expr = Parser::new("state eq microsoft.graph.healthmonitoring.alertState'active'")
            .parse()
            .unwrap();
        assert!(
            matches!(expr, Expr::Test { literal: Literal::Text(member), .. } if member == "active")
        );
    }
}
