//! Where in its cloud a provider is.

/// Parts of a cloud's addresses; each kind uses some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Site {
    /// Bedrock: the AWS region (`us-east-1`): host and signature.
    pub region: Option<String>,
    /// Vertex: the Google Cloud project.
    pub project: Option<String>,
    /// Vertex: the location (`us-central1`, `global`, `us`, `eu`): host and path.
    pub location: Option<String>,
    /// Azure: asks for the older deployments paths with this `api-version`; without it the v1
    /// paths are used.
    pub api_version: Option<String>,
}
