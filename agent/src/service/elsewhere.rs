//! Systems without such services.

use std::path::Path;

use super::{Manager, ServiceError};

pub(super) const fn manager() -> Result<Box<dyn Manager>, ServiceError> {
    Err(ServiceError::Elsewhere)
}

pub(super) const fn serve(_config: &Path) -> Result<(), ServiceError> {
    Err(ServiceError::Elsewhere)
}
