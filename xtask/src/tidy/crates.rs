//! Dependencies between our crates run one way. The table is the rule; a new crate needs a row.

use super::Finding;
use anyhow::Context as _;
use serde::Deserialize;
use std::{path::Path, process::Command};

/// Crate, and what it may use. Everything but the test tools may be used in tests by those who may
/// use it at all; the test tools only in tests.
const MAY_USE: &[(&str, &[&str])] = &[
    ("tollgate-core", &[]),
    ("tollgate-wire", &["tollgate-core"]),
    ("tollgate-store", &["tollgate-core"]),
    (
        "tollgate-gateway",
        &["tollgate-core", "tollgate-wire", "tollgate-store"],
    ),
    ("tollgate-control", &["tollgate-core", "tollgate-store"]),
    ("tollgate-launch", &["tollgate-core"]),
    ("tollgate-devbox", &["tollgate-core"]),
    (
        "tollgate-cli",
        &[
            "tollgate-core",
            "tollgate-wire",
            "tollgate-store",
            "tollgate-gateway",
            "tollgate-control",
            "tollgate-launch",
            "tollgate-devbox",
        ],
    ),
    (TEST_TOOLS, &[]),
    ("tollgate-bench", &[]),
    ("xtask", &["tollgate-core", TEST_TOOLS]),
];

const TEST_TOOLS: &str = "tollgate-testkit";

#[derive(Deserialize)]
pub(super) struct Metadata {
    workspace_root: String,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `null` = normal, else `dev` or `build`.
    kind: Option<String>,
    /// Set for crates of this workspace.
    path: Option<String>,
}

/// What cargo knows about the workspace.
pub(super) fn metadata(root: &Path) -> anyhow::Result<Metadata> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cargo describes the workspace")?;
    serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

pub(super) fn check(metadata: &Metadata) -> Vec<Finding> {
    let root = format!("{}/", metadata.workspace_root);
    let packages = metadata.packages.iter();
    packages.flat_map(|it| check_package(it, &root)).collect()
}

fn check_package(package: &Package, root: &str) -> Vec<Finding> {
    let name = package.name.as_str();
    let path = package.manifest_path.as_str();
    let manifest = path.strip_prefix(root).unwrap_or(path);
    let Some((_, allowed)) = MAY_USE.iter().find(|(crate_name, _)| *crate_name == name) else {
        let message = format!("{name} is new: say in xtask/src/tidy/crates.rs what it may use");
        return vec![Finding::new(manifest, 0, message)];
    };
    let ours = package.dependencies.iter().filter(|it| it.path.is_some());
    ours.filter(|it| {
        let in_tests = it.kind.as_deref() == Some("dev");
        let always = allowed.contains(&it.name.as_str());
        !(always || in_tests && it.name == TEST_TOOLS)
    })
    .map(|it| {
        let kind = it.kind.as_deref().unwrap_or("normal");
        let message = format!("{name} must not use {} ({kind} dependency)", it.name);
        Finding::new(manifest, 0, message)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, dependencies: &[(&str, Option<&str>)]) -> Vec<String> {
        let dependency = |(name, kind): &(&str, Option<&str>)| Dependency {
            name: (*name).to_owned(),
            kind: kind.map(str::to_owned),
            path: Some("crates".to_owned()),
        };
        let package = Package {
            name: name.to_owned(),
            manifest_path: "/tollgate/crates/x/Cargo.toml".to_owned(),
            dependencies: dependencies.iter().map(dependency).collect(),
        };
        let metadata = Metadata {
            workspace_root: "/tollgate".to_owned(),
            packages: vec![package],
        };
        check(&metadata).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn dependencies_run_one_way() {
        assert!(of("tollgate-gateway", &[("tollgate-wire", None)]).is_empty());
        assert_eq!(
            of("tollgate-wire", &[("tollgate-gateway", None)]),
            [
                "crates/x/Cargo.toml: tollgate-wire must not use tollgate-gateway (normal \
              dependency)"
            ]
        );
        assert_eq!(
            of("tollgate-gateway", &[("tollgate-control", Some("dev"))]).len(),
            1
        );
    }

    #[test]
    fn test_tools_are_for_tests() {
        assert!(of("tollgate-store", &[("tollgate-testkit", Some("dev"))]).is_empty());
        assert_eq!(of("tollgate-store", &[("tollgate-testkit", None)]).len(), 1);
    }

    #[test]
    fn a_new_crate_needs_a_row() {
        assert_eq!(of("tollgate-surprise", &[]).len(), 1);
    }
}
