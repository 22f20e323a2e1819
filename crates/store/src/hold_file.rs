//! The hold file: what every running request holds, where a killed process leaves it.
//!
//! A preallocated file of fixed slots. Before the first byte of a request goes upstream its hold is
//! written into a slot with one `pwrite` (about a microsecond, into the page cache, no flush), and
//! again whenever it changes; so the kill of the process loses nothing, and a power loss at most
//! what is younger than the last [`HoldFile::sync`]. A slot is used again only after the commit
//! that holds its entry.
//!
//! The file is locked against a second process and allocated at the start, so a disk that fills up
//! cannot take it away. Layout: one header block of 4096 bytes, then [`SLOT_COUNT`] slots of 512
//! bytes (`slot.rs`).

use crate::error::{Result, StoreError};
use free_list::FreeList;
use header::Header;
use rustix::fs::FallocateFlags;
use slot::{SLOT_BYTES, Written};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::sync::Notify;
use tollgate_core::id::NodeId;

mod free_list;
mod header;
mod slot;
#[cfg(test)]
mod tests;

pub use header::BootId;
pub use slot::{SlotRecord, SlotState};

/// Name of the hold file in the data directory.
pub const HOLD_FILE: &str = "holds.tollgate";

/// Slots in a hold file: the bound on requests that run or are not yet posted.
pub const SLOT_COUNT: u32 = 65_536;

const HEADER_BYTES: u64 = 4096;

/// The longest run of slots cleared by one write.
const RUN_SLOTS: usize = 64;
static ZEROS: [u8; RUN_SLOTS * SLOT_BYTES] = [0; RUN_SLOTS * SLOT_BYTES];

/// Names a slot that was acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotIndex(u32);

/// What a file held when it was opened.
#[derive(Debug)]
pub struct Scan {
    /// The slots in use, in the order they were written.
    pub found: Vec<(SlotIndex, SlotRecord)>,
    /// Slots that were cut off while being written: a power loss.
    pub torn: u32,
    /// The machine was started anew since: holds younger than the last sync may be missing.
    pub rebooted: bool,
}

/// An open, locked hold file.
#[derive(Debug)]
pub struct HoldFile {
    file: File,
    path: PathBuf,
    node: NodeId,
    free: FreeList,
    /// Numbers the writes, so that of two slots of one request the later is known.
    serial: AtomicU64,
    /// Told of each write, so that one task can sync what was written.
    written: Notify,
}

impl HoldFile {
    /// Opens the file and reads what is in it, or makes a new one that belongs to `new_node`.
    ///
    /// Slots that hold something count as used until they are freed; torn ones are free.
    pub fn open(path: &Path, new_node: NodeId, boot: BootId) -> Result<(Self, Scan)> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(StoreError::file("open the hold file", path))?;
        lock(&file, path)?;
        let header = read_header(&file, path)?;
        allocate(&file).map_err(StoreError::file("allocate the hold file", path))?;
        let node = header.as_ref().map_or(new_node, |header| header.node);
        let fresh = Header { node, boot };
        file.write_all_at(&fresh.encode(), 0)
            .and_then(|()| file.sync_all())
            .map_err(StoreError::file("write the hold file", path))?;
        let mut opened = Self {
            file,
            path: path.to_path_buf(),
            node,
            free: FreeList::full(SLOT_COUNT),
            serial: AtomicU64::new(0),
            written: Notify::new(),
        };
        let (written, torn) = opened.scan()?;
        opened.free = FreeList::without(SLOT_COUNT, written.iter().map(|(index, _)| index.0));
        let last = written.last().map_or(0, |(_, written)| written.serial);
        opened.serial = AtomicU64::new(last);
        let scan = Scan {
            found: written
                .into_iter()
                .map(|(index, written)| (index, written.record))
                .collect(),
            torn,
            rebooted: header.is_some_and(|header| header.boot != boot),
        };
        Ok((opened, scan))
    }

    /// The node this file belongs to: who has the file is the node.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes a slot for a new request; `None` when less than a tenth is free, which is the sign to
    /// admit nothing more: settled requests are not being posted.
    pub fn acquire(&self) -> Option<SlotIndex> {
        self.free.take().map(SlotIndex)
    }

    /// How many slots are free.
    pub fn free_slots(&self) -> u32 {
        self.free.len()
    }

    /// Writes what a request holds, or held and used. Blocks for about a microsecond; fails only
    /// when the file system does.
    pub fn write(&self, slot: SlotIndex, record: &SlotRecord) -> io::Result<()> {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = record.encode(slot.0, serial);
        self.file.write_all_at(&bytes, offset(slot))?;
        self.written.notify_one();
        Ok(())
    }

    /// Waits until something was written since the last time this returned.
    pub(crate) async fn wait_written(&self) {
        self.written.notified().await;
    }

    /// Gives slots back after the commit of their entries. Freeing a free slot does nothing.
    ///
    /// On an error the slots are free all the same; a record that lies in one is then of a request
    /// with an entry, which recovery drops.
    pub fn free(&self, mut slots: Vec<SlotIndex>) -> io::Result<()> {
        slots.sort_unstable();
        let mut cleared = Ok(());
        // Slots used together lie together: one write clears a run of them.
        for run in slots.chunk_by(|a, b| b.0 - a.0 <= 1) {
            for part in run.chunks(RUN_SLOTS) {
                let (Some(first), Some(last)) = (part.first(), part.last()) else {
                    continue;
                };
                let bytes = usize::try_from(last.0 - first.0 + 1).unwrap_or(1) * SLOT_BYTES;
                let zeros = ZEROS.get(..bytes).unwrap_or(&ZEROS);
                cleared = cleared.and(self.file.write_all_at(zeros, offset(*first)));
            }
        }
        for slot in slots {
            self.free.put(slot.0);
        }
        cleared
    }

    /// Gives back a slot that was acquired and never written.
    pub fn give_back(&self, slot: SlotIndex) {
        self.free.put(slot.0);
    }

    /// Makes everything written so far outlive a power loss. Blocks for milliseconds.
    pub fn sync(&self) -> Result<()> {
        let synced = self.file.sync_data();
        synced.map_err(StoreError::file("sync the hold file", &self.path))
    }

    /// The slots in use, oldest write first, and how many are torn.
    fn scan(&self) -> Result<(Vec<(SlotIndex, Written)>, u32)> {
        let mut found = Vec::new();
        let mut torn = 0;
        let mut block = vec![0; SLOT_BYTES * 128];
        let mut index = 0;
        while index < SLOT_COUNT {
            self.file
                .read_exact_at(&mut block, offset(SlotIndex(index)))
                .map_err(StoreError::file("read the hold file", &self.path))?;
            for bytes in block.chunks_exact(SLOT_BYTES) {
                match SlotRecord::decode(bytes, index) {
                    slot::Decoded::Free => {}
                    slot::Decoded::Torn => torn += 1,
                    slot::Decoded::Record(written) => found.push((SlotIndex(index), written)),
                    slot::Decoded::Newer(version) => return Err(self.newer(version)),
                }
                index += 1;
            }
        }
        found.sort_by_key(|(_, written)| written.serial);
        Ok((found, torn))
    }

    fn newer(&self, version: u8) -> StoreError {
        StoreError::HoldFile {
            path: self.path.clone(),
            problem: format!(
                "holds a slot of version {version}, which this version cannot read: start the \
                 newer version again and stop it cleanly"
            ),
        }
    }
}

fn offset(slot: SlotIndex) -> u64 {
    HEADER_BYTES + u64::from(slot.0) * 512
}

fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StoreError::HoldFile {
            path: path.to_path_buf(),
            problem: "in use by another server: stop that one first".into(),
        }),
        Err(TryLockError::Error(source)) => Err(StoreError::file("lock", path)(source)),
    }
}

/// `None` for a new file.
fn read_header(file: &File, path: &Path) -> Result<Option<Header>> {
    let length = file.metadata().map(|metadata| metadata.len());
    if length.map_err(StoreError::file("read the hold file", path))? == 0 {
        return Ok(None);
    }
    let mut bytes = [0; Header::BYTES];
    file.read_exact_at(&mut bytes, 0)
        .map_err(StoreError::file("read the hold file", path))?;
    // Allocated, and then the machine stopped before the first header was written.
    if bytes == [0; Header::BYTES] {
        return Ok(None);
    }
    let header = Header::decode(&bytes).map_err(|problem| StoreError::HoldFile {
        path: path.to_path_buf(),
        problem,
    })?;
    Ok(Some(header))
}

/// Reserves the whole file on disk; where the file system cannot, writes it out.
fn allocate(file: &File) -> io::Result<()> {
    let whole = HEADER_BYTES + u64::from(SLOT_COUNT) * 512;
    match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, whole) {
        Ok(()) => return Ok(()),
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
        Err(errno) => return Err(errno.into()),
    }
    let mut at = file.metadata()?.len();
    while at < whole {
        let block = [0; 4096];
        file.write_all_at(&block, at - at % 4096)?;
        at += 4096 - at % 4096;
    }
    Ok(())
}
