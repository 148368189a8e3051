//! placeholder
#[expect(unused, missing_docs, reason = "being written")]
pub mod model;
