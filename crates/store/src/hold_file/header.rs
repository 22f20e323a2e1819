//! The first block of a hold file: whose it is and under which boot it was written.
//!
//! Little-endian: magic (8 bytes), version (4), slot bytes (4), slot count (4), node id (16), boot
//! id (16), CRC-32 of all before (4).

use super::SLOT_COUNT;
use crate::{
    bytes::{Reader, Writer},
    error::{Result, StoreError},
};
use std::path::Path;
use tollgate_core::id::NodeId;

const MAGIC: [u8; 8] = *b"TOLLGATE";
const VERSION: u32 = 1;
const SLOT_BYTES: u32 = 512;

/// Names one run of the machine: a new one means that the page cache was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootId(pub [u8; 16]);

impl BootId {
    /// The running one, as Linux tells it.
    pub fn current() -> Result<Self> {
        Self::read(Path::new("/proc/sys/kernel/random/boot_id"))
    }

    fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).map_err(StoreError::file("read the boot id", path))?;
        let id = uuid::Uuid::try_parse(text.trim()).map_err(|_| StoreError::HoldFile {
            path: path.to_path_buf(),
            problem: "does not hold a boot id".into(),
        })?;
        Ok(Self(id.into_bytes()))
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) node: NodeId,
    pub(super) boot: BootId,
}

impl Header {
    pub(super) const BYTES: usize = 56;

    pub(super) fn encode(&self) -> [u8; Self::BYTES] {
        let mut writer = Writer::<{ Self::BYTES }>::new();
        writer.put(MAGIC);
        writer.put(VERSION.to_le_bytes());
        writer.put(SLOT_BYTES.to_le_bytes());
        writer.put(SLOT_COUNT.to_le_bytes());
        writer.put(self.node.to_bytes());
        writer.put(self.boot.0);
        let crc = crc32fast::hash(writer.written());
        writer.put(crc.to_le_bytes());
        writer.bytes()
    }

    /// Reads a header back; the error says what is wrong and what to do.
    pub(super) fn decode(bytes: &[u8; Self::BYTES]) -> Result<Self, String> {
        let not_ours = || {
            "not a hold file of this version: move it away to start with an empty one (requests \
             that ran when the last server ended will then not be charged)"
                .to_owned()
        };
        let mut reader = Reader::new(bytes);
        let mut read = || {
            let magic: [u8; 8] = reader.take()?;
            let version = u32::from_le_bytes(reader.take()?);
            let slot_bytes = u32::from_le_bytes(reader.take()?);
            let slots = u32::from_le_bytes(reader.take()?);
            let header = Self {
                node: NodeId::from_bytes(reader.take()?),
                boot: BootId(reader.take()?),
            };
            let crc = crc32fast::hash(reader.taken());
            let intact = magic == MAGIC && crc == u32::from_le_bytes(reader.take()?);
            let known = version == VERSION && slot_bytes == SLOT_BYTES && slots == SLOT_COUNT;
            (intact && known).then_some(header)
        };
        read().ok_or_else(not_ours)
    }
}
