//! The two ways home. Both carry the same batches and forget a record only when the service has
//! committed it; both may be on.

mod client;
mod date;
mod fresh;
pub mod listen;
pub mod push;
pub mod tls;
pub mod token;
