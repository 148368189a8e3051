//! Real agents, as processes of their own, and the service they report to.

mod ask;
mod certificates;
mod drain;
mod post;
mod site;
mod story;
