//! Microsoft Graph, as far as the product asks it: a pure function from world and request to answer.

pub(crate) mod agents;
pub(crate) mod apps;
pub(crate) mod audits;
pub(crate) mod delta;
pub(crate) mod error;
pub(crate) mod filter;
pub(crate) mod health;
pub(crate) mod jobs;
pub(crate) mod mangle;
pub(crate) mod members;
pub(crate) mod objects;
pub(crate) mod odata;
pub(crate) mod organization;
pub(crate) mod paging;
pub(crate) mod provisioning;
pub(crate) mod rights;
pub(crate) mod route;
pub(crate) mod schema;
pub(crate) mod throttle;

use serde_json::{Value, json};

use crate::graph::error::GraphError;
use crate::graph::odata::Query;
use crate::graph::paging::Cursor;
use crate::story::Settings;
use crate::world::tenant::TenantState;

/// A request, taken apart.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    /// `v1.0` or `beta`.
    pub(crate) version: &'a str,
    /// Path after the version, decoded.
    pub(crate) path: String,
    pub(crate) query: Query,
    /// `http://127.0.0.1:port`.
    pub(crate) base: &'a str,
    pub(crate) method: &'a str,
    pub(crate) eventual: bool,
    pub(crate) accepts_json_only: bool,
    pub(crate) prefer: String,
    pub(crate) body: &'a [u8],
    /// Permissions in the access token.
    pub(crate) roles: Vec<String>,
    pub(crate) app: String,
}

impl Ask<'_> {
    pub(crate) fn beta(&self) -> bool {
        self.version == "beta"
    }

    /// `http://host/v1.0`.
    pub(crate) fn root(&self) -> String {
        format!("{}/{}", self.base, self.version)
    }

    pub(crate) fn context(&self, entity: &str) -> String {
        format!("{}/$metadata#{entity}", self.root())
    }

    /// The same request, to be asked with another query.
    pub(crate) fn like(&self) -> Self {
        Self {
            path: self.path.clone(),
            query: Query::default(),
            prefer: self.prefer.clone(),
            roles: self.roles.clone(),
            app: self.app.clone(),
            ..*self
        }
    }

    /// Advanced queries need the header and the count, on every page.
    pub(crate) fn is_advanced(&self) -> bool {
        self.eventual && self.query.counts()
    }

    pub(crate) fn page_link(&self, token: &str) -> String {
        let query = self.query.for_link();
        let join = if query.is_empty() { "" } else { "&" };
        format!(
            "{}/{}?{query}{join}$skiptoken={token}",
            self.root(),
            self.path
        )
    }
}

/// A good answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Body,
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// The body of a good answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    /// JSON that was rendered straight into text.
    Raw(String),
    Plain(String),
}

impl Answer {
    pub(crate) fn json(value: Value) -> Self {
        Self {
            status: 200,
            body: Body::Json(value),
            headers: Vec::new(),
        }
    }
}

pub(crate) type Outcome = Result<Answer, GraphError>;

/// The tenant a request is about and the rules it lives under.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) tenant: &'a mut TenantState,
    pub(crate) settings: &'a Settings,
    pub(crate) now: i64,
}

/// Which errors and defaults a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Directory,
    Reports,
}

/// What a list is before paging.
pub(crate) struct Listing {
    pub(crate) items: Vec<u32>,
    pub(crate) top: usize,
    pub(crate) advanced: bool,
    pub(crate) counted: bool,
}

/// One page of a list.
pub(crate) struct ListPage {
    pub(crate) items: Vec<u32>,
    pub(crate) next_link: Option<String>,
    pub(crate) count: Option<usize>,
}

impl Scene<'_> {
    /// First or next page of a list; `list` is only asked for the first one.
    pub(crate) fn page(
        &mut self,
        ask: &Ask<'_>,
        family: Family,
        list: impl FnOnce(&mut TenantState) -> Result<Listing, GraphError>,
    ) -> Result<ListPage, GraphError> {
        let (cursor, count) = match ask.query.get("skiptoken") {
            Some(token) => (self.continued(ask, family, token)?, None),
            None => {
                let listing = list(self.tenant)?;
                let count = listing.counted.then_some(listing.items.len());
                let mut cursor = Cursor::new(&ask.path, listing.items, listing.top);
                cursor.advanced = listing.advanced;
                (cursor, count)
            }
        };
        let life = self.settings.page_token_life.as_ms();
        let page = self
            .tenant
            .pages
            .take(cursor, self.now, life, self.settings.empty_page_share);
        Ok(ListPage {
            items: page.items,
            next_link: page.next_token.map(|token| ask.page_link(&token)),
            count,
        })
    }

    fn continued(&self, ask: &Ask<'_>, family: Family, token: &str) -> Result<Cursor, GraphError> {
        let cursor = self.tenant.pages.find(token, &ask.path, self.now).ok_or_else(|| match family {
            Family::Directory => GraphError::new(
                400,
                "Directory_ExpiredPageToken",
                "The specified page token value has expired and can no longer be included in your request.",
            ),
            Family::Reports => GraphError::new(400, "", "Token not found: token is either invalid or expired"),
        })?;
        if cursor.advanced && !ask.eventual {
            return Err(GraphError::unsupported_query());
        }
        Ok(cursor)
    }
}

/// The usual collection body.
pub(crate) fn collection(context: &str, page: &ListPage, values: Vec<Value>) -> Value {
    let mut body = json!({"@odata.context": context});
    if let Some(count) = page.count {
        body["@odata.count"] = json!(count);
    }
    if let Some(link) = &page.next_link {
        body["@odata.nextLink"] = json!(link);
    }
    body["value"] = Value::Array(values);
    body
}

/// Keeps the selected properties (`id` is kept as Graph keeps it, only when selected or by default).
pub(crate) fn select(mut value: Value, wanted: Option<&[&str]>) -> Value {
    if let (Some(wanted), Some(object)) = (wanted, value.as_object_mut()) {
        object.retain(|name, _| {
            name.starts_with('@') || wanted.iter().any(|one| one.eq_ignore_ascii_case(name))
        });
    }
    value
}
