//! How the service proves to Entra who it is.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use syncwatch_domain::secret::Secret;
use url::Url;

/// Where a managed identity comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// Virtual machine or scale set: the instance metadata service.
    #[default]
    Vm,
    /// App Service, Functions, Container Apps: `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`.
    AppService,
}

/// A managed identity of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedIdentity {
    /// Where it comes from.
    pub kind: IdentityKind,
    /// Client id of a user-assigned identity.
    pub client_id: Option<String>,
    /// Endpoint in place of the machine's own.
    pub endpoint: Option<Url>,
}

/// Exactly one of the ways to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A client secret, written in the config.
    Secret {
        /// Application.
        client_id: String,
        /// The secret.
        secret: Secret<String>,
    },
    /// A client secret in a file.
    SecretFile {
        /// Application.
        client_id: String,
        /// The file.
        file: PathBuf,
    },
    /// A certificate and its key.
    Certificate {
        /// Application.
        client_id: String,
        /// PEM file of the certificate.
        certificate_file: PathBuf,
        /// PEM file of the private key.
        private_key_file: PathBuf,
    },
    /// The token of another identity provider, in a file.
    Federated {
        /// Application.
        client_id: String,
        /// The file.
        file: PathBuf,
    },
    /// The identity of the machine.
    Managed(ManagedIdentity),
}

impl Credential {
    /// The application, where the credential names one.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::Secret { client_id, .. }
            | Self::SecretFile { client_id, .. }
            | Self::Certificate { client_id, .. }
            | Self::Federated { client_id, .. } => Some(client_id),
            Self::Managed(identity) => identity.client_id.as_deref(),
        }
    }
}
