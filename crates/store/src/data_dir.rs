//! The data directory: the database, the key file, the hold file. Only its owner may look inside,
//! and one server at a time uses it.
//!
//! The lock is the operating system's (`flock`), so it goes with the process that holds it, however
//! that ends. Tools that only use the database do not take it.

use crate::error::{Result, StoreError};
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// Name of the lock file in the data directory.
const LOCK_FILE: &str = "tollgate.lock";

/// A data directory that exists.
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Uses the directory, making it (and what is above it) when needed. A new one gets mode 0700;
    /// one that is there keeps the mode its owner gave it.
    pub fn open(path: &Path) -> Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(StoreError::file("make the data directory", path))?;
        let path =
            fs::canonicalize(path).map_err(StoreError::file("open the data directory", path))?;
        Ok(Self(path))
    }

    /// Where it is, absolute.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file inside.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Takes the directory for this server until the lock is dropped. `holder` is what a second
    /// server is told (`process 4711, listening on 127.0.0.1:8787`).
    pub fn lock(&self, holder: &str) -> Result<DataDirLock> {
        let path = self.file(LOCK_FILE);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(StoreError::file("open the lock file", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.in_use(&path)),
            Err(TryLockError::Error(source)) => {
                return Err(StoreError::file("lock", &path)(source));
            }
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{holder}"))
            .map_err(StoreError::file("write the lock file", &path))?;
        Ok(DataDirLock { _file: file })
    }

    fn in_use(&self, lock: &Path) -> StoreError {
        let holder = fs::read_to_string(lock).unwrap_or_default();
        let holder = match holder.trim() {
            "" => "it has not said which",
            holder => holder,
        };
        StoreError::DataDirInUse {
            path: self.0.clone(),
            holder: holder.to_owned(),
        }
    }
}

/// Proof that this process is the directory's only server; ends when dropped.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_new_directory_is_private_and_holds_one_server() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("a/data");
        let dir = DataDir::open(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);

        let first = dir.lock("process 4711").unwrap();
        let refused = dir.lock("process 4712").unwrap_err().to_string();
        assert!(refused.contains("process 4711"), "{refused}");
        assert!(refused.contains("--data-dir"), "{refused}");
        drop(first);
        dir.lock("process 4712").unwrap();
    }
}
