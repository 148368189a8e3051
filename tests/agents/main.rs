//! Real agents, as processes of their own, and the service they report to.

mod drain;
mod post;
mod site;
mod story;
